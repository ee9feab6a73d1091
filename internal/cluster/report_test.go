package cluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// reported is a cluster after one report, starting from the status of a running one.
func reported(t *testing.T, change func(*v1.RedisEnterpriseCluster, *Run), err error) (*v1.RedisEnterpriseCluster, []kube.Event) {
	t.Helper()
	rec := newREC()
	run := Run{Inputs: inputs(rec), Observed: healthy(rec), Validated: true}
	k := &Kind{}
	k.Report(rec.DeepCopy(), rec, run, nil, epoch)
	if rec.Status.State != v1.ClusterRunning {
		t.Fatalf("%+v", rec.Status)
	}
	if change != nil {
		change(rec, &run)
	}
	before := rec.DeepCopy()
	return rec, k.Report(before, rec, run, err, epoch.Add(time.Minute))
}

func TestReportOfNothingNewSaysNothing(t *testing.T) {
	rec, events := reported(t, nil, nil)
	again := rec.DeepCopy()
	(&Kind{}).Report(rec, again, Run{Inputs: inputs(rec), Observed: healthy(rec), Validated: true}, nil, epoch.Add(time.Hour))
	if len(events) != 0 || !kube.Equal(rec.Status, again.Status) {
		t.Errorf("REC-12 %v", events)
	}
}

func TestReport(t *testing.T) {
	refused := outcome.Reject("spec.nodes", "2 nodes are not possible")
	blocked := &outcome.Rejected{Reason: v1.ReasonUpgradeBlocked, Path: "spec.redisEnterpriseImageSpec.versionTag", Message: "the licence has expired"}
	forbidden := fmt.Errorf("apply: %w", apierrors.NewForbidden(schema.GroupResource{Resource: "statefulsets"}, "rec", errors.New("quota")))
	for _, c := range []struct {
		name   string
		change func(*v1.RedisEnterpriseCluster, *Run)
		err    error
		state  v1.ClusterState
		spec   v1.SpecStatus
		ready  metav1.ConditionStatus
		event  string
	}{
		{"REC-28 REC-31 a refused spec", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Validated = false }, refused,
			v1.ClusterInvalid, v1.SpecInvalid, metav1.ConditionFalse, "InvalidConfiguration spec.nodes"},
		{"a missing secret stops nothing else", nil, outcome.Missing("spec.licenseSecretName", "secret x does not exist"),
			v1.ClusterRunning, v1.SpecInvalid, metav1.ConditionFalse, "InvalidConfiguration spec.licenseSecretName"},
		{"REC-39 an upgrade that cannot begin", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Rollout.Blocked = blocked }, blocked,
			v1.ClusterInvalidUpgrade, v1.SpecValid, metav1.ConditionFalse, "InvalidConfiguration"},
		{"REC-31 REC-40 a digest with automatic upgrades", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Validated = false }, blocked,
			v1.ClusterInvalidUpgrade, v1.SpecInvalid, metav1.ConditionFalse, "InvalidConfiguration"},
		{"Kubernetes refuses an object", nil, forbidden, v1.ClusterError, v1.SpecValid, metav1.ConditionTrue, "StatusChange"},
		{"a failure that passes keeps the last known status", nil, errors.New("connection reset"), v1.ClusterRunning, v1.SpecValid, metav1.ConditionTrue, ""},
		{"nothing could be read", func(_ *v1.RedisEnterpriseCluster, r *Run) { *r = Run{} }, errors.New("timeout"), v1.ClusterRunning, v1.SpecValid, metav1.ConditionTrue, ""},
		{"REC-29 a silent cluster is not Ready", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Observed.Snapshot.Err = errors.New("dial") },
			outcome.Wait(v1.ReasonClusterUnreachable, 0, "the cluster does not answer"), v1.ClusterRunning, v1.SpecValid, metav1.ConditionFalse, ""},
		{"REC-29 REC-31 a cluster that stays silent is in error", func(_ *v1.RedisEnterpriseCluster, r *Run) {
			r.Observed.Snapshot.Err, r.Observed.Snapshot.Tried = errors.New("dial"), epoch.Add(time.Minute)
		}, outcome.Wait(v1.ReasonClusterUnreachable, 0, "the cluster does not answer"), v1.ClusterError, v1.SpecValid, metav1.ConditionFalse, "StatusChange Running → Error"},
		{"a pod is released", func(_ *v1.RedisEnterpriseCluster, r *Run) {
			r.Rollout = Rollout{Rolling: true, Waits: "pod rec-2 is being replaced"}
		}, outcome.Wait(v1.ReasonRollingUpdate, 0, "pod rec-2 is being replaced"), v1.ClusterRunningRollingUpdate, v1.SpecValid, metav1.ConditionFalse, "RollingUpdate pod rec-2"},
		{"an upgrade", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Rollout = Rollout{Rolling: true, Upgrade: true} },
			outcome.Wait(v1.ReasonUpgrade, 0, "waits"), v1.ClusterUpgrade, v1.SpecValid, metav1.ConditionFalse, "StatusChange Running → Upgrade"},
		{"REC-23 a node cannot join", func(_ *v1.RedisEnterpriseCluster, r *Run) {
			r.Observed.Board[board.Key("rec-2")] = board.Report{State: rest.BootstrapError, Error: "time_not_sync"}.String()
		}, outcome.Wait(v1.ReasonBootstrapFailed, 0, "pod rec-2: time_not_sync"), v1.ClusterInitializing, v1.SpecValid, metav1.ConditionFalse, "BootstrapFailed pod rec-2"},
		{"REC-116 databases hold up a deletion", func(rec *v1.RedisEnterpriseCluster, r *Run) {
			now := metav1.NewTime(epoch)
			rec.DeletionTimestamp, r.Blockers = &now, []string{"orders"}
		}, outcome.Wait(v1.ReasonDatabasesExist, 0, "first: orders"), v1.ClusterDeleting, v1.SpecValid, metav1.ConditionFalse, "DeletionBlocked first: orders"},
		{"a setting was changed", func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Set = []string{"the licence was installed"} }, nil,
			v1.ClusterRunning, v1.SpecValid, metav1.ConditionTrue, "Updated the licence"},
		{"a field that nothing is done about", func(rec *v1.RedisEnterpriseCluster, _ *Run) { rec.Generation++; rec.Spec.ClusterRecovery = true }, nil,
			v1.ClusterRunning, v1.SpecValid, metav1.ConditionTrue, "FieldNotActedOn spec.clusterRecovery"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, events := reported(t, c.change, c.err)
			if rec.Status.State != c.state || rec.Status.SpecStatus != c.spec {
				t.Errorf("%s, %s", rec.Status.State, rec.Status.SpecStatus)
			}
			if ready := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionReady); ready == nil || ready.Status != c.ready {
				t.Errorf("%+v", ready)
			}
			text := ""
			for _, e := range events {
				text += e.Reason + " " + e.Message + "\n"
			}
			if c.event == "" && text != "" || !strings.Contains(text, c.event) {
				t.Errorf("events: %s", text)
			}
		})
	}
}

