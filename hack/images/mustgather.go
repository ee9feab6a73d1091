package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const mustGatherTitle = "Must-gather of the open operator for Redis Enterprise"

// mustGatherTools are what oc adm must-gather runs beside the collection: it starts bash, watches how full the volume is, and
// fetches the results with tar.
var mustGatherTools = []string{"sh", "tar", "gzip", "sleep", "sync", "df", "du", "awk", "sed", "grep", "head", "tail", "tr", "cat", "ls", "cp", "mkdir", "find", "date", "kill", "ps", "pkill"}

// mustGatherCommand builds the image that oc adm must-gather is given.
func mustGatherCommand(flags *flag.FlagSet) func(context.Context) error {
	version := flags.String("version", "dev", "version, also the image's tag")
	pkg := flags.String("package", "./cmd/must-gather", "Go package of the collector")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	repository := flags.String("repository", registry+"/must-gather", "image name without a tag")
	source := debianFlags(flags)
	return func(ctx context.Context) error {
		d, err := source(*bin, *arch)
		if err != nil {
			return err
		}
		d = d.named("must-gather")
		if err := d.unpack(ctx, "bash-static", "busybox-static"); err != nil {
			return err
		}
		gather := binary(*bin, *arch, "gather")
		if err := compile(ctx, build{pkg: *pkg, arch: *arch, ldflags: "-X main.version=" + *version, output: gather}); err != nil {
			return err
		}
		shells := map[string]string{}
		for _, program := range []string{"usr/bin/bash-static", busyboxProgram} {
			found, err := resolve(d.root(), program)
			if err != nil {
				return err
			}
			shells[program] = found
		}
		notices, err := copyrights(d.root())
		if err != nil {
			return err
		}
		files := append(mustGatherFiles(gather, shells["usr/bin/bash-static"], shells[busyboxProgram], "LICENSE"), notices...)
		return mustGatherImage(*repository+":"+*version, *arch, *version, files).write(filepath.Join(*bin, "images", "must-gather.tar"))
	}
}

// mustGatherFiles are the collector, a shell, and what oc expects beside them.
func mustGatherFiles(gather, bash, busybox, licenseFile string) layer {
	files := layer{
		program("/usr/bin/gather", gather),
		program("/bin/bash", bash),
		program("/bin/busybox", busybox),
		{path: "/licenses/LICENSE", mode: 0o644, source: licenseFile},
		folder("/tmp", os.ModeSticky|0o777),
		folder("/must-gather", 0o777),
		text("/etc/passwd", "nonroot:x:1001:1001::/:/sbin/nologin\n"),
		text("/etc/group", "nonroot:x:1001:\n"),
	}
	for _, name := range mustGatherTools {
		files = append(files, symlink("/bin/"+name, "busybox"))
	}
	return files
}

func mustGatherImage(reference, arch, version string, files layer) image {
	named := certified(labels(mustGatherTitle, version), version)
	named["name"], named["summary"] = "open-redis-enterprise-must-gather", mustGatherTitle
	named["description"] = "Collects what is needed to look into clusters of the operator, without the value of any Secret."
	return image{reference: reference, arch: arch, layer: files, config: v1.Config{
		User: imageUser, WorkingDir: "/", Env: []string{"PATH=/usr/bin:/bin"}, Entrypoint: []string{"/usr/bin/gather"}, Labels: named,
	}}
}
