package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// manifestFolders are applied as they are: our samples and the shapes that documentation shows. MANIFESTS names another
// folder, for whoever has manifests of real installations.
func manifestFolders() []string {
	if folder := os.Getenv("MANIFESTS"); folder != "" {
		return []string{folder}
	}
	return []string{filepath.Join("..", "..", "config", "samples"), filepath.Join("..", "schema", "testdata", "manifests")}
}

// manifest is one object of a file.
type manifest struct {
	name   string
	object *unstructured.Unstructured
}

func readManifests(t *testing.T, folders []string) (clusters, others []manifest) {
	t.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			objects, err := objectsIn(path)
			if err != nil {
				t.Logf("%s is no object: %v", path, err)
				return nil
			}
			for _, object := range objects {
				name, _ := filepath.Rel(folder, path)
				switch m := (manifest{strings.TrimSuffix(name, ".yaml"), object}); {
				case !strings.HasPrefix(object.GetAPIVersion(), appv1.GroupVersion.Group):
					t.Logf("%s is no resource of ours: %s %s", path, object.GetAPIVersion(), object.GetKind())
				case object.GetKind() == "RedisEnterpriseCluster":
					clusters = append(clusters, m)
				default:
					others = append(others, m)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(clusters)+len(others) == 0 {
		t.Fatalf("no manifests in %v", folders)
	}
	return clusters, others
}

func objectsIn(path string) (objects []*unstructured.Unstructured, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	for {
		var content map[string]any
		err := decoder.Decode(&content)
		switch {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(content) == 0:
			continue
		case content["kind"] == nil:
			return nil, errors.New("it has no kind")
		}
		objects = append(objects, &unstructured.Unstructured{Object: content})
	}
}

// TestManifests applies manifests as people have them, and expects of each that the operator says what is so.
func TestManifests(t *testing.T) {
	t.Parallel() // or every other scene would wait for the end of these two
	clusters, others := readManifests(t, manifestFolders())
	before := panics(t)
	t.Run("rec", func(t *testing.T) {
		s := newScene(t)
		for _, m := range clusters {
			t.Run(m.name, func(t *testing.T) { s.answered(t, m, s.clusterAnswered) })
		}
	})
	t.Run("others", func(t *testing.T) {
		s := newScene(t)
		s.cluster()
		api := s.api()
		for _, m := range others {
			t.Run(m.name, func(t *testing.T) {
				s.answered(t, m, func(ctx context.Context, obj *unstructured.Unstructured, age time.Duration) (said, missing string) {
					return otherAnswered(ctx, api, obj, age)
				})
			})
		}
	})
	t.Cleanup(func() { // after the two
		if n := panics(t) - before; n > 0 {
			t.Errorf("the operator panicked %v times", n)
		}
	})
}

// panics counts what controllers recovered from.
func panics(t *testing.T) (sum float64) {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if strings.HasSuffix(family.GetName(), "_panics_total") {
			for _, m := range family.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// answered applies a manifest, waits for an answer and takes it away again.
func (s *scene) answered(t *testing.T, m manifest, answer func(context.Context, *unstructured.Unstructured, time.Duration) (string, string)) {
	obj := m.object.DeepCopy()
	obj.SetNamespace(s.namespace)
	if obj.GetNamespace() == "" {
		t.Log("refused: it has no metadata")
		return
	}
	if err := world.Client.Create(t.Context(), obj); err != nil {
		if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) && !meta.IsNoMatchError(err) {
			t.Fatal(err)
		}
		t.Logf("refused by the API server: %v", err)
		return
	}
	applied, said := time.Now(), ""
	s.eventually(limitCluster, m.name+" answered", func(ctx context.Context) (missing string) {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); err != nil {
			return err.Error()
		}
		said, missing = answer(ctx, obj, time.Since(applied))
		return missing
	})
	t.Logf("%s %s: %s", obj.GetKind(), obj.GetName(), said)
	if err := world.Client.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	s.eventually(limitCluster, m.name+" gone", func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
			return fmt.Sprint(conditionsOf(obj), err)
		}
		return ""
	})
	if obj.GetKind() == "RedisEnterpriseCluster" {
		s.eventually(limitCluster, m.name+" with all it had", s.leftovers)
		// Claims stay, as they should, and the next cluster of that name would find the data of this one.
		if err := world.Client.DeleteAllOf(t.Context(), &corev1.PersistentVolumeClaim{}, client.InNamespace(s.namespace)); err != nil {
			t.Fatal(err)
		}
		s.eventually(limitWord, m.name+" without its claims", func(ctx context.Context) string {
			var claims corev1.PersistentVolumeClaimList
			if err := world.Client.List(ctx, &claims, client.InNamespace(s.namespace)); err != nil || len(claims.Items) > 0 {
				return fmt.Sprint(namesOf(&claims), err)
			}
			return ""
		})
	}
	select {
	case <-s.operator.Done():
		t.Fatal("the operator has ended")
	default:
	}
}

