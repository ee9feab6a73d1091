//go:build e2e

package lifecycle

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

var (
	live       Options
	kubeconfig = flag.String("kubeconfig", "", "cluster for tests, with OLM; kubectl's otherwise")
	only       = flag.String("stages", "", "stages to run, with commas between them; all of them otherwise")
)

func init() {
	flag.StringVar(&live.CatalogImage, "catalog-image", "", "image of a catalog that holds both releases")
	flag.StringVar(&live.CatalogAddress, "catalog-address", "", "host:port of a catalog that is served already")
	flag.StringVar(&live.From, "from", "1.0.0", "release that is installed first")
	flag.StringVar(&live.To, "to", "1.1.0", "release that it is upgraded to")
	flag.StringVar(&live.Namespace, "namespace", DefaultNamespace, "namespace for the operator")
	flag.StringVar(&live.NodeImage, "node-image", "quay.io/open-redis-enterprise/emulator:8.2.0-46.13", "emulator's image; empty for the vendor's")
	flag.StringVar(&live.Bundle, "bundle", "../../bundle", "folder of the bundle")
}

// TestLifecycle runs the suite redis-lifecycle on the cluster of a kubeconfig: the same code as in the pods of a scorecard.
func TestLifecycle(t *testing.T) {
	klog.SetLogger(logr.Discard())
	log.SetLogger(logr.Discard())
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = *kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	live.Config, live.Progress = config, os.Stdout
	chosen := Stages()
	if *only != "" {
		chosen = strings.Split(*only, ",")
	}
	for _, name := range chosen {
		passed := t.Run(name, func(t *testing.T) {
			status := Run(t.Context(), live, name)
			if len(status.Results) == 0 {
				t.Error("the stage did nothing")
			}
			for _, result := range status.Results {
				t.Run(strings.TrimPrefix(result.Name, Prefix+name+": "), func(t *testing.T) {
					if result.State != scorecard.PassState {
						t.Errorf("%s: %v\n%s", result.State, result.Errors, result.Log)
					}
				})
			}
		})
		if !passed && (name == "install" || name == "reconcile") {
			t.Fatalf("%s failed, and what follows needs it", name)
		}
	}
}
