package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// debian unpacks packages of one Debian release, whatever release (if any) runs
// on this machine. It asks the mirror that the machine itself uses, with the
// machine's own apt, but with package lists and a cache of its own; apt checks
// the signatures as always.
type debian struct {
	suite   string
	arch    string
	folder  string // absolute
	mirror  string // empty: the machine's own
	keyring string
}

// errNoMirror says what to do where the machine has no Debian mirror of its own.
var errNoMirror = errors.New("this machine's apt knows no Debian mirror; name one with --mirror")

// named is the same release unpacked into a folder of its own, for other packages.
func (d debian) named(name string) debian {
	d.folder += "-" + name
	return d
}

func (d debian) root() string { return filepath.Join(d.folder, "root") }

// unpack downloads packages and everything they depend on, and unpacks all of
// it below root. What was unpacked before is used again without asking anyone.
func (d debian) unpack(ctx context.Context, pkgs ...string) error {
	done := filepath.Join(d.folder, "unpacked")
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if err := d.apt(ctx, "update"); err != nil {
		return fmt.Errorf("package lists of %s: %w", d.suite, err)
	}
	install := append([]string{"install", "--yes", "--no-install-recommends", "--download-only"}, pkgs...)
	if err := d.apt(ctx, install...); err != nil {
		return fmt.Errorf("downloading %s: %w", strings.Join(pkgs, " "), err)
	}
	packages, err := filepath.Glob(filepath.Join(d.folder, "cache", "archives", "*.deb"))
	if err != nil {
		return err
	}
	sort.Strings(packages)
	for _, file := range packages {
		if err := quiet(tool(ctx, "dpkg-deb", "--extract", file, d.root())); err != nil {
			return err
		}
	}
	names := make([]string, len(packages))
	for i, file := range packages {
		names[i] = filepath.Base(file)
	}
	return os.WriteFile(done, []byte(strings.Join(names, "\n")+"\n"), 0o600)
}

// prepare makes an empty apt of our own: no installed packages, one source.
func (d debian) prepare(ctx context.Context) error {
	if err := os.RemoveAll(d.folder); err != nil {
		return err
	}
	for _, name := range []string{"root", "state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(d.folder, name), 0o750); err != nil {
			return err
		}
	}
	mirror, err := d.findMirror(ctx)
	if err != nil {
		return err
	}
	if _, err := os.Stat(d.keyring); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing; install the package debian-archive-keyring", d.keyring)
	}
	source := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n", mirror, d.suite, d.keyring)
	if err := os.WriteFile(filepath.Join(d.folder, "status"), nil, 0o600); err != nil {
		return err
	}
	// Some packages come with Go sources as examples; as a module of its own the folder is not part of ours.
	if err := os.WriteFile(filepath.Join(d.folder, "go.mod"), []byte("module debian\n"), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.folder, "debian.sources"), []byte(source), 0o600)
}

// findMirror reads the machine's apt configuration, as apt understands it.
func (d debian) findMirror(ctx context.Context) (string, error) {
	if d.mirror != "" {
		return d.mirror, nil
	}
	if mirror, err := machineMirror(ctx); mirror != "" || err != nil {
		return mirror, err
	}
	// Without package lists apt does not know whose archive a source is.
	if err := quiet(tool(ctx, "apt-get", "update")); err != nil {
		return "", err
	}
	mirror, err := machineMirror(ctx)
	if mirror == "" && err == nil {
		err = errNoMirror
	}
	return mirror, err
}

func machineMirror(ctx context.Context) (string, error) {
	targets, err := tool(ctx, "apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(REPO_URI)", "Created-By: Packages").Output()
	if err != nil {
		return "", fmt.Errorf("asking apt for its sources: %w", err)
	}
	return mirrorIn(string(targets)), nil
}

// mirrorIn picks the main Debian archive among "origin label address" lines;
// the security archive has the same origin but another label.
func mirrorIn(targets string) string {
	for line := range strings.Lines(targets) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "Debian" && fields[1] == "Debian" {
			return fields[2]
		}
	}
	return ""
}

func (d debian) apt(ctx context.Context, args ...string) error {
	options := []string{
		"Dir::Etc::sourcelist=" + filepath.Join(d.folder, "debian.sources"),
		"Dir::Etc::sourceparts=/dev/null",
		"Dir::State=" + filepath.Join(d.folder, "state"),
		"Dir::State::status=" + filepath.Join(d.folder, "status"),
		"Dir::Cache=" + filepath.Join(d.folder, "cache"),
		"APT::Architecture=" + d.arch,
		"APT::Architectures=" + d.arch,
		"APT::Sandbox::User=root", // the usual user may not enter our folders
		"Acquire::Languages=none",
	}
	var full []string
	for _, option := range options {
		full = append(full, "--option", option)
	}
	return quiet(tool(ctx, "apt-get", append(full, args...)...))
}

// tool is a command of this machine. What we hand to it comes from our flags.
func tool(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, name, args...) //nolint:gosec // running the user's own tools is what this program is for
}

// quiet runs a command and shows its output only when it fails.
func quiet(command *exec.Cmd) error {
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(command.Path), err, output.String())
	}
	return nil
}
