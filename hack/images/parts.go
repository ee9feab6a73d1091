package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// What the parts are built from. The modules of their own below hack/parts hold
// the versions of everything else.
const (
	haproxyIngressVersion     = "0.14.7"
	prometheusOperatorVersion = "0.93.1"

	haproxyIngressModule     = "hack/parts/haproxyingress"
	haproxyIngressPath       = "github.com/jcmoraisjr/haproxy-ingress"
	prometheusOperatorModule = "hack/parts/prometheusoperator"
	prometheusOperatorPath   = "github.com/prometheus-operator/prometheus-operator"

	partsTag = "e2e"
)

// parts are what the end-to-end suite puts beside the operator.
type parts struct {
	bin, arch string
	debian    func(name string) debian
}

// partsCommand builds the images of the real proxies and the real Prometheus. The
// demo does not need them.
func partsCommand(flags *flag.FlagSet) func(context.Context) error {
	var only list
	flags.Var(&only, "only", "build only this part; may be repeated")
	arch := flags.String("arch", runtime.GOARCH, "architecture")
	bin := flags.String("bin", defaultBin, "folder for the results")
	source := debianFlags(flags)
	return func(ctx context.Context) error {
		d, err := source(*bin, *arch)
		if err != nil {
			return err
		}
		p := parts{bin: *bin, arch: *arch, debian: d.named}
		return inTurn(ctx, only, []piece{
			{"router", p.router},
			{"haproxy-ingress", p.haproxyIngress},
			{"prometheus", p.prometheus},
			{"prometheus-operator", p.prometheusOperator},
			{"prometheus-config-reloader", p.configReloader},
		})
	}
}

// piece is one thing to build.
type piece struct {
	name  string
	build func(context.Context) error
}

