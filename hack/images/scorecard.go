package main

import (
	"context"
	"flag"
	"io/fs"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	scorecardModule  = "scorecard"
	scorecardProgram = "/usr/local/bin/redis-scorecard"
	scorecardTitle   = "Scorecard tests of the open operator for Redis Enterprise"
)

// scorecardCommand builds the image of our scorecard tests: one static binary, like the operator's.
func scorecardCommand(flags *flag.FlagSet) func(context.Context) error {
	version := flags.String("version", "dev", "version of the release that it tests; the tag is v and this")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	repository := flags.String("repository", registry+"/operator-scorecard", "image name without a tag")
	return func(ctx context.Context) error {
		program := binary(*bin, *arch, "redis-scorecard")
		if err := compile(ctx, build{pkg: ".", module: scorecardModule, arch: *arch, output: program}); err != nil {
			return err
		}
		return scorecardImage(*repository+":v"+*version, *arch, *version, program, "LICENSE").
			write(filepath.Join(*bin, "images", "scorecard.tar"))
	}
}

// scorecardImage has no operating system. The runner names the program, so it lies where the configuration says.
func scorecardImage(reference, arch, version, binary, licenseFile string) image {
	all := certified(labels(scorecardTitle, version), version)
	all["name"], all["summary"] = "open-redis-enterprise-operator-scorecard", scorecardTitle
	all["description"] = "Judges a bundle of the operator, and drives the operator through its whole life under OLM."
	return image{
		reference: reference,
		arch:      arch,
		config:    v1.Config{User: imageUser, WorkingDir: "/", Entrypoint: []string{scorecardProgram}, Labels: all},
		layer: layer{
			program(scorecardProgram, binary),
			folder("/tmp", fs.ModeSticky|0o777),
			text("/etc/passwd", "nonroot:x:1001:1001::/:/sbin/nologin\n"),
			text("/etc/group", "nonroot:x:1001:\n"),
			{path: "/licenses/LICENSE", mode: 0o644, source: licenseFile},
		},
	}
}
