package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"
	"time"
)

// epoch is the time of every file in every image.
var epoch = time.Unix(0, 0).UTC()

// entry is one file, folder or link of a layer.
type entry struct {
	path   string // absolute, inside the image
	mode   fs.FileMode
	uid    int
	gid    int
	body   []byte
	source string // file on this machine to copy, instead of body
	link   string // target, when it is a symbolic link
}

func folder(path string, mode fs.FileMode) entry { return entry{path: path, mode: fs.ModeDir | mode} }

func (e entry) ownedBy(uid, gid int) entry {
	e.uid, e.gid = uid, gid
	return e
}

func program(path, source string) entry { return entry{path: path, mode: 0o755, source: source} }

func text(path, body string) entry { return entry{path: path, mode: 0o644, body: []byte(body)} }

func symlink(path, target string) entry {
	return entry{path: path, mode: fs.ModeSymlink | 0o777, link: target}
}

// layer is a set of entries; folders that nobody listed are added.
type layer []entry

// tar writes the layer as an archive that depends on nothing but its entries.
func (l layer) tar() ([]byte, error) {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, e := range l.complete() {
		if err := e.write(archive); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// complete adds the folders above each entry and sorts; a later entry of the
// same path replaces an earlier one.
func (l layer) complete() layer {
	byPath := map[string]entry{}
	for _, e := range l {
		e.path = path.Clean(e.path)
		for parent := path.Dir(e.path); parent != "/"; parent = path.Dir(parent) {
			if _, known := byPath[parent]; !known {
				byPath[parent] = folder(parent, 0o755)
			}
		}
		byPath[e.path] = e
	}
	all := make(layer, 0, len(byPath))
	for _, e := range byPath {
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].path < all[j].path })
	return all
}

func (e entry) write(archive *tar.Writer) error {
	header := &tar.Header{
		Name: e.path[1:], Mode: unixMode(e.mode), Uid: e.uid, Gid: e.gid,
		ModTime: epoch, Format: tar.FormatPAX,
	}
	switch {
	case e.mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
		return archive.WriteHeader(header)
	case e.link != "":
		header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
		return archive.WriteHeader(header)
	case e.source != "":
		return copyFile(archive, header, e.source)
	}
	header.Typeflag, header.Size = tar.TypeReg, int64(len(e.body))
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err := archive.Write(e.body)
	return err
}

func copyFile(archive *tar.Writer, header *tar.Header, source string) error {
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, file)
	return err
}

func unixMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	return bits
}
