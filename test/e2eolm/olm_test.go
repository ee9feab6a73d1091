//go:build e2eolm

package e2eolm

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/test/testenv"
)

const (
	olmNamespace = "olm"
	sourceName   = "open-redis-enterprise"
	olmImage     = "quay.io/operator-framework/olm:v0.46.0"
	opmImage     = "quay.io/operator-framework/opm:v1.74.0"
	busybox      = "quay.io/library/busybox:local"

	// resolveAgain is when OLM looks again at a subscription for which it found no release. It finds none while a release
	// that was replaced is still being deleted, and by itself looks again after a quarter of an hour.
	resolveAgain = "20s"
)

// consoleKinds are the kinds of OpenShift's console that the bundle brings objects of.
var consoleKinds = []string{"00_consoleyamlsamples.crd.yaml", "00_consolequickstarts.crd.yaml"}

// clean removes an operator that came without OLM, as the demo and the other suite leave it behind, and what an earlier run
// of this suite left.
func clean(t *testing.T, s *suite) {
	ctx := t.Context()
	for _, name := range []string{namespace, sdkNamespace, scorecardNamespace, "redis-lifecycle"} {
		s.removeNamespace(t, name)
	}
	var hooks admissionv1.ValidatingWebhookConfigurationList
	must(t, s.List(ctx, &hooks))
	for i := range hooks.Items {
		if strings.Contains(hooks.Items[i].Name, "redis") {
			must(t, client.IgnoreNotFound(s.Delete(ctx, &hooks.Items[i])))
		}
	}
}

// removeNamespace deletes what holds finalizers while its operator still runs, and then the namespace.
func (s *suite) removeNamespace(t *testing.T, name string) {
	t.Helper()
	ctx, in := t.Context(), s.In(name)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := s.Get(ctx, client.ObjectKeyFromObject(ns), ns); err != nil {
		must(t, client.IgnoreNotFound(err))
		return
	}
	own := &suite{Cluster: in}
	for _, kind := range []schema.GroupVersionKind{appv1alpha1.GroupVersion.WithKind("RedisEnterpriseDatabase"), appv1.GroupVersion.WithKind("RedisEnterpriseCluster")} {
		all := &unstructured.Unstructured{}
		all.SetGroupVersionKind(kind)
		err := s.DeleteAllOf(ctx, all, client.InNamespace(name))
		if meta.IsNoMatchError(err) {
			continue
		}
		must(t, client.IgnoreNotFound(err))
		own.gone(t, kind, 2*time.Minute)
	}
	s.remove(t, ns, 3*time.Minute)
}

// installOLM applies what OLM's module has for a quick start, with the images that were built here, and the foreign kinds
// that the bundle needs.
func installOLM(t *testing.T, s *suite) {
	ctx := t.Context()
	foreign, err := testenv.ForeignCRDs(ctx, s.root)
	must(t, err)
	console := s.module(t, ".", "github.com/openshift/api")
	for _, file := range consoleKinds {
		foreign = append(foreign, filepath.Join(console, "console", "v1", "zz_generated.crd-manifests", file))
	}
	deploy := filepath.Join(s.module(t, "hack/parts/olm", "github.com/operator-framework/operator-lifecycle-manager"), "deploy")
	kinds, err := filepath.Glob(filepath.Join(deploy, "chart", "crds", "*.yaml")) // those of the quick start lack one
	must(t, err)
	for _, file := range append(foreign, kinds...) {
		must(t, s.ApplyFile(ctx, file))
	}
	manifests, err := os.ReadFile(filepath.Join(deploy, "upstream", "quickstart", "olm.yaml"))
	must(t, err)
	manifests = append(manifests, olmConfig...)
	must(t, s.Await(ctx, "OLM's objects", time.Minute, func() (bool, string, error) {
		if err := s.ApplyYAML(ctx, ours(t, manifests)); err != nil { // its kinds may not be served yet
			return notYet(err)
		}
		return true, "applied", nil
	}))
	olm := &suite{Cluster: s.In(olmNamespace)}
	for _, deployment := range []string{"olm-operator", "catalog-operator", "packageserver"} {
		must(t, olm.AwaitDeployment(ctx, deployment, 3*time.Minute))
	}
}

