package lifecycle

import (
	"testing"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/scorecard/static"
)

func released(t *testing.T) *v1alpha1.ClusterServiceVersion {
	t.Helper()
	bundle, err := static.Read("bundle", "../../bundle")
	if err != nil {
		t.Fatal(err)
	}
	csv := bundle.CSV.DeepCopy()
	csv.Namespace, csv.Name = DefaultNamespace, options().csv("1.1.0")
	return csv
}

// TestExamplesFit: on emulated nodes every cluster that a release shows is small and has a licence of its own; what else it
// shows stays.
func TestExamplesFit(t *testing.T) {
	s := world(t, options(), released(t))
	all, err := s.examples(t.Context(), "1.1.0")
	if err != nil {
		t.Fatal(err)
	}
	licenses := map[string]bool{}
	for _, example := range ofKind(all, clusterKind) {
		var rec appv1.RedisEnterpriseCluster
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(example.Object, &rec, true); err != nil {
			t.Errorf("%s: %v", example.GetName(), err)
			continue
		}
		image := rec.Spec.RedisEnterpriseImageSpec
		if image == nil || image.Repository+":"+image.VersionTag != emulator || rec.Namespace != DefaultNamespace {
			t.Errorf("%s in %s runs %+v", rec.Name, rec.Namespace, image)
		}
		if cpu := rec.Spec.RedisEnterpriseNodeResources.Requests.Cpu().MilliValue(); cpu > 200 || rec.Spec.NodeCount() != 3 {
			t.Errorf("%s asks for %d nodes of %dm", rec.Name, rec.Spec.NodeCount(), cpu)
		}
		if licenses[rec.Spec.LicenseSecretName] || rec.Spec.LicenseSecretName == "" {
			t.Errorf("%s has the licence %q", rec.Name, rec.Spec.LicenseSecretName)
		}
		licenses[rec.Spec.LicenseSecretName] = true
	}
	if len(licenses) < 2 {
		t.Errorf("%d clusters are shown", len(licenses))
	}
	for _, example := range ofKind(all, databaseKind) {
		if size, _, _ := unstructured.NestedString(example.Object, "spec", "memorySize"); size != smallMemory {
			t.Errorf("%s asks for %s", example.GetName(), size)
		}
	}
	var local []string
	for _, remote := range ofKind(all, remoteKind) {
		if s.isLocal(remote) {
			local = append(local, remote.GetName())
		}
	}
	if len(local) != 1 || len(ofKind(all, remoteKind)) < 2 {
		t.Errorf("of %d remote clusters, %v are the local one", len(ofKind(all, remoteKind)), local)
	}
	if len(ofKind(all, remoteKind)) == 0 || len(ofKind(all, activeActiveKind)) == 0 || len(ofKind(all, databaseKind)) < 3 {
		t.Errorf("only %d examples", len(all))
	}
}

// TestExamplesStayAsTheyAre: with the vendor's image a user's first steps are what is tried.
func TestExamplesStayAsTheyAre(t *testing.T) {
	o := options()
	o.NodeImage = ""
	csv := released(t)
	s := world(t, o, csv)
	all, err := s.examples(t.Context(), "1.1.0")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := static.Examples(csv)
	if err != nil {
		t.Fatal(err)
	}
	for i := range shown {
		shown[i].SetNamespace(DefaultNamespace)
		if shown[i].GetName() == "rec-east" { // the local cluster is in the operator's namespace
			if err := unstructured.SetNestedField(shown[i].Object, DefaultNamespace, "spec", "recNamespace"); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := all[i].Object, shown[i].Object; !equal(got, want) {
			t.Errorf("%v became %v", want, got)
		}
	}
}

func equal(a, b map[string]any) bool {
	left, right := &unstructured.Unstructured{Object: a}, &unstructured.Unstructured{Object: b}
	x, errX := left.MarshalJSON()
	y, errY := right.MarshalJSON()
	return errX == nil && errY == nil && string(x) == string(y)
}
