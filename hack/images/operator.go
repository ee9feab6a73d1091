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
	registry    = "quay.io/open-redis-enterprise"
	sourceURL   = "https://github.com/open-redis-enterprise/operator"
	imageUser   = "1001"
	defaultBin  = "bin"
	license     = "Apache-2.0"
	labelPrefix = "org.opencontainers.image."
)

// operatorCommand builds an image of nothing but the operator's static binary.
func operatorCommand(flags *flag.FlagSet) func(context.Context) error {
	version := flags.String("version", "dev", "version, also the image's tag")
	pkg := flags.String("package", ".", "Go package of the operator")
	ldflags := flags.String("ldflags", "", "further linker flags")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	repository := flags.String("repository", registry+"/operator", "image name without a tag")
	return func(ctx context.Context) error {
		manager := binary(*bin, *arch, "manager")
		if err := compile(ctx, build{pkg: *pkg, arch: *arch, ldflags: *ldflags, output: manager}); err != nil {
			return err
		}
		return operatorImage(*repository+":"+*version, *arch, *version, manager).
			write(filepath.Join(*bin, "images", "operator.tar"))
	}
}

func operatorImage(reference, arch, version, manager string) image {
	return image{
		reference: reference,
		arch:      arch,
		config: v1.Config{
			User:       imageUser,
			WorkingDir: "/",
			Entrypoint: []string{"/manager"},
			Labels:     labels("Open operator for Redis Enterprise", version),
		},
		layer: layer{
			program("/manager", manager),
			folder("/tmp", fs.ModeSticky|0o777),
			text("/etc/passwd", "nonroot:x:1001:1001::/:/sbin/nologin\n"),
			text("/etc/group", "nonroot:x:1001:\n"),
		},
	}
}

func labels(title, version string) map[string]string {
	return map[string]string{
		labelPrefix + "title":    title,
		labelPrefix + "version":  version,
		labelPrefix + "source":   sourceURL,
		labelPrefix + "licenses": license,
	}
}