func TestREC29_ASecondRefusalIsToldToo(t *testing.T) {
	k := &Kind{}
	rec := newREC()
	run := Run{Inputs: inputs(rec), Observed: healthy(rec)}
	k.Report(rec.DeepCopy(), rec, run, outcome.Reject("spec.nodes", "first"), epoch)
	before := rec.DeepCopy()
	if events := k.Report(before, rec, run, outcome.Reject("spec.nodes", "first"), epoch); len(events) != 0 {
		t.Errorf("the same refusal is told twice: %v", events)
	}
	before = rec.DeepCopy()
	rec.Generation++
	events := k.Report(before, rec, run, outcome.Reject("spec.license", "second"), epoch)
	if len(events) != 1 || events[0].Reason != names.EventInvalidConfiguration || !strings.Contains(events[0].Message, "second") {
		t.Errorf("%v", events)
	}
}

func TestREC74_AnExpiredLicence(t *testing.T) {
	rec, _ := reported(t, func(_ *v1.RedisEnterpriseCluster, r *Run) { r.Observed.Snapshot.License.Expired = true }, nil)
	if rec.Status.LicenseStatus.LicenseState != v1.LicenseStateExpired || !meta.IsStatusConditionFalse(rec.Status.Conditions, v1.ConditionLicenseValid) {
		t.Errorf("%+v", rec.Status)
	}
	if !meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionReady) {
		t.Error("databases go on with an expired licence")
	}
}

func TestREC72_ShardsAreCounted(t *testing.T) {
	rec, _ := reported(t, nil, nil)
	if l := rec.Status.LicenseStatus; l.ShardsUsage != "2/4" || l.RAMShards != 2 || l.RAMShardsLimit != nil {
		t.Errorf("%+v", l)
	}
}

func TestREC30_ModulesAndVersions(t *testing.T) {
	got := modules([]rest.Module{{ModuleName: "search", DisplayName: "Search", SemanticVersion: "2.8"}, {ModuleName: "bf", SemanticVersion: "2.6"}, {ModuleName: "search", SemanticVersion: "2.10"}})
	if len(got) != 2 || got[0].Name != "bf" || len(got[1].Versions) != 2 {
		t.Errorf("%+v", got)
	}
	nodes := []rest.Node{
		{SupportedDatabaseVersions: []rest.DatabaseVersion{{DBType: "redis", Version: "8.0"}, {DBType: "redis", Version: "7.4", Major: true}}},
		{SupportedDatabaseVersions: []rest.DatabaseVersion{{DBType: "redis", Version: "7.4", Major: true}}},
	}
	if got := databaseVersions(nodes); len(got) != 1 || got[0].Version != "7.4" || !got[0].Major {
		t.Errorf("only what every node can run: %+v", got)
	}
}
