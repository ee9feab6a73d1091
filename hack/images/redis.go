package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// redisPackage holds both redis-server and redis-cli; the package that is
	// named after the server only adds a service to it.
	redisPackage = "redis-tools"
	redisServer  = "usr/bin/redis-server"
	redisCheck   = "usr/bin/redis-check-rdb"
	redisClient  = "usr/bin/redis-cli"
)

// debianFlags registers the flags that say where Debian packages come from.
func debianFlags(flags *flag.FlagSet) func(bin, arch string) (debian, error) {
	suite := flags.String("suite", "trixie", "Debian release to take redis-server from")
	mirror := flags.String("mirror", "", "Debian mirror (default: the one this machine uses)")
	keyring := flags.String("keyring", "/usr/share/keyrings/debian-archive-keyring.gpg", "keys that may sign the release")
	return func(bin, arch string) (debian, error) {
		folder, err := filepath.Abs(filepath.Join(bin, "debian", *suite+"-"+arch))
		return debian{suite: *suite, arch: arch, folder: folder, mirror: *mirror, keyring: *keyring}, err
	}
}

// redisFiles unpacks redis from Debian and returns its files for an image.
func redisFiles(ctx context.Context, d debian) (layer, error) {
	if err := d.unpack(ctx, redisPackage); err != nil {
		return nil, err
	}
	// The server is the same file as its check tool: the name decides.
	libraries, err := closure(d.root(), redisCheck, redisClient)
	if err != nil {
		return nil, err
	}
	var files layer
	for _, path := range append(libraries, redisClient, redisCheck) {
		file, err := copied(d.root(), path)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	files = append(files, symlink("/"+redisServer, filepath.Base(redisCheck)))
	for _, old := range []string{"bin", "lib", "lib64", "sbin"} {
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

// redisCommand makes redis-server runnable on this machine although it comes
// from another release: it is started through the loader it was built for.
func redisCommand(flags *flag.FlagSet) func(context.Context) error {
	bin := flags.String("bin", defaultBin, "folder for the results; the programs come into its folder redis")
	source := debianFlags(flags)
	return func(ctx context.Context) error {
		if runtime.GOOS != "linux" {
			return errors.New("redis-server from Debian runs on Linux only")
		}
		d, err := source(*bin, runtime.GOARCH)
		if err != nil {
			return err
		}
		if err := d.unpack(ctx, redisPackage); err != nil {
			return err
		}
		return redisWrappers(ctx, d, filepath.Join(*bin, "redis"))
	}
}

func redisWrappers(ctx context.Context, d debian, output string) error {
	loader, err := loaderOf(d.root())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(output, 0o755); err != nil {
		return err
	}
	libraries := filepath.Dir(loader)
	for _, program := range []string{redisServer, redisClient} {
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' --library-path '%s' '%s' \"$@\"\n",
			loader, libraries, filepath.Join(d.root(), program))
		if err := os.WriteFile(filepath.Join(output, filepath.Base(program)), []byte(script), 0o755); err != nil {
			return err
		}
	}
	server := filepath.Join(output, filepath.Base(redisServer))
	version, err := exec.CommandContext(ctx, server, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s does not run here: %w\n%s", server, err, version)
	}
	fmt.Printf("%s  %s\n", server, strings.TrimSpace(string(version)))
	return nil
}

func loaderOf(root string) (string, error) {
	libraries, err := closure(root, redisCheck)
	if err != nil {
		return "", err
	}
	for _, library := range libraries {
		if strings.HasPrefix(filepath.Base(library), "ld-linux") {
			return resolve(root, library)
		}
	}
	return "", errors.New("redis-server names no loader")
}
