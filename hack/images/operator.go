package main

import (
	"context"
	"flag"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

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
	source := flags.String("source", "", "folder of another release's sources; empty: these")
	archive := flags.String("archive", "operator", "name of the archive")
	ldflags := flags.String("ldflags", "", "further linker flags")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	repository := flags.String("repository", registry+"/operator", "image name without a tag")
	return func(ctx context.Context) error {
		manager := binary(*bin, *arch, strings.Replace(*archive, "operator", "manager", 1))
		if err := compile(ctx, build{pkg: *pkg, module: *source, arch: *arch, ldflags: *ldflags, output: manager}); err != nil {
			return err
		}
		return operatorImage(*repository+":"+*version, *arch, *version, manager, "LICENSE").
			write(filepath.Join(*bin, "images", *archive+".tar"))
	}
}

// operatorImage has no operating system: the binary, a user, the license where certification looks for it.
func operatorImage(reference, arch, version, manager, licenseFile string) image {
	return image{
		reference: reference,
		arch:      arch,
		config: v1.Config{
			User:       imageUser,
			WorkingDir: "/",
			Entrypoint: []string{"/manager"},
			Labels:     certified(labels(operatorTitle, version), version),
		},
		layer: layer{
			program("/manager", manager),
			folder("/tmp", fs.ModeSticky|0o777),
			text("/etc/passwd", "nonroot:x:1001:1001::/:/sbin/nologin\n"),
			text("/etc/group", "nonroot:x:1001:\n"),
			{path: "/licenses/LICENSE", mode: 0o644, source: licenseFile},
		},
	}
}

const operatorTitle = "Open operator for Redis Enterprise"

// certified adds the labels that container certification asks for.
func certified(labels map[string]string, version string) map[string]string {
	for key, value := range map[string]string{
		"name": "open-redis-enterprise-operator", "vendor": "Open Redis Enterprise", "version": version, "release": "1",
		"maintainer": "maintainers@open-redis-enterprise.io", "summary": operatorTitle,
		"description": "Runs Redis Enterprise clusters and their databases on Kubernetes and OpenShift.",
	} {
		labels[key] = value
	}
	return labels
}

func labels(title, version string) map[string]string {
	return map[string]string{
		labelPrefix + "title":    title,
		labelPrefix + "version":  version,
		labelPrefix + "source":   sourceURL,
		labelPrefix + "licenses": license,
	}
}
