package check

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/open-redis-enterprise/operator/hack/bundle/build"
)

// TestInstallFile: one file installs everything, in an order that works, on any Kubernetes.
func TestInstallFile(t *testing.T) {
	text, err := build.Install(root, source(t).Release)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	names := map[string]bool{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var object unstructured.Unstructured
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		kinds = append(kinds, object.GetKind())
		if key := object.GetKind() + "/" + object.GetNamespace() + "/" + object.GetName(); names[key] {
			t.Errorf("%s comes twice", key)
		} else {
			names[key] = true
		}
		if namespace := object.GetNamespace(); namespace != "" && namespace != "redis-enterprise" {
			t.Errorf("%s %s is in %s", object.GetKind(), object.GetName(), namespace)
		}
	}
	for _, kind := range []string{"Namespace", "CustomResourceDefinition", "ServiceAccount", "Role", "RoleBinding", "Deployment", "Service", "ValidatingWebhookConfiguration"} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no %s", kind)
		}
	}
	if slices.Index(kinds, "Namespace") > slices.Index(kinds, "ServiceAccount") || slices.Index(kinds, "CustomResourceDefinition") > slices.Index(kinds, "Deployment") {
		t.Errorf("the order is %v", kinds)
	}
	image := source(t).Release.Images["operator"]
	repository, _, _ := strings.Cut(image, "@")
	if n, pinned := strings.Count(string(text), repository), strings.Count(string(text), image); n == 0 || n != pinned {
		t.Errorf("%d of %d images are pinned", pinned, n)
	}
}
