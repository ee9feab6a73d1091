package main

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// libraryFolders are where a Debian root keeps shared libraries. Since Debian
// 12 everything is below /usr and the old folders are links to it.
var libraryFolders = []string{"usr/lib/*-linux-gnu*", "usr/lib", "usr/lib64"}

// closure returns the shared libraries, and the loader, that programs below
// root need: paths relative to root, sorted.
func closure(root string, programs ...string) ([]string, error) {
	found := map[string]bool{}
	pending := append([]string(nil), programs...)
	for len(pending) > 0 {
		file := pending[0]
		pending = pending[1:]
		names, err := neededBy(filepath.Join(root, file))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, name := range names {
			library, err := locate(root, name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if !found[library] {
				found[library] = true
				pending = append(pending, library)
			}
		}
	}
	all := make([]string, 0, len(found))
	for library := range found {
		all = append(all, library)
	}
	sort.Strings(all)
	return all, nil
}

// neededBy lists the libraries an ELF file names, and its loader.
func neededBy(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	needed, err := file.ImportedLibraries()
	if err != nil {
		return nil, err
	}
	loader := file.Section(".interp")
	if loader == nil {
		return needed, nil
	}
	data, err := loader.Data()
	if err != nil {
		return nil, err
	}
	return append(needed, strings.TrimRight(string(data), "\x00")), nil
}

// locate finds a library by its name, and the loader by the full path that
// programs have built in; there it must be, or nothing starts.
func locate(root, name string) (string, error) {
	if filepath.IsAbs(name) {
		return "usr" + strings.TrimPrefix(name, "/usr"), nil
	}
	for _, pattern := range libraryFolders {
		matches, err := filepath.Glob(filepath.Join(root, pattern, name))
		if err != nil {
			return "", err
		}
		if len(matches) > 0 {
			return filepath.Rel(root, matches[0])
		}
	}
	return "", fmt.Errorf("no library %s in any unpacked package", name)
}

// copied returns the entry for a file below root at the same place in an image.
// Links to files become the files: an image of a few libraries needs no aliases.
func copied(root, path string) (entry, error) {
	source, err := resolve(root, path)
	if err != nil {
		return entry{}, err
	}
	info, err := os.Stat(source)
	if err != nil {
		return entry{}, err
	}
	return entry{path: "/" + path, mode: info.Mode().Perm(), source: source}, nil
}

// resolve follows links as if root were the root folder.
func resolve(root, path string) (string, error) {
	const tooMany = 16
	full := filepath.Join(root, path)
	for range tooMany {
		info, err := os.Lstat(full)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return full, nil
		}
		target, err := os.Readlink(full)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			full = filepath.Join(root, target)
		} else {
			full = filepath.Join(filepath.Dir(full), target)
		}
	}
	return "", fmt.Errorf("%s: too many links", path)
}

// debianFiles are programs of an unpacked Debian release for an image, with the
// libraries they need, the folders that Debian has for older paths, and the licences.
func debianFiles(d debian, programs ...string) (layer, error) {
	libraries, err := closure(d.root(), programs...)
	if err != nil {
		return nil, err
	}
	var files layer
	for _, path := range append(libraries, programs...) {
		file, err := copied(d.root(), path)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	for _, old := range []string{"bin", "lib", "lib64"} {
		files = append(files, symlink("/"+old, "usr/"+old))
	}
	licenses, err := copyrights(d.root())
	return append(files, licenses...), err
}

// copyrights are the licences of everything that was unpacked.
func copyrights(root string) (layer, error) {
	paths, err := filepath.Glob(filepath.Join(root, "usr/share/doc/*/copyright"))
	if err != nil {
		return nil, err
	}
	var files layer
	for _, full := range paths {
		path, err := filepath.Rel(root, full)
		if err != nil {
			return nil, err
		}
		file, err := copied(root, path)
		if err != nil {
			continue // shared between packages by a link to one that was not needed
		}
		files = append(files, file)
	}
	return files, nil
}
