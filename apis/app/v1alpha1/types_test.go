package v1alpha1

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/randfill"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
)

// TestBothClusterVersionsHaveTheSameFields keeps the older version complete when a field is added to the newer one.
func TestBothClusterVersionsHaveTheSameFields(t *testing.T) {
	old, current := jsonNames(RedisEnterpriseClusterSpec{}), jsonNames(appv1.RedisEnterpriseClusterSpec{})
	if diff := cmp.Diff(current, old); diff != "" {
		t.Errorf("fields of the spec differ (v1, v1alpha1):\n%s", diff)
	}
	rigger := cmp.Diff(jsonNames(appv1.ServicesRiggerSpec{}), jsonNames(ClusterServicesRiggerSpec{}))
	if rigger != "" {
		t.Errorf("fields of the services rigger differ (v1, v1alpha1):\n%s", rigger)
	}
}

func jsonNames(value any) []string {
	var out []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(value)) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// TestGlobalConfigurationsBecomeADatabaseSpec fills in random settings and expects the same ones in the database spec.
func TestGlobalConfigurationsBecomeADatabaseSpec(t *testing.T) {
	seen := map[string]bool{} // a random string may be empty and then left out, so one round is not enough
	for seed := range int64(20) {
		global := &GlobalConfigurations{}
		randfill.NewWithSeed(seed).NilChance(0).NumElements(1, 1).Funcs(
			func(b *bool, _ randfill.Continue) { *b = true }, // false may be left out on one side
		).Fill(global)
		want, got := asMap(t, global), asMap(t, global.DatabaseSpec())
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("settings differ:\n%s", diff)
		}
		for name := range want {
			seen[name] = true
		}
	}
	if all := reflect.TypeFor[GlobalConfigurations]().NumField(); len(seen) != all {
		t.Errorf("%d of %d settings were filled in", len(seen), all)
	}
}

func TestNoGlobalConfigurationsAreAnEmptyDatabaseSpec(t *testing.T) {
	var global *GlobalConfigurations
	if diff := cmp.Diff(&RedisEnterpriseDatabaseSpec{}, global.DatabaseSpec()); diff != "" {
		t.Error(diff)
	}
}

func TestAlertThreshold(t *testing.T) {
	cases := map[string]struct {
		in, want string
		refused  bool
	}{
		"text stays as it is":         {`"80"`, "80", false},
		"a whole number becomes text": {`3000`, "3000", false},
		"a fraction keeps its digits": {`0.50`, "0.50", false},
		"anything else is refused":    {`{"value": 1}`, "", true},
		"true is refused":             {`true`, "", true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var alert DatabaseAlert
			err := json.Unmarshal([]byte(`{"enabled": true, "threshold": `+c.in+`}`), &alert)
			if c.refused {
				if err == nil {
					t.Fatalf("got %q, want an error", *alert.Threshold)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := string(*alert.Threshold); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestFreeFormKeepsUnknownKeys checks the places of the older cluster version whose content is not ours to judge.
func TestFreeFormKeepsUnknownKeys(t *testing.T) {
	manifest := `{"spec":{"sideContainersSpec":[{"name":"a","new":{"deep":1}}],"redisEnterpriseAdditionalPodSpecAttributes":{"new":true}}}`
	var cluster RedisEnterpriseCluster
	if err := json.Unmarshal([]byte(manifest), &cluster); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(manifest), &want); err != nil {
		t.Fatal(err)
	}
	got := asMap(t, cluster.DeepCopy())
	if diff := cmp.Diff(want["spec"], got["spec"]); diff != "" {
		t.Error(diff)
	}
}

func TestObservedGenerationAndConditions(t *testing.T) {
	type reporter interface {
		GetObservedGeneration() int64
		SetObservedGeneration(int64)
	}
	for _, obj := range []reporter{&RedisEnterpriseDatabase{}, &RedisEnterpriseRemoteCluster{}, &RedisEnterpriseActiveActiveDatabase{}} {
		obj.SetObservedGeneration(7)
		if got := obj.GetObservedGeneration(); got != 7 {
			t.Errorf("%T: %d", obj, got)
		}
	}
}

func TestSchemeKnowsTheKinds(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{
		"RedisEnterpriseCluster", "RedisEnterpriseDatabase", "RedisEnterpriseRemoteCluster",
		"RedisEnterpriseActiveActiveDatabase",
	} {
		if !scheme.Recognizes(GroupVersion.WithKind(kind)) || !scheme.Recognizes(GroupVersion.WithKind(kind+"List")) {
			t.Errorf("%s is not registered", kind)
		}
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
