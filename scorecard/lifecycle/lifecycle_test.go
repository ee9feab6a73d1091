package lifecycle

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

const emulator = "example.com/emulator:8.2.0-46.13"

func options() Options {
	return Options{Config: &rest.Config{}, CatalogImage: "example.com/catalog:v1", From: "1.0.0", To: "1.1.0", NodeImage: emulator,
		Package: DefaultPackage, Namespace: DefaultNamespace, Progress: io.Discard}
}

// world is a stage on a client that only remembers objects.
func world(t *testing.T, o Options, objects ...client.Object) *stage {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, appv1alpha1.AddToScheme,
		v1alpha1.AddToScheme, operatorsv1.AddToScheme, operatorsv2.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
	return &stage{Cluster: &scenario.Cluster{Client: c, Namespace: o.Namespace, Out: io.Discard}, Options: o, name: "test", found: &findings{}}
}

func at(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: DefaultNamespace}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"complete ones are taken", func(*Options) {}, ""},
		{"an address stands for an image", func(o *Options) { o.CatalogImage, o.CatalogAddress = "", "127.0.0.1:50051" }, ""},
		{"a catalog is needed", func(o *Options) { o.CatalogImage = "" }, "name a catalog"},
		{"one catalog is enough", func(o *Options) { o.CatalogAddress = "127.0.0.1:50051" }, "name a catalog"},
		{"a cluster is needed", func(o *Options) { o.Config = nil }, "no cluster"},
		{"an upgrade has two ends", func(o *Options) { o.To = o.From }, "two versions"},
		{"a node image without a tag", func(o *Options) { o.NodeImage = "localhost:5000/emulator" }, "not repository:tag"},
		{"a node image with an empty tag", func(o *Options) { o.NodeImage = "emulator:" }, "not repository:tag"},
		{"the vendor's image is the default", func(o *Options) { o.NodeImage = "" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options()
			c.change(&o)
			_, err := o.complete()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	o, err := Options{Config: &rest.Config{}, CatalogImage: "c", From: "1.0.0", To: "1.1.0"}.complete()
	if err != nil || o.Channel != DefaultChannel || o.Package != DefaultPackage || o.Namespace != DefaultNamespace || o.Timeout == 0 || o.Progress == nil {
		t.Errorf("%+v, %v", o, err)
	}
	if image, err := options().node(); err != nil || image != (scenario.Image{Repository: "example.com/emulator", Tag: "8.2.0-46.13"}) {
		t.Errorf("%v, %v", image, err)
	}
}

func TestAStageThatCannotBegin(t *testing.T) {
	for name, o := range map[string]Options{"nonsense": options(), "install": {}, Prefix + "upgrade": {}} {
		status := Run(context.Background(), o, name)
		if len(status.Results) != 1 || status.Results[0].State != scorecard.ErrorState || status.Results[0].Name != Prefix+strings.TrimPrefix(name, Prefix) {
			t.Errorf("%s: %+v", name, status)
		}
	}
}

// TestSteps: what follows a failed step is left out, also in another namespace; a failed check stops nothing.
func TestSteps(t *testing.T) {
	s := world(t, options())
	s.check("a", func(t report.T) { t.Error("wrong") })
	s.in("other").step("b", func(report.T) { s.Sayf("seen") })
	s.in("other").step("c", func(t report.T) { t.Fatal("wrong") })
	s.step("d", func(report.T) { t.Error("it was run") })
	var got []string
	for _, r := range s.found.results {
		got = append(got, r.Name+" "+string(r.State))
	}
	if want := []string{Prefix + "test: a fail", Prefix + "test: b pass", Prefix + "test: c fail"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// patience is how long a check of these tests waits. What it waits for is there at its first look, or never.
const patience = 100 * time.Millisecond

func result(s *stage, do func(context.Context, report.T)) scorecard.TestResult {
	return report.Result("test", func(t report.T) {
		s.Out = lines{t}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		do(ctx, t)
	})
}

func TestHeldBack(t *testing.T) {
	for _, c := range []struct {
		name   string
		phase  v1alpha1.ClusterServiceVersionPhase
		reason v1alpha1.ConditionReason
		want   scorecard.State
	}{
		{"a release that waits for the running one is held back", v1alpha1.CSVPhasePending, v1alpha1.CSVReasonOperatorConditionNotUpgradeable, scorecard.PassState},
		{"a release that waits for something else is not", v1alpha1.CSVPhasePending, v1alpha1.CSVReasonRequirementsNotMet, scorecard.FailState},
		{"a release that went through is not", v1alpha1.CSVPhaseSucceeded, v1alpha1.CSVReasonInstallSuccessful, scorecard.FailState},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := world(t, options(), &v1alpha1.ClusterServiceVersion{ObjectMeta: at(options().csv("1.1.0")),
				Status: v1alpha1.ClusterServiceVersionStatus{Phase: c.phase, Reason: c.reason}})
			if got := result(s, func(ctx context.Context, t report.T) { s.heldBack(ctx, t, "1.1.0") }); got.State != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestApprove: of the plans that bring a release the newest is approved, and no other.
func TestApprove(t *testing.T) {
	plan := func(name string, generation int, version string, phase v1alpha1.InstallPlanPhase) *v1alpha1.InstallPlan {
		return &v1alpha1.InstallPlan{ObjectMeta: at(name),
			Spec:   v1alpha1.InstallPlanSpec{Generation: generation, ClusterServiceVersionNames: []string{options().csv(version)}},
			Status: v1alpha1.InstallPlanStatus{Phase: phase}}
	}
	s := world(t, options(), plan("first", 1, "1.0.0", v1alpha1.InstallPlanPhaseComplete), plan("old", 2, "1.1.0", v1alpha1.InstallPlanPhaseFailed),
		plan("new", 3, "1.1.0", v1alpha1.InstallPlanPhaseRequiresApproval), plan("later", 4, "1.1.1", v1alpha1.InstallPlanPhaseRequiresApproval))
	for version, want := range map[string]scorecard.State{"1.1.0": scorecard.PassState, "1.0.0": scorecard.FailState, "9.9.9": scorecard.FailState} {
		if got := result(s, func(ctx context.Context, t report.T) { s.planned(ctx, t, version) }); got.State != want {
			t.Errorf("%s: %+v", version, got)
		}
	}
	var waiting v1alpha1.InstallPlanList
	if err := s.List(t.Context(), &waiting); err != nil {
		t.Fatal(err)
	}
	for _, p := range waiting.Items {
		if p.Spec.Approved {
			t.Errorf("waiting for it has approved %s", p.Name)
		}
	}
	if got := result(s, func(ctx context.Context, t report.T) { s.approve(ctx, t, "1.1.0") }); got.State != scorecard.PassState {
		t.Fatalf("%+v", got)
	}
	var all v1alpha1.InstallPlanList
	if err := s.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, p := range all.Items {
		if p.Spec.Approved != (p.Name == "new") {
			t.Errorf("%s: approved %v", p.Name, p.Spec.Approved)
		}
	}
	if got := result(s, func(ctx context.Context, t report.T) { s.approve(ctx, t, "9.9.9") }); got.State != scorecard.FailState {
		t.Errorf("a release that no plan brings was approved: %+v", got)
	}
}

// TestConditions: what the operator says and what an administrator says are kept apart.
func TestConditions(t *testing.T) {
	s := world(t, options(), &operatorsv2.OperatorCondition{ObjectMeta: at(options().csv("1.0.0"))})
	if found, err := s.upgradeable(t.Context(), "1.0.0"); err != nil || found != nil {
		t.Fatalf("%v, %v", found, err)
	}
	set := func(ctx context.Context, t report.T) {
		s.setCondition(ctx, t, "1.0.0", overrides, metav1.ConditionFalse)
	}
	if got := result(s, set); got.State != scorecard.PassState {
		t.Fatalf("%+v", got)
	}
	if found, err := s.upgradeable(t.Context(), "1.0.0"); err != nil || found != nil {
		t.Errorf("an administrator's word was taken for the operator's: %v, %v", found, err)
	}
	set = func(ctx context.Context, t report.T) {
		s.setCondition(ctx, t, "1.0.0", conditions, metav1.ConditionTrue)
	}
	if got := result(s, set); got.State != scorecard.PassState {
		t.Fatalf("%+v", got)
	}
	var all operatorsv2.OperatorCondition
	if err := s.Get(t.Context(), s.Key(s.csv("1.0.0")), &all); err != nil {
		t.Fatal(err)
	}
	if !meta.IsStatusConditionFalse(all.Spec.Overrides, operatorsv2.Upgradeable) || !meta.IsStatusConditionTrue(all.Spec.Conditions, operatorsv2.Upgradeable) {
		t.Errorf("%+v", all.Spec)
	}
	said := func(ctx context.Context, t report.T) {
		s.awaitUpgradeable(ctx, t, "1.0.0", metav1.ConditionFalse, time.Second)
	}
	if got := result(s, said); got.State != scorecard.FailState {
		t.Errorf("it never said so: %+v", got)
	}
}

// TestAloneInCluster: the suite keeps away from a cluster where somebody has the kinds in use.
func TestAloneInCluster(t *testing.T) {
	owner := func(namespace string) *v1alpha1.ClusterServiceVersion {
		csv := &v1alpha1.ClusterServiceVersion{ObjectMeta: metav1.ObjectMeta{Name: "any.v8", Namespace: namespace}}
		csv.Spec.CustomResourceDefinitions.Owned = []v1alpha1.CRDDescription{{Name: "redisenterpriseclusters." + group}}
		return csv
	}
	for namespace, want := range map[string]scorecard.State{"production": scorecard.FailState, DefaultNamespace: scorecard.PassState,
		DefaultNamespace + "-head": scorecard.PassState, DefaultNamespace + "x": scorecard.FailState} {
		s := world(t, options(), owner(namespace))
		if got := result(s, func(ctx context.Context, t report.T) { s.aloneInCluster(ctx, t) }); got.State != want {
			t.Errorf("%s: %+v", namespace, got)
		}
	}
}

func TestTotal(t *testing.T) {
	const text = "# HELP x\ncontroller_runtime_reconcile_total{controller=\"a\",result=\"success\"} 12\ncontroller_runtime_reconcile_total{controller=\"b\",result=\"error\"} 3\nother 5\n"
	if got, err := total(text, loopsMetric); err != nil || got != 15 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := total("other 5\n", loopsMetric); err == nil {
		t.Error("a metric that is not there was read")
	}
}

// TestMayBeSilent: only a release that is older than the gate may leave it to an administrator.
func TestMayBeSilent(t *testing.T) {
	for version, may := range map[string]bool{"1.0.0": true, "1.1.0": false, "1.1.1": false} {
		if err := mayBeSilent(version, false); (err == nil) != may {
			t.Errorf("%s: %v", version, err)
		}
		if err := mayBeSilent(version, true); err != nil {
			t.Error(err)
		}
	}
}

// TestAGateThatIsLost: the stage ends at its first step when the operator has forgotten to say whether it may be replaced.
func TestAGateThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.From, o.To = "1.1.0", "1.1.1"
		node := &corev1.Pod{ObjectMeta: at("rec-0")}
		node.Labels = names.NodeLabels(firstCluster)
		s := world(t, o, node, &operatorsv2.OperatorCondition{ObjectMeta: at(o.csv("1.1.0"))})
		upgradeGate(t.Context(), s)
		if r := s.found.results; len(r) != 1 || r[0].State != scorecard.FailState || !strings.Contains(strings.Join(r[0].Errors, " "), "says nothing of itself") {
			t.Errorf("%+v", r)
		}
	})
}
