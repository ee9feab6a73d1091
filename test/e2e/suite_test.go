//go:build e2e

package e2e

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/dynamic"
	"k8s.io/klog/v2"

	"github.com/open-redis-enterprise/operator/test/scenario"
)

var (
	namespace = flag.String("namespace", "redis-enterprise", "the operator's namespace")
	quietFor  = flag.Duration("quiet", 75*time.Second, "how long the converged cluster is watched for writes")
	withParts = flag.Bool("parts", false, "run the steps with proxies and Prometheus too: their images are on the nodes, and what they serve can be reached from here")
	keep      = flag.Bool("keep", false, "leave out the deletion of the cluster at the end")
)

const (
	operator  = "redis-enterprise-operator"
	rec       = "rec"
	shardedDB = "orders" // sharded, replicated, AOF
	singleDB  = "cache"  // one shard in memory
)

// suite is one Kubernetes cluster and the images to use on it.
type suite struct {
	*scenario.Cluster
	dynamic dynamic.Interface
	node    scenario.Image
	next    string // tag of the upgrade
}

// TestSuite runs the steps in their order on one cluster. A step can be run alone on the cluster that an earlier run
// left behind: go test -tags e2e ./test/e2e -run TestSuite/upgrade.
func TestSuite(t *testing.T) {
	s := connect(t)
	steps := []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"bootstrap", bootstrap},
		{"service", service},
		{"admission", admission},
		{"bad input", badInput},
		{"loss of a node", lossOfANode},
		{"deleted pod", deletedPod},
		{"operator killed", operatorKilled},
		{"rolling update", rollingUpdate},
		{"upgrade", upgrade},
		{"quiet", quiet}, // what comes now is not quiet itself
		{"parts", parts},
		{"network", network},
		{"metrics", metrics},
		{"active-active", activeActive},
		{"scale out", scaleOut},
		{"deletion", deletion},
	}
	for _, step := range steps {
		began := time.Now()
		if !t.Run(step.name, func(t *testing.T) { step.run(t, s) }) && step.name == "bootstrap" {
			t.Fatal("there is nothing for the other steps to work with")
		}
		t.Logf("%s: %.0f s", step.name, time.Since(began).Seconds())
	}
}

func connect(t *testing.T) *suite {
	t.Helper()
	klog.SetLogger(logr.Discard()) // a port-forward that ends with its pod is no news
	cluster, err := scenario.Connect(*namespace, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(cluster.Config)
	if err != nil {
		t.Fatal(err)
	}
	return &suite{
		Cluster: cluster, dynamic: client,
		node: scenario.Image{Repository: setting("EMULATOR", "quay.io/open-redis-enterprise/emulator"), Tag: setting("NODE_TAG", "8.2.0-46.13")},
		next: setting("NEXT_TAG", "8.2.1-10.1"),
	}
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// must ends the step that needs what has failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notYet is what a look returns that could not see: it looks again.
func notYet(err error) (bool, string, error) { return false, err.Error(), nil }