// inTurn builds one image after the other, or only those that are named, and tells how long each took.
func inTurn(ctx context.Context, only []string, pieces []piece) error {
	for _, p := range pieces {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(os.Stderr, "%s ...\n", p.name)
		if err := p.build(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %.0f s\n", p.name, time.Since(began).Seconds())
	}
	return nil
}

// write makes the archive bin/images/parts/<name>.tar.
func (p parts) write(name, title, version string, config v1.Config, files layer) error {
	config.WorkingDir = "/"
	config.Labels = labels(title, version)
	i := image{reference: "localhost/" + name + ":" + partsTag, arch: p.arch, config: config, layer: files}
	return i.write(filepath.Join(p.bin, "images", "parts", name+".tar"))
}

// router is our own program and the haproxy it drives.
func (p parts) router(ctx context.Context) error {
	files, err := p.haproxy(ctx)
	if err != nil {
		return err
	}
	router := binary(p.bin, p.arch, "router")
	if err := compile(ctx, build{pkg: "./test/router", arch: p.arch, output: router}); err != nil {
		return err
	}
	files = append(files, program("/usr/local/bin/router", router))
	config := v1.Config{User: imageUser, Env: []string{"PATH=/usr/local/bin:/usr/sbin:/usr/bin"}, Entrypoint: []string{"/usr/local/bin/router"}}
	return p.write("router", "Test router", "test", config, files)
}

const (
	haproxyProgram = "usr/sbin/haproxy"
	shell          = "usr/bin/dash"
	firstProcess   = "usr/bin/dumb-init"
)

// haproxy is Debian's, with what the reload script of the ingress controller needs.
func (p parts) haproxy(ctx context.Context) (layer, error) {
	d := p.debian("haproxy")
	if err := d.unpack(ctx, "haproxy", "dash", "coreutils", "dumb-init", "lua-json"); err != nil {
		return nil, err
	}
	return debianFiles(d, haproxyProgram, shell, "usr/bin/cat", firstProcess)
}

// haproxyIngress is the ingress controller with the files that its own image has.
func (p parts) haproxyIngress(ctx context.Context) error {
	files, err := p.haproxy(ctx)
	if err != nil {
		return err
	}
	controller := binary(p.bin, p.arch, "haproxy-ingress")
	err = compile(ctx, build{pkg: haproxyIngressPath + "/pkg", module: haproxyIngressModule, arch: p.arch, output: controller,
		ldflags: "-X " + haproxyIngressPath + "/pkg/version.RELEASE=v" + haproxyIngressVersion})
	if err != nil {
		return err
	}
	lua, err := luaModules(p.debian("haproxy").root())
	if err != nil {
		return err
	}
	own, err := moduleFiles(ctx, haproxyIngressModule, haproxyIngressPath, "rootfs", map[string]string{
		"etc/lua": "/etc/haproxy/lua", "etc/templates": "/etc/templates", "haproxy-reload.sh": "/haproxy-reload.sh"})
	if err != nil {
		return err
	}
	files = slices.Concat(files, lua, own, layer{
		symlink("/usr/bin/sh", "dash"),
		program("/haproxy-ingress-controller", controller),
		folder("/tmp", os.ModeSticky|0o777),
		text("/etc/passwd", "haproxy:x:1001:1001::/:/sbin/nologin\n"),
		text("/etc/group", "haproxy:x:1001:\n"),
	})
	for _, path := range []string{"/etc/haproxy", "/etc/haproxy/lua", "/var/lib/haproxy", "/var/run/haproxy"} {
		files = append(files, folder(path, 0o755).ownedBy(1001, 1001))
	}
	config := v1.Config{User: imageUser, Env: []string{"PATH=/usr/sbin:/usr/bin"},
		Entrypoint: []string{"/" + firstProcess, "--", "/haproxy-ingress-controller"}}
	return p.write("haproxy-ingress", "HAProxy Ingress controller", haproxyIngressVersion, config, files)
}

// luaModules are all that Debian's Lua finds without being told where.
func luaModules(root string) (layer, error) {
	var files layer
	for _, pattern := range []string{"usr/share/lua/5.4", "usr/lib/*-linux-gnu*/lua/5.4"} {
		folders, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, folder := range folders {
			found, err := tree(folder, strings.TrimPrefix(folder, root))
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		}
	}
	return files, nil
}

// prometheus is Debian's.
func (p parts) prometheus(ctx context.Context) error {
	d := p.debian("prometheus")
	if err := d.unpack(ctx, "prometheus"); err != nil {
		return err
	}
	files, err := debianFiles(d, "usr/bin/prometheus", "usr/bin/promtool")
	if err != nil {
		return err
	}
	files = append(files, folder("/prometheus", 0o777), folder("/tmp", os.ModeSticky|0o777),
		text("/etc/passwd", "prometheus:x:1001:1001::/:/sbin/nologin\n"), text("/etc/group", "prometheus:x:1001:\n"))
	config := v1.Config{User: imageUser, Env: []string{"PATH=/usr/bin"}, Entrypoint: []string{"/usr/bin/prometheus"}}
	return p.write("prometheus", "Prometheus", d.suite, config, files)
}

func (p parts) prometheusOperator(ctx context.Context) error {
	return p.ofPrometheusOperator(ctx, "prometheus-operator", "cmd/operator")
}

func (p parts) configReloader(ctx context.Context) error {
	return p.ofPrometheusOperator(ctx, "prometheus-config-reloader", "cmd/prometheus-config-reloader")
}

func (p parts) ofPrometheusOperator(ctx context.Context, name, pkg string) error {
	output := binary(p.bin, p.arch, name)
	err := compile(ctx, build{pkg: prometheusOperatorPath + "/" + pkg, module: prometheusOperatorModule, arch: p.arch, output: output,
		ldflags: "-X github.com/prometheus/common/version.Version=" + prometheusOperatorVersion})
	if err != nil {
		return err
	}
	config := v1.Config{User: imageUser, Entrypoint: []string{"/bin/" + name}}
	return p.write(name, name, prometheusOperatorVersion, config, layer{program("/bin/"+name, output)})
}
