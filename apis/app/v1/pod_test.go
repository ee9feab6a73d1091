package v1

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/randfill"
)

// TestPodSpecKeepsEverything fills all attributes and expects to find all of them in the pod spec, except the one that
// Kubernetes has dropped.
func TestPodSpecKeepsEverything(t *testing.T) {
	attributes := &PodSpecAttributes{}
	randfill.NewWithSeed(1).NilChance(0).NumElements(1, 1).Funcs(
		func(q *resource.Quantity, _ randfill.Continue) { *q = resource.MustParse("1") },
		func(v *intstr.IntOrString, _ randfill.Continue) { *v = intstr.FromInt32(1) },
		func(f *metav1.FieldsV1, _ randfill.Continue) { f.SetRawBytes([]byte("{}")) },
		func(b *bool, _ randfill.Continue) { *b = true },
	).Fill(attributes)

	want, got := asMap(t, attributes), asMap(t, attributes.PodSpec())
	if want["workloadRef"] == nil {
		t.Fatal("nothing was filled in")
	}
	delete(want, "workloadRef")
	delete(got, "containers")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes and pod spec differ:\n%s", diff)
	}
}

func TestPodSpecOfNothing(t *testing.T) {
	var attributes *PodSpecAttributes
	if got := attributes.PodSpec(); got == nil || len(got.Volumes) != 0 {
		t.Errorf("got %v, want an empty pod spec", got)
	}
}

func asMap(t *testing.T, value any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
