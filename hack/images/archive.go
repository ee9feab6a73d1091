package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// image is what an archive will hold.
type image struct {
	reference string
	arch      string
	config    v1.Config
	layer     layer
}

// write puts the image into a file, unless the file already holds it.
func (i image) write(output string) error {
	content, err := i.layer.tar()
	if err != nil {
		return err
	}
	fingerprint, err := i.fingerprint(content)
	if err != nil {
		return err
	}
	if digest, ok := upToDate(output, fingerprint); ok {
		fmt.Printf("%s  %s  %s (unchanged)\n", output, i.reference, digest)
		return nil
	}
	tag, err := name.NewTag(i.reference, name.StrictValidation)
	if err != nil {
		return err
	}
	built, err := i.build(content)
	if err != nil {
		return err
	}
	digest, err := built.Digest()
	if err != nil {
		return err
	}
	if err := writeArchive(output, tag, built); err != nil {
		return err
	}
	fmt.Printf("%s  %s  %s\n", output, i.reference, digest)
	return os.WriteFile(stampOf(output), []byte(fingerprint+" "+digest.String()+"\n"), 0o600)
}

func (i image) build(content []byte) (v1.Image, error) {
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	built, err := tarball.LayerFromOpener(opener, tarball.WithCompressionLevel(gzip.BestSpeed), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	withLayer, err := mutate.Append(empty.Image, mutate.Addendum{
		Layer:   built,
		History: v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "hack/images"},
	})
	if err != nil {
		return nil, err
	}
	file, err := withLayer.ConfigFile()
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(withLayer, i.configure(file.DeepCopy()))
}

func (i image) configure(file *v1.ConfigFile) *v1.ConfigFile {
	file.OS, file.Architecture = "linux", i.arch
	file.Created = v1.Time{Time: epoch}
	file.Config = i.config
	return file
}

// fingerprint identifies an image by what goes in; it is much cheaper than the
// digest of what comes out, because nothing has to be compressed.
func (i image) fingerprint(content []byte) (string, error) {
	config, err := json.Marshal(i.config)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, part := range [][]byte{[]byte(i.reference + " " + i.arch), config, content} {
		sum.Write(part) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func stampOf(output string) string { return output + ".stamp" }

// upToDate returns the digest noted beside an archive with this fingerprint.
func upToDate(output, fingerprint string) (string, bool) {
	if _, err := os.Stat(output); err != nil {
		return "", false
	}
	stamp, err := os.ReadFile(stampOf(output))
	if err != nil {
		return "", false
	}
	noted, digest, ok := strings.Cut(strings.TrimSpace(string(stamp)), " ")
	return digest, ok && noted == fingerprint
}

// writeArchive writes beside the file first, so that nobody reads half of one.
func writeArchive(output string, tag name.Tag, built v1.Image) error {
	if err := os.MkdirAll(filepath.Dir(output), 0o750); err != nil {
		return err
	}
	if err := os.Remove(stampOf(output)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	partial := output + ".partial"
	if err := tarball.WriteToFile(partial, tag, built); err != nil {
		return err
	}
	return os.Rename(partial, output)
}
