package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// redisPackage holds the programs; the package that is named after the
	// server only adds a link and a service.
	redisPackage = "redis-tools"
	redisServer  = "usr/bin/redis-server"
	redisCheck   = "usr/bin/redis-check-rdb"
	redisClient  = "usr/bin/redis-cli"
)

// debianFlags registers the flags that say where Debian packages come from.
func debianFlags(flags *flag.FlagSet) func(bin, arch string) (debian, error) {
	suite := flags.String("suite", "trixie", "Debian release to take packages from")
	mirror := flags.String("mirror", "", "Debian mirror (default: the one this machine uses)")
	keyring := flags.String("keyring", "/usr/share/keyrings/debian-archive-keyring.gpg", "keys that may sign the release")
	return func(bin, arch string) (debian, error) {
		folder, err := filepath.Abs(filepath.Join(bin, "debian", *suite+"-"+arch))
		return debian{suite: *suite, arch: arch, folder: folder, mirror: *mirror, keyring: *keyring}, err
	}
}

// redisFiles unpacks redis from Debian and returns its files for an image.
func redisFiles(ctx context.Context, d debian) (layer, error) {
	if err := unpackRedis(ctx, d); err != nil {
		return nil, err
	}
	return debianFiles(d, redisClient, redisServer)
}

// unpackRedis unpacks the package and adds the server. Debian ships the server
// and its check tools as one file; the name it is called by decides.
func unpackRedis(ctx context.Context, d debian) error {
	if err := d.unpack(ctx, redisPackage); err != nil {
		return err
	}
	err := os.Symlink(filepath.Base(redisCheck), filepath.Join(d.root(), redisServer))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
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
		if err := unpackRedis(ctx, d); err != nil {
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
	if err := os.MkdirAll(output, 0o750); err != nil {
		return err
	}
	libc, err := locate(d.root(), "libc.so.6")
	if err != nil {
		return err
	}
	libraries := filepath.Join(d.root(), filepath.Dir(libc))
	for _, program := range []string{redisServer, redisClient} {
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' --library-path '%s' '%s' \"$@\"\n",
			loader, libraries, filepath.Join(d.root(), program))
		path := filepath.Join(output, filepath.Base(program))
		if err := os.WriteFile(path, []byte(script), 0o755); err != nil { //nolint:gosec // it is a program to run
			return err
		}
	}
	server := filepath.Join(output, filepath.Base(redisServer))
	version, err := tool(ctx, server, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s does not run here: %w\n%s", server, err, version)
	}
	fmt.Printf("%s  %s\n", server, strings.TrimSpace(string(version)))
	return nil
}

func loaderOf(root string) (string, error) {
	libraries, err := closure(root, redisServer)
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