// stalled begins what is said of something that a person must mend.
const stalled = "stalled, "

// patience is how long something may be waited for, before a sentence that says what for is answer enough.
const patience = 10 * time.Second

// verdictOf reads the conditions: what they say, or what is missing for them to say something.
func verdictOf(obj *unstructured.Unstructured, age time.Duration) (said, missing string) {
	conditions := conditionsOf(obj)
	ready := meta.FindStatusCondition(conditions, appv1.ConditionReady)
	switch {
	case ready == nil || ready.ObservedGeneration != obj.GetGeneration():
		return "", fmt.Sprintf("no condition of this generation: %+v", conditions)
	case ready.Status == metav1.ConditionTrue:
		return "ready", ""
	case ready.Message == "":
		return "", "not ready, and not a word about it"
	case meta.IsStatusConditionTrue(conditions, appv1.ConditionStalled):
		if word, _, _ := unstructured.NestedString(obj.Object, "status", "specStatus"); word == string(appv1.SpecValid) && ready.Reason == appv1.ReasonInvalidSpec {
			return "", "an invalid spec is called valid"
		}
		return stalled + ready.Reason + ": " + ready.Message, ""
	case age < patience:
		return "", "waits: " + ready.Message
	}
	return "waits: " + ready.Message, ""
}

func conditionsOf(obj *unstructured.Unstructured) []metav1.Condition {
	var status struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &status); err != nil {
		return nil
	}
	return status.Status.Conditions
}

// clusterAnswered wants of a sound cluster that its pods are being made, and of any other that nothing is.
func (s *scene) clusterAnswered(ctx context.Context, obj *unstructured.Unstructured, age time.Duration) (said, missing string) {
	said, missing = verdictOf(obj, max(age, patience))
	if missing != "" {
		return "", missing
	}
	var set appsv1.StatefulSet
	err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), &set)
	if client.IgnoreNotFound(err) != nil {
		return "", err.Error()
	}
	// Something that a spec names and that is missing holds back no more than itself.
	refused, made := strings.HasPrefix(said, stalled+appv1.ReasonInvalidSpec), err == nil
	var pods corev1.PodList
	if err := world.Client.List(ctx, &pods, client.InNamespace(s.namespace), client.MatchingLabels(names.NodeLabels(obj.GetName()))); err != nil {
		return "", err.Error()
	}
	switch {
	case refused && made:
		return "", "it is refused, and made all the same: " + said
	case strings.Contains(said, "Kubernetes does not create pod"):
		return said, "" // what the spec adds to the pods is not allowed in this namespace
	case !strings.HasPrefix(said, stalled) && (!made || len(pods.Items) == 0):
		return "", "no pods yet: " + said
	case said == "ready" && len(pods.Items) < int(*set.Spec.Replicas):
		return "", fmt.Sprintf("it is called ready with %d pods", len(pods.Items))
	}
	return said, ""
}

// otherAnswered wants of a database that is called ready that the cluster has it, and of one that is refused that it has
// not.
func otherAnswered(ctx context.Context, api *rest.Client, obj *unstructured.Unstructured, age time.Duration) (said, missing string) {
	said, missing = verdictOf(obj, age)
	if missing != "" || obj.GetKind() != "RedisEnterpriseDatabase" {
		return said, missing
	}
	uid, _, _ := unstructured.NestedString(obj.Object, "status", "databaseUID")
	list, err := api.ListBDBs(ctx)
	if err != nil {
		return "", err.Error()
	}
	there := false
	for _, db := range list {
		there = there || fmt.Sprint(rest.Value(db.UID)) == uid
	}
	if ready := said == "ready"; ready && !there || !ready && uid == "" && there {
		return "", fmt.Sprintf("%s, and in the cluster: %t", said, there)
	}
	return said, ""
}
