//go:build e2eolm

package e2eolm

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"k8s.io/klog/v2"

	"github.com/open-redis-enterprise/operator/test/scenario"
)

var (
	from  = flag.String("from", "", "begin with this step on what an earlier run has left; the registry is filled in any case")
	tests = flag.String("tests", "", "of the scorecard, only the tests that this selector chooses, such as 'suite=olm'")
	until = flag.String("until", "", "stop after this step, and leave everything as it is")
)

const (
	namespace = "redis-enterprise"
	operator  = "redis-enterprise-operator"
	shardedDB = "orders" // sharded, replicated, AOF
	singleDB  = "cache"  // one shard in memory
)

// suite is the local cluster, the registry it pulls from, and the releases of the operator.
type suite struct {
	*scenario.Cluster
	root    string // the repository's folder
	home    string // of command line tools
	scratch string // for bundles
	images  *images
	node    scenario.Image
	// released is what is published, head is what the repository holds, next exists in this suite only.
	released, head, next release
}

// TestSuite runs the steps in their order; each needs those before it.
func TestSuite(t *testing.T) {
	s := connect(t)
	steps := []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"clean", clean},
		{"registry", fillRegistry},
		{"OLM", installOLM},
		{"catalog", serveCatalog},
		{"subscription", subscribe},
		{"databases", databases},
		{"upgrade", upgrade},
		{"gate", gate},
		{"uninstall", uninstall},
		{"run bundle", runBundle},
		{"run bundle-upgrade", runBundleUpgrade},
		{"cleanup", cleanup},
		{"scorecard", scorecard}, // its own suites want the cluster for themselves
	}
	begun := *from == ""
	for _, step := range steps {
		begun = begun || step.name == *from
		if !begun && step.name != "registry" {
			continue
		}
		began := time.Now()
		s.Sayf("\n== %s", step.name)
		passed := t.Run(step.name, func(t *testing.T) { step.run(t, s) })
		s.Sayf("   %s: %.0f s", step.name, time.Since(began).Seconds())
		if !passed {
			t.Fatalf("%s failed, and what follows needs it", step.name)
		}
		if step.name == *until {
			return
		}
	}
	if !begun {
		t.Fatalf("there is no step %q", *from)
	}
}

func connect(t *testing.T) *suite {
	t.Helper()
	klog.SetLogger(logr.Discard()) // a port-forward that ends with its pod is no news
	cluster, err := scenario.Connect(namespace, os.Stdout)
	must(t, err)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	must(t, err)
	s := &suite{Cluster: cluster, root: root, home: t.TempDir(), scratch: t.TempDir(),
		node: scenario.Image{Repository: setting("EMULATOR", "quay.io/open-redis-enterprise/emulator"), Tag: setting("NODE_TAG", "8.2.0-46.13")}}
	// Tools that read images ask for a policy, even where there is nothing to decide.
	policy := filepath.Join(s.home, ".config", "containers", "policy.json")
	must(t, os.MkdirAll(filepath.Dir(policy), 0o750))
	must(t, os.WriteFile(policy, []byte(`{"default": [{"type": "insecureAcceptAnything"}]}`), 0o600))
	s.images = serveImages(t, root)
	return s
}

// fillRegistry pushes every image that was built, and bundles that name the operators among them by their digests.
func fillRegistry(t *testing.T, s *suite) {
	archives, err := filepath.Glob(filepath.Join(s.root, "bin", "images", "*", "*.tar"))
	must(t, err)
	top, err := filepath.Glob(filepath.Join(s.root, "bin", "images", "*.tar"))
	must(t, err)
	digests := map[string]v1.Hash{}
	for _, archive := range append(top, archives...) {
		if kind := filepath.Base(filepath.Dir(archive)); kind == "images" || kind == "olm" {
			digests[filepath.Base(archive)] = s.images.load(t, archive)
			s.Sayf("    %s  %s", filepath.Base(archive), digests[filepath.Base(archive)])
		}
	}
	bundle := filepath.Join(s.root, "bundle")
	s.images.push(t, decompressor, decompressorTag, archived(t, filepath.Join(s.root, "bin", "images", "olm", "busybox.tar")))
	s.released = newRelease(t, filepath.Join(s.scratch, previous), filepath.Join(s.root, "catalog", "released", previous), digests["operator-"+previous+".tar"], nil)
	s.head = newRelease(t, filepath.Join(s.scratch, "head"), bundle, digests["operator-head.tar"], nil)
	s.head.pinScorecard(t, digests["scorecard.tar"])
	s.next = after(t, s.head, filepath.Join(s.scratch, "next"), bundle, digests["operator-head.tar"])
	for _, r := range []release{s.released, s.head, s.next} {
		s.Sayf("    bundle %s  %s", r.version, s.images.push(t, bundles, "v"+r.version, r.bundle(t)))
	}
	s.images.push(t, catalogs, "v"+s.head.version, s.catalog(t, s.released, s.head))
	s.images.push(t, catalogs, withNext, s.catalog(t, s.released, s.head, s.next))
}

// run runs a tool in the repository's folder and returns what it says on its standard output. The rest is progress.
func (s *suite) run(t *testing.T, command ...string) string {
	t.Helper()
	output, err := s.try(t, command...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, output)
	}
	return output
}

func (s *suite) try(t *testing.T, command ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(s.root, command[0]), command[1:]...)
	c.Dir = s.root
	c.Env = append(os.Environ(), "HOME="+s.home, "SSL_CERT_FILE="+s.images.trusted)
	var output bytes.Buffer
	c.Stdout, c.Stderr = &output, &indented{to: os.Stdout}
	err := c.Run()
	return output.String(), err
}

// indented writes lines below the step that they belong to.
type indented struct {
	to   io.Writer
	rest []byte
}

// Write holds back the last line until it is complete.
func (i *indented) Write(text []byte) (int, error) {
	i.rest = append(i.rest, text...)
	for {
		line, after, complete := bytes.Cut(i.rest, []byte("\n"))
		if !complete {
			return len(text), nil
		}
		if _, err := i.to.Write(append(append([]byte("    | "), line...), '\n')); err != nil {
			return 0, err
		}
		i.rest = bytes.Clone(after)
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func architecture() string { return runtime.GOARCH }

func bytesOf(content []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(content)) }

// must ends the step that needs what has failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notYet is what a look returns that could not see: it looks again.
func notYet(err error) (bool, string, error) { return false, err.Error(), nil }