// olmConfig is what OLM looks for before it begins.
const olmConfig = `
---
apiVersion: operators.coreos.com/v1
kind: OLMConfig
metadata: {name: cluster}
`

var publishedOLM = regexp.MustCompile(`quay\.io/operator-framework/olm@sha256:[0-9a-f]{64}`)

// ours is OLM's manifest with our images, without the public catalog, and with one package server.
func ours(t *testing.T, manifests []byte) []byte {
	t.Helper()
	var kept []byte
	for _, document := range strings.Split(string(publishedOLM.ReplaceAll(manifests, []byte(olmImage))), "\n---\n") {
		var o unstructured.Unstructured
		must(t, yaml.Unmarshal([]byte(document), &o.Object))
		switch {
		case len(o.Object) == 0 || o.GetKind() == "CatalogSource":
			continue
		case o.GetName() == "catalog-operator":
			containers, _, err := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
			must(t, err)
			container := containers[0].(map[string]any)
			container["args"] = []any{"--namespace", olmNamespace, "--opmImage", opmImage, "--util-image", olmImage, "--set-workload-user-id=true", "--writeStatusName", "", "--interval", resolveAgain}
			must(t, unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers"))
		case o.GetName() == "packageserver":
			deployments, _, err := unstructured.NestedSlice(o.Object, "spec", "install", "spec", "deployments")
			must(t, err)
			must(t, unstructured.SetNestedField(deployments[0].(map[string]any), int64(1), "spec", "replicas"))
			must(t, unstructured.SetNestedSlice(o.Object, deployments, "spec", "install", "spec", "deployments"))
		}
		content, err := yaml.Marshal(o.Object)
		must(t, err)
		kept = append(append(kept, "---\n"...), content...)
	}
	return kept
}

// serveCatalog makes the catalog of docs/olm.md and waits until OLM has read it.
func serveCatalog(t *testing.T, s *suite) {
	ctx := t.Context()
	s.removeCatalog(t) // its image may be an older one
	must(t, s.ApplyYAML(ctx, fmt.Appendf(nil, `
apiVersion: operators.coreos.com/v1alpha1
kind: CatalogSource
metadata: {name: %s, namespace: %s}
spec:
  sourceType: grpc
  image: quay.io/%s:%s
  displayName: Open Redis Enterprise
  grpcPodConfig: {securityContextConfig: restricted}
`, sourceName, olmNamespace, catalogs, withNext)))
	olm := &suite{Cluster: s.In(olmNamespace)}
	must(t, s.Await(ctx, "catalogsource/"+sourceName, 3*time.Minute, func() (bool, string, error) {
		source, err := olm.object(ctx, sourceKind, sourceName)
		if err != nil {
			return notYet(err)
		}
		state := text(source, "status", "connectionState", "lastObservedState")
		return state == "READY", state, nil
	}))
	must(t, s.Await(ctx, "packagemanifest/"+packageName, 2*time.Minute, func() (bool, string, error) {
		found, err := olm.object(ctx, packageKind, packageName)
		if err != nil {
			return notYet(err)
		}
		return text(found, "status", "defaultChannel") == channel, "default channel " + text(found, "status", "defaultChannel"), nil
	}))
}

func (s *suite) removeCatalog(t *testing.T) {
	t.Helper()
	s.remove(t, named(sourceKind, olmNamespace, sourceName), time.Minute)
}

// module is the folder of a Go module that the module in folder needs.
func (s *suite) module(t *testing.T, folder, path string) string {
	t.Helper()
	found, err := testenv.ModuleFolder(t.Context(), filepath.Join(s.root, folder), path)
	must(t, err)
	return found
}
