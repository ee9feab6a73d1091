package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return fmt.Sprint([]string(*l)) }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// emulatorCommand builds one image per version. They hold the same files; the
// version that a node reports comes from the environment, so that an upgrade
// can be tried without a second build.
func emulatorCommand(flags *flag.FlagSet) func(context.Context) error {
	var versions list
	flags.Var(&versions, "version", "software version to report, also the tag; may be repeated")
	pkg := flags.String("package", "./cmd/emulator", "Go package of the emulator")
	load := flags.String("load", "./cmd/redisload", "Go package of the load generator; left out when it does not exist")
	ldflags := flags.String("ldflags", "", "further linker flags")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	repository := flags.String("repository", registry+"/emulator", "image name without a tag")
	source := debianFlags(flags)
	return func(ctx context.Context) error {
		if len(versions) == 0 {
			return errors.New("which --version?")
		}
		d, err := source(*bin, *arch)
		if err != nil {
			return err
		}
		files, err := redisFiles(ctx, d)
		if err != nil {
			return err
		}
		programs, err := emulatorPrograms(ctx, *bin, build{pkg: *pkg, arch: *arch, ldflags: *ldflags}, *load)
		if err != nil {
			return err
		}
		files = slices.Concat(files, emulatorFiles(), programs)
		for _, version := range versions {
			archive := filepath.Join(*bin, "images", "emulator-"+version+".tar")
			if err := emulatorImage(*repository+":"+version, *arch, version, files).write(archive); err != nil {
				return err
			}
		}
		return nil
	}
}

// emulatorPrograms compiles what we add to redis.
func emulatorPrograms(ctx context.Context, bin string, emulator build, load string) (layer, error) {
	emulator.output = binary(bin, emulator.arch, "emulator")
	builds := []build{emulator}
	if sources, err := filepath.Glob(filepath.Join(load, "*.go")); err != nil {
		return nil, err
	} else if len(sources) > 0 {
		client := emulator
		client.pkg, client.output = load, binary(bin, emulator.arch, "redisload")
		builds = append(builds, client)
	}
	var files layer
	for _, b := range builds {
		if err := compile(ctx, b); err != nil {
			return nil, err
		}
		files = append(files, program("/usr/local/bin/"+filepath.Base(b.output), b.output))
	}
	return files, nil
}

// emulatorFiles are the folders a node writes to and the user it runs as. Any
// user of the root group may write, as on a platform that picks the user.
func emulatorFiles() layer {
	const user, group = 1001, 0
	files := layer{
		folder("/tmp", fs.ModeSticky|0o777),
		text("/etc/passwd", "root:x:0:0:root:/:/sbin/nologin\nredislabs:x:1001:0:redislabs:/opt/redislabs:/sbin/nologin\n"),
		text("/etc/group", "root:x:0:\nredislabs:x:1001:\n"),
		text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
	}
	for _, path := range []string{
		"/opt/redislabs", "/etc/opt/redislabs", "/var/opt/redislabs",
		"/var/opt/redislabs/persist", "/var/opt/redislabs/log", "/var/opt/redislabs/tmp",
	} {
		files = append(files, folder(path, 0o775).ownedBy(user, group))
	}
	return files
}

func emulatorImage(reference, arch, version string, files layer) image {
	return image{
		reference: reference,
		arch:      arch,
		config: v1.Config{
			User:       imageUser,
			WorkingDir: "/",
			Env: []string{
				"PATH=/usr/local/bin:/usr/bin",
				"EMULATOR_SOFTWARE_VERSION=" + version,
			},
			Entrypoint: []string{"/usr/local/bin/emulator"},
			Cmd:        []string{"--pod"},
			Labels:     labels("Emulated Redis Enterprise node", version),
		},
		layer: files,
	}
}
