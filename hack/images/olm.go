package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What OLM's images are built from; the modules hold the versions of everything else.
const (
	olmVersion = "v0.46.0"
	opmVersion = "v1.74.0"
	sdkVersion = "v1.42.3"

	olmModule = "hack/parts/olm"
	opmModule = "hack/tools/opm"
	sdkModule = "hack/tools/operator-sdk"

	operatorFramework = "github.com/operator-framework/"
	olmPath           = operatorFramework + "operator-lifecycle-manager"
	healthProbePath   = "github.com/grpc-ecosystem/grpc-health-probe"
	olmTags           = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper,json1"

	busyboxProgram = "usr/bin/busybox"
)

// olmImages builds the images of one real OLM.
type olmImages struct {
	bin, arch string
	debian    debian
}

// olmCommand builds the images that a real OLM and the command line tools around it start in a cluster.
func olmCommand(flags *flag.FlagSet) func(context.Context) error {
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	source := debianFlags(flags)
	return func(ctx context.Context) error {
		d, err := source(*bin, *arch)
		if err != nil {
			return err
		}
		o := olmImages{bin: *bin, arch: *arch, debian: d.named("busybox")}
		return inTurn(ctx, nil, []piece{
			{"busybox", o.busybox},
			{"opm", o.opm},
			{"olm", o.olm},
			{"scorecard-test", o.scorecard},
		})
	}
}

// olm holds both operators of OLM, and the small programs that its unpacking jobs copy into other images.
func (o olmImages) olm(ctx context.Context) error {
	files, err := o.shell(ctx)
	if err != nil {
		return err
	}
	for _, pkg := range []string{"cmd/olm", "cmd/catalog", "cmd/package-server", "cmd/copy-content", "util/cpb"} {
		file, err := o.program(ctx, olmModule, olmPath+"/"+pkg, filepath.Base(pkg), "-X "+olmPath+"/pkg/version.OLMVersion="+olmVersion)
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	return o.write("operator-framework/olm", olmVersion, v1.Config{Entrypoint: []string{"/bin/olm"}}, files)
}

// opm serves catalogs; the probe is what OLM asks whether it does.
func (o olmImages) opm(ctx context.Context) error {
	files, err := o.shell(ctx)
	if err != nil {
		return err
	}
	opm, err := o.program(ctx, opmModule, operatorFramework+"operator-registry/cmd/opm", "opm", "")
	if err != nil {
		return err
	}
	probe, err := o.program(ctx, olmModule, healthProbePath, "grpc_health_probe", "")
	if err != nil {
		return err
	}
	config := v1.Config{Entrypoint: []string{"/bin/opm"}}
	return o.write("operator-framework/opm", opmVersion, config, append(files, opm, probe))
}

// busybox unpacks what the command line tools send into a cluster. It has no entry point of its own.
func (o olmImages) busybox(ctx context.Context) error {
	files, err := o.shell(ctx)
	if err != nil {
		return err
	}
	return o.write("library/busybox", "local", v1.Config{}, files)
}

// scorecard holds the suites that come with operator-sdk.
func (o olmImages) scorecard(ctx context.Context) error {
	file, err := o.program(ctx, sdkModule, operatorFramework+"operator-sdk/images/scorecard-test", "scorecard-test", "")
	if err != nil {
		return err
	}
	config := v1.Config{Entrypoint: []string{"/bin/scorecard-test"}}
	return o.write("operator-framework/scorecard-test", sdkVersion, config, layer{file, folder("/tmp", os.ModeSticky|0o777)})
}

func (o olmImages) program(ctx context.Context, module, pkg, name, ldflags string) (entry, error) {
	output := binary(o.bin, o.arch, name)
	err := compile(ctx, build{pkg: pkg, module: module, arch: o.arch, tags: olmTags, ldflags: ldflags, output: output})
	return program("/bin/"+name, output), err
}

// shell is Debian's static busybox under the names that OLM and operator-sdk call.
func (o olmImages) shell(ctx context.Context) (layer, error) {
	if err := o.debian.unpack(ctx, "busybox-static"); err != nil {
		return nil, err
	}
	busybox, err := copied(o.debian.root(), busyboxProgram)
	if err != nil {
		return nil, err
	}
	busybox.path, busybox.mode = "/bin/busybox", 0o755
	files, err := copyrights(o.debian.root())
	if err != nil {
		return nil, err
	}
	files = append(files, busybox, folder("/tmp", os.ModeSticky|0o777),
		text("/etc/passwd", "nonroot:x:1001:1001::/:/sbin/nologin\n"), text("/etc/group", "nonroot:x:1001:\n"))
	for _, name := range []string{"sh", "cp", "cat", "tar", "gzip", "mkdir", "ls"} {
		files = append(files, symlink("/bin/"+name, "busybox"))
	}
	return slices.Clip(files), nil
}

// write makes the archive bin/images/olm/<name>.tar of an image that the manifests of OLM name at quay.io.
func (o olmImages) write(repository, version string, config v1.Config, files layer) error {
	name := filepath.Base(repository)
	config.WorkingDir, config.User = "/", imageUser
	config.Env = []string{"PATH=/bin"}
	config.Labels = labels(name, version)
	if name == "opm" {
		config.Labels["operators.operatorframework.io.index.configs.v1"] = "/configs"
		files = append(files, folder("/configs", 0o755))
	}
	i := image{reference: "quay.io/" + repository + ":" + version, arch: o.arch, config: config, layer: files}
	return i.write(filepath.Join(o.bin, "images", "olm", name+".tar"))
}
