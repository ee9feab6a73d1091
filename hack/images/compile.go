package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// build names a Go package and where its binary goes.
type build struct {
	pkg     string
	module  string // folder of the module whose go.mod counts; empty: this one
	arch    string
	tags    string
	ldflags string
	output  string
}

// compile builds a static binary for an image.
func compile(ctx context.Context, b build) error {
	output, err := filepath.Abs(b.output)
	if err != nil {
		return err
	}
	command := tool(ctx, "go", "build", "-trimpath", "-gcflags=all=-dwarf=false", "-buildvcs=false", "-tags", b.tags,
		"-ldflags", "-s -w "+b.ldflags, "-o", output, b.pkg)
	command.Dir = b.module
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+b.arch)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("building %s: %w", b.pkg, err)
	}
	return nil
}

// binary is where the binary of a package for an image is kept between builds.
func binary(folder, arch, name string) string {
	return filepath.Join(folder, "linux-"+arch, name)
}
