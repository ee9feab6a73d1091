// Package lifecycle drives the operator through its whole life under a real OLM: installed from a catalog, at work, held
// back, upgraded, removed while its clusters go on, taken back, and cleaned up. Each stage is a test of the scorecard;
// what one leaves behind is what the next begins with, so they run in their order and on a cluster for tests.
package lifecycle

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/open-redis-enterprise/operator/test/scenario"
)

// Defaults of Options.
const (
	DefaultPackage   = "open-redis-enterprise-operator"
	DefaultChannel   = "stable-v1"
	DefaultNamespace = "redis-lifecycle"
	DefaultBundle    = "/bundle"
	DefaultTimeout   = 40 * time.Minute
)

// Options say what is installed where. Config, one of the catalogs, From and To are needed.
type Options struct {
	// Config reaches the cluster.
	Config *rest.Config
	// Bundle is the folder of the bundle of release To.
	Bundle string
	// CatalogImage is the image of a catalog that holds both releases; CatalogAddress, as host:port, is one that is served
	// already.
	CatalogImage, CatalogAddress string
	// Package and Channel are what is subscribed to.
	Package, Channel string
	// From and To are versions: the upgrade goes from one to the other.
	From, To string
	// Namespace is where the operator is installed; further namespaces begin with its name.
	Namespace string
	// NodeImage, as repository:tag, runs the nodes of the examples instead of the vendor's image: that of the emulator. The
	// examples are then made small enough for one machine and get a licence. Without it they are applied as they are.
	NodeImage string
	// Timeout is how long one stage may take.
	Timeout time.Duration
	// Progress is told what happens; the result holds it too.
	Progress io.Writer
}

// complete fills in defaults and checks the rest.
func (o Options) complete() (Options, error) {
	o.Package = cmp.Or(o.Package, DefaultPackage)
	o.Channel = cmp.Or(o.Channel, DefaultChannel)
	o.Namespace = cmp.Or(o.Namespace, DefaultNamespace)
	o.Bundle = cmp.Or(o.Bundle, DefaultBundle)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	switch {
	case o.Config == nil:
		return o, errors.New("there is no cluster to reach")
	case (o.CatalogImage == "") == (o.CatalogAddress == ""):
		return o, errors.New("name a catalog, by its image or by its address")
	case o.From == "" || o.To == "" || o.From == o.To:
		return o, fmt.Errorf("an upgrade needs two versions, and got %q and %q", o.From, o.To)
	}
	_, err := o.node()
	return o, err
}

// node is the image of emulated nodes; the zero value stands for the vendor's.
func (o Options) node() (scenario.Image, error) {
	if o.NodeImage == "" {
		return scenario.Image{}, nil
	}
	i := strings.LastIndex(o.NodeImage, ":")
	if i < 1 || i == len(o.NodeImage)-1 || strings.Contains(o.NodeImage[i:], "/") {
		return scenario.Image{}, fmt.Errorf("the node image %q is not repository:tag", o.NodeImage)
	}
	return scenario.Image{Repository: o.NodeImage[:i], Tag: o.NodeImage[i+1:]}, nil
}

// csv is the name of a release.
func (o Options) csv(version string) string { return o.Package + ".v" + version }
