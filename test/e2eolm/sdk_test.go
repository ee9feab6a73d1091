//go:build e2eolm

package e2eolm

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	sdk                = "bin/operator-sdk"
	sdkNamespace       = "redis-sdk"
	scorecardNamespace = "redis-scorecard"

	// What operator-sdk unpacks with when it cannot be told: run bundle-upgrade has no flag for it. Here it is busybox too.
	decompressor    = "ubi9/ubi"
	decompressorTag = "9.8"
)

// runBundle lets operator-sdk install the published release in a namespace of its own.
func runBundle(t *testing.T, s *suite) {
	in := &suite{Cluster: s.In(sdkNamespace)}
	// The pod that operator-sdk serves the bundle from does not meet the restricted standard, whatever it is told.
	must(t, s.ApplyObject(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: sdkNamespace,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "baseline"}}}))
	s.Sayf("%s", s.run(t, sdk, "run", "bundle", registryAddress+"/"+bundles+":v"+s.released.version, "--namespace", sdkNamespace,
		"--install-mode", "OwnNamespace", "--index-image", registryAddress+"/operator-framework/opm:v1.74.0",
		"--decompression-image", busybox, "--image-pull-policy", "IfNotPresent", "--security-context-config", "restricted", "--timeout", "10m"))
	in.phase(t, s.released, "Succeeded", time.Minute)
	must(t, in.AwaitDeployment(t.Context(), operator, 2*time.Minute))
	in.runs(t, s.released)
}

// runBundleUpgrade lets operator-sdk replace it by head.
func runBundleUpgrade(t *testing.T, s *suite) {
	in := &suite{Cluster: s.In(sdkNamespace)}
	s.Sayf("%s", s.run(t, sdk, "run", "bundle-upgrade", registryAddress+"/"+bundles+":v"+s.head.version, "--namespace", sdkNamespace,
		"--image-pull-policy", "IfNotPresent", "--security-context-config", "restricted", "--timeout", "10m"))
	in.phase(t, s.head, "Succeeded", time.Minute)
	must(t, in.AwaitDeployment(t.Context(), operator, 2*time.Minute))
	in.runs(t, s.head)
}

// results are what a scorecard prints.
type results struct {
	Items []struct {
		Spec struct {
			Labels map[string]string `json:"labels"`
		} `json:"spec"`
		Status verdict `json:"status"`
	} `json:"items"`
}

// verdict is what a test of the scorecard prints.
type verdict struct {
	Results []struct {
		Name   string   `json:"name"`
		State  string   `json:"state"`
		Log    string   `json:"log"`
		Errors []string `json:"errors"`
	} `json:"results"`
}

// scorecard runs every suite that the bundle has.
func scorecard(t *testing.T, s *suite) {
	must(t, s.In(scorecardNamespace).EnsureNamespace(t.Context()))
	must(t, s.ApplyFile(t.Context(), filepath.Join(s.root, "scorecard", "rbac.yaml")))
	output, failed := s.try(t, sdk, "scorecard", "--selector", *tests, s.head.folder, "--namespace", scorecardNamespace, "--service-account", "scorecard-lifecycle",
		"--untar-image", busybox, "--wait-time", "50m", "--pod-security", "restricted", "--output", "json")
	var r results
	if err := json.Unmarshal([]byte(output), &r); err != nil {
		t.Fatalf("scorecard (%v) printed what is no result: %v\n%s", failed, err, output)
	}
	total := map[string]int{}
	for _, item := range r.Items {
		suite := item.Spec.Labels["suite"]
		if len(item.Status.Results) == 0 {
			t.Errorf("%v left no result", item.Spec.Labels)
		}
		for _, result := range item.Status.Results {
			total[suite]++
			s.Sayf("    %-6s %s: %s", result.State, suite, result.Name)
			if result.State != "pass" {
				t.Errorf("%s: %s: %s %v\n%s", suite, result.Name, result.State, result.Errors, result.Log)
			}
		}
	}
	for _, suite := range []string{"basic", "olm", "redis-static", "redis-lifecycle"} {
		if total[suite] == 0 && *tests == "" {
			t.Errorf("the suite %s did not run", suite)
		}
	}
	must(t, failed)
}

// cleanup lets operator-sdk remove what it has installed.
func cleanup(t *testing.T, s *suite) {
	s.run(t, sdk, "cleanup", packageName, "--namespace", sdkNamespace, "--delete-all=false", "--timeout", "5m")
	in := &suite{Cluster: s.In(sdkNamespace)}
	in.gone(t, csvKind, time.Minute)
	in.gone(t, subscriptionKind, time.Minute)
	s.removeNamespace(t, sdkNamespace)
}
