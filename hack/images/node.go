package main

import (
	"context"
	"flag"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// nodeCommand builds the two images that the local cluster itself runs.
func nodeCommand(flags *flag.FlagSet) func(context.Context) error {
	coredns := flags.String("coredns", filepath.Join(defaultBin, "coredns"), "CoreDNS binary")
	pause := flags.String("pause", "./hack/localcluster/pause", "Go package of the pause program")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	return func(ctx context.Context) error {
		pauseBinary := binary(*bin, *arch, "pause")
		if err := compile(ctx, build{pkg: *pause, arch: *arch, output: pauseBinary}); err != nil {
			return err
		}
		output := filepath.Join(*bin, "images", "node")
		err := single("localhost/pause:local", *arch, "/pause", pauseBinary).write(filepath.Join(output, "pause.tar"))
		if err != nil {
			return err
		}
		return single("localhost/coredns:local", *arch, "/coredns", *coredns).write(filepath.Join(output, "coredns.tar"))
	}
}

// single is an image with one program in it.
func single(reference, arch, path, source string) image {
	return image{
		reference: reference,
		arch:      arch,
		config:    v1.Config{Entrypoint: []string{path}, WorkingDir: "/"},
		layer:     layer{program(path, source)},
	}
}
