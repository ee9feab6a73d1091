// Package check holds every gate that a bundle has to pass before it reaches a catalog, as tests that need no network and no
// cluster.
package check

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
	"github.com/open-redis-enterprise/operator/scorecard/static"
)

const (
	root     = "../../.."
	released = root + "/catalog/released/1.0.0"
)

// variant is a bundle to check, with the folder it is in.
type variant = static.Bundle

var made = sync.OnceValues(func() (*build.Source, error) { return build.ReadSource(root) })

func source(t *testing.T) *build.Source {
	t.Helper()
	s, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The bundles are read once; no test changes them.
var (
	heads    = sync.OnceValues(func() (variant, error) { return static.Read("openshift", root+"/bundle") })
	releases = sync.OnceValues(func() (variant, error) { return static.Read("1.0.0", released) })
	others   = sync.OnceValues(makeCommunity)
)

// head is the bundle in the tree.
func head(t *testing.T) variant { return must(t, heads) }

// previous is the frozen release before it.
func previous(t *testing.T) variant { return must(t, releases) }

// community is the bundle for any Kubernetes, made on the spot.
func community(t *testing.T) variant { return must(t, others) }

func must(t *testing.T, get func() (variant, error)) variant {
	t.Helper()
	v, err := get()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scratch is a folder for the whole run.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "bundle-check-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

func makeCommunity() (variant, error) {
	s, err := made()
	if err != nil {
		return variant{}, err
	}
	files, err := s.Files(build.Community)
	if err != nil {
		return variant{}, err
	}
	folder := filepath.Join(scratch, "community")
	if err := build.Write(folder, files); err != nil {
		return variant{}, err
	}
	return static.Read(static.Community, folder)
}

// every runs a check on each bundle that is or was published.
func every(t *testing.T, check func(*testing.T, variant)) {
	for _, v := range []variant{head(t), community(t), previous(t)} {
		t.Run(v.Name, func(t *testing.T) { check(t, v) })
	}
}

// all makes checks of the scorecard on each of those.
func all(t *testing.T, checks ...static.Check) {
	t.Helper()
	every(t, func(t *testing.T, v variant) {
		for _, check := range checks {
			check(t, v)
		}
	})
}
