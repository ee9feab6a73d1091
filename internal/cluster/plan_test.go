package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// printed are the steps as the log shows them.
func printed(p Plan) []string {
	var out []string
	for _, s := range p.Steps {
		out = append(out, s.String())
	}
	return out
}

func planOf(in Inputs, o *Observed) Plan { return plan(in, desired(in, o.Set), o) }

func TestREC21_OrderOfANewCluster(t *testing.T) {
	in := inputs(newREC())
	in.Credentials = Credentials{Secret: "rec"}
	in.FreshPassword = "drawn"
	got := printed(planOf(in, &Observed{}))
	want := []string{
		"set spec.redisEnterpriseImageSpec.versionTag to 8.2.0",
		"create secret rec",
		"apply ServiceAccount rec, Role rec, RoleBinding rec, Service rec, Service rec-ui, Service rec-prom, PodDisruptionBudget rec, ConfigMap rec-bulletin-board",
		"apply StatefulSet rec",
		"apply Deployment rec-services-rigger",
		"prune what is no longer wanted",
		"prune objects about metrics",
		"prune ways in that are no longer wanted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestPlanOfAConvergedClusterOnlyLooks(t *testing.T) {
	rec := newREC()
	p := planOf(inputs(rec), healthy(rec))
	for _, step := range printed(p) {
		if !strings.HasPrefix(step, "apply ") && !strings.HasPrefix(step, "prune ") { // these write on a difference only
			t.Errorf("%s", step)
		}
	}
	if len(p.Remains) != 0 {
		t.Errorf("%v", p.Remains)
	}
}

func TestAClusterIsNotReadyBeforeItsLastNodeHasLeftMaintenance(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	o.Snapshot.NodeStatus[3] = rest.NodeStatus{MaintenanceSnapshot: map[string]any{"name": "x"}}
	remains := planOf(inputs(rec), o).Remains
	var wait *outcome.Waiting
	if len(remains) != 1 || !errors.As(remains[0], &wait) || wait.Message != "node 3 is still in maintenance" {
		t.Errorf("%v", remains)
	}
}

func TestREC8_TheMasterLabelFollowsTheMaster(t *testing.T) {
	rec := newREC()
	o := healthy(rec)
	o.Snapshot.NodeStatus[1], o.Snapshot.NodeStatus[3] = rest.NodeStatus{Role: rest.RoleSlave}, rest.NodeStatus{Role: rest.RoleMaster}
	var got []string
	for _, s := range masterLabels(o) {
		got = append(got, s.String())
	}
	if !slices.Equal(got, []string{"take the master's label off pod rec-0", "label pod rec-2 as the master's"}) {
		t.Errorf("%v", got)
	}
	o.Snapshot.Err = errors.New("silent")
	if got := masterLabels(o); len(got) != 0 {
		t.Errorf("an old reading moves the label: %v", got)
	}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Inputs, *Observed)
		want   string
	}{
		{"REC-71 a licence that differs is installed", func(in *Inputs, _ *Observed) { in.License, in.LicensePath = "new", "spec.license" }, "install the licence of spec.license"},
		{"REC-71 line breaks do not count", func(in *Inputs, o *Observed) {
			in.License, o.Snapshot.License.License = "a\nb\n", "a\r\nb"
		}, ""},
		{"STB-5 the period for lost replicas is 1800 seconds by default", func(_ *Inputs, o *Observed) {
			o.Snapshot.Policy.SlaveHAGracePeriod = rest.Ptr(rest.Int(600))
		}, "policy: spec.slaveHA.slaveHAGracePeriod (slave_ha_grace_period): 600 → 1800"},
		{"REC-112 0 leaves the period as it is", func(in *Inputs, o *Observed) {
			in.REC.Spec.SlaveHA = &v1.SlaveHA{}
			o.Snapshot.Policy.SlaveHAGracePeriod = rest.Ptr(rest.Int(600))
		}, ""},
		{"REC-93 REC-112 the policy follows the spec", func(in *Inputs, _ *Observed) {
			in.REC.Spec.RESP3Default = rest.Ptr(false)
			in.REC.Spec.RedisUpgradePolicy = v1.RedisUpgradeLatest
			in.REC.Spec.DataInternodeEncryption = rest.Ptr(true)
			in.REC.Spec.Auditing = &v1.Auditing{DBConnsAuditing: rest.Ptr(true)}
		}, "policy: spec.redisUpgradePolicy (redis_upgrade_policy): unset → latest, spec.resp3Default (resp3_default): unset → false, " +
			"spec.dataInternodeEncryption (data_internode_encryption): unset → true, spec.auditing.dbConnsAuditing (db_conns_auditing): unset → true"},
		{"REC-82 REC-115 the cluster follows the spec", func(in *Inputs, o *Observed) {
			in.REC.Spec.EncryptPkeys, in.REC.Spec.DMCExternalCBAAuthentication = rest.Ptr(true), rest.Ptr(true)
			in.REC.Spec.Backup = &v1.ClusterBackup{S3: &v1.ClusterBackupS3{URL: "https://store.example.org"}}
			o.Snapshot.Cluster = &rest.Cluster{EncryptPkeys: rest.Ptr(false), S3URL: rest.Ptr(""), DMCExternalCBAAuthentication: rest.Ptr(true)}
		}, "cluster: spec.encryptPkeys (encrypt_pkeys): false → true, spec.backup.s3.url (s3_url): unset → https://store.example.org"},
		{"REC-2 nor what it no longer mentions", func(_ *Inputs, o *Observed) {
			o.Snapshot.Cluster = &rest.Cluster{EncryptPkeys: rest.Ptr(true), S3URL: rest.Ptr("https://store.example.org")}
		}, ""},
		{"REC-2 what the spec does not mention is left alone", func(_ *Inputs, o *Observed) { o.Snapshot.Policy.RESP3Default = rest.Ptr(true) }, ""},
		{"REC-113 services are switched", func(in *Inputs, o *Observed) {
			in.REC.Spec.RedisEnterpriseServicesConfiguration = &v1.ServicesConfiguration{
				CMServer: &v1.ServiceMode{OperatingMode: v1.ModeDisabled}, MDNSServer: &v1.ServiceMode{OperatingMode: v1.ModeEnabled}}
			o.Modes = rest.ServicesConfiguration{"cm_server": {OperatingMode: "enabled"}, "mdns_server": {OperatingMode: "enabled"}}
		}, "service cm_server: enabled → disabled"},
		{"REC-38 nothing is set during an upgrade", func(in *Inputs, o *Observed) {
			in.License = "new"
			o.Set.Status.UpdateRevision = "b"
			o.Set.Annotations[AnnotationRollout] = v1.ReasonUpgrade
		}, ""},
		{"nothing is set while the cluster is silent", func(in *Inputs, o *Observed) { in.License, o.Snapshot.Err = "new", errors.New("silent") }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := inputs(newREC())
			o := healthy(in.REC)
			c.change(&in, o)
			var got []string
			for _, s := range printed(planOf(in, o)) {
				if !strings.HasPrefix(s, "apply ") && !strings.HasPrefix(s, "prune ") && !strings.HasPrefix(s, "set spec.") {
					got = append(got, s)
				}
			}
			if joined := strings.Join(got, "; "); joined != c.want {
				t.Errorf("%s", joined)
			}
		})
	}
}

func TestREC22_TheBoardNeverForgetsThatAClusterExists(t *testing.T) {
	rec := newREC()
	in := inputs(rec)
	o := healthy(rec)
	o.Board = nil // removed by hand
	cm := boardOf(in, o)
	if cm.Data[names.BoardFormed] != "true" || cm.Data[names.BoardMembers] != "10.0.0.1,10.0.0.2,10.0.0.3" {
		t.Errorf("%v", cm.Data)
	}
	if cm = boardOf(in, &Observed{}); cm.Data[names.BoardFormed] != "" || cm.Data[names.BoardMembers] != "" {
		t.Errorf("before there is a cluster: %v", cm.Data)
	}
}

func TestREC22_Members(t *testing.T) {
	rec := newREC()
	for _, c := range []struct {
		name   string
		change func(*Observed)
		want   string
	}{
		{"a node that is down is nothing to join through", func(o *Observed) { unready(o, 0) }, "10.0.0.2 10.0.0.3"},
		{"while the cluster is silent the pods' own words count", func(o *Observed) {
			o.Snapshot.Err = errors.New("silent")
			o.Board[board.Key("rec-2")] = board.Report{State: rest.BootstrapIdle, Address: "10.0.0.3"}.String()
		}, "10.0.0.1 10.0.0.2"},
		{"when nobody is known the former members stay", func(o *Observed) {
			o.Pods, o.Board[names.BoardMembers] = nil, "10.0.0.7"
		}, "10.0.0.7"},
	} {
		o := healthy(rec)
		c.change(o)
		if got := strings.Join(membersOf(o), " "); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestAddressesPreferMembers(t *testing.T) {
	o := healthy(newREC())
	o.Board[board.Key("rec-1")] = board.Report{State: rest.BootstrapIdle, Address: "10.0.0.2"}.String()
	o.Pods[2].Status.PodIP = "10.0.0.30" // the entry on the board is older than the pod
	if got := strings.Join(addresses(o), " "); got != "10.0.0.1" {
		t.Errorf("%s", got)
	}
	o.Board = board.Data{}
	if got := strings.Join(addresses(o), " "); got != "10.0.0.1 10.0.0.2 10.0.0.30" {
		t.Errorf("with an empty board: %s", got)
	}
}

func TestMembership(t *testing.T) {
	rec := newREC()
	for _, c := range []struct {
		name   string
		change func(*Observed)
		reason string
		words  string
	}{
		{"complete", func(*Observed) {}, "", ""},
		{"REC-23 REC-24 a node that cannot join says why", func(o *Observed) {
			o.Board[board.Key("rec-1")] = board.Report{State: rest.BootstrapError, Error: "time_not_sync", ErrorMessage: "clocks differ"}.String()
		}, v1.ReasonBootstrapFailed, "pod rec-1: time_not_sync clocks differ"},
		{"REC-26 the first start is no error", func(o *Observed) { o.Formed = false }, v1.ReasonBootstrapping, "rec-0"},
		{"REC-29 a silent cluster", func(o *Observed) { o.Snapshot.Err = errors.New("dial") }, v1.ReasonClusterUnreachable, "does not answer"},
		{"refused credentials", func(o *Observed) { o.Snapshot.Err = &rest.Error{Status: 401} }, v1.ReasonClusterUnreachable, "refuses the credentials in secret rec"},
		{"no majority", func(o *Observed) { o.Snapshot.Err = &rest.Error{Status: 503} }, v1.ReasonClusterUnreachable, "no majority"},
		{"a node is down", func(o *Observed) { o.Snapshot.Nodes[1].Status = rest.NodeDown }, v1.ReasonNodesDown, "node 2 at 10.0.0.2 is down"},
		{"a pod is missing", func(o *Observed) { o.Pods = o.Pods[:2] }, v1.ReasonNodesJoining, "2 of 3 nodes are up; pod rec-2 does not exist yet"},
		{"STB-4 a pod that is not ready", func(o *Observed) { o.Pods[0].Status.Conditions[0].Status = corev1.ConditionFalse }, v1.ReasonNodesJoining, "pod rec-0 is not ready yet"},
		{"a node that is joining", func(o *Observed) {
			o.Snapshot.Nodes = o.Snapshot.Nodes[:2]
			o.Board[board.Key("rec-2")] = board.Report{State: rest.BootstrapJoining, Address: "10.0.0.3"}.String()
		}, v1.ReasonNodesJoining, "pod rec-2 is joining (joining_cluster)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := healthy(rec)
			c.change(o)
			reason, sentence := membership(rec, o)
			if reason != c.reason || !strings.Contains(sentence, c.words) {
				t.Errorf("%s: %s", reason, sentence)
			}
		})
	}
}

func TestRemainsShowsTheProblemOfAPersonFirst(t *testing.T) {
	in := inputs(newREC())
	in.Problems = []error{outcome.Missing("spec.licenseSecretName", "secret x does not exist")}
	o := healthy(in.REC)
	o.Pods = o.Pods[:2]
	v := outcome.Of(errors.Join(planOf(in, o).Remains...))
	if v.Kind != outcome.KindRejected || v.Path != "spec.licenseSecretName" {
		t.Errorf("%+v", v)
	}
}

func TestAForeignAnnotationIsLeftAlone(t *testing.T) {
	in := inputs(newREC(func(r *v1.RedisEnterpriseCluster) {
		r.Spec.Services = &v1.Services{ServicesAnnotations: map[string]string{"a": "ours"}}
	}))
	o := healthy(in.REC)
	live := children.APIService(childrenOf(in, o.Set))
	live.Annotations = map[string]string{"a": "foreign"}
	o.Services = map[string]*corev1.Service{"rec": live}
	for _, step := range planOf(in, o).Steps {
		apply, ok := step.(applyObjects)
		if !ok {
			continue
		}
		for _, object := range apply.objects {
			if _, service := object.(*corev1.Service); service && object.GetName() == "rec" && object.GetAnnotations()["a"] != "" {
				t.Errorf("NET-16 %v", object.GetAnnotations())
			}
		}
	}
}

func TestREC48_PodsThatHangWhileStarting(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy *v1.PodStartingPolicy
		want   []string
	}{
		{"no policy", nil, nil},
		{"switched off", &v1.PodStartingPolicy{StartingThresholdSeconds: 60}, nil},
		{"a threshold of 0", &v1.PodStartingPolicy{Enabled: true}, nil},
		{"longer than the threshold", &v1.PodStartingPolicy{Enabled: true, StartingThresholdSeconds: 60}, []string{"rec-1"}},
		{"not yet longer", &v1.PodStartingPolicy{Enabled: true, StartingThresholdSeconds: 540}, nil},
	} {
		in := inputs(newREC())
		in.REC.Spec.PodStartingPolicy, in.Now = c.policy, epoch.Add(2*time.Minute)
		o := healthy(in.REC)
		for i := range o.Pods {
			o.Pods[i].CreationTimestamp, o.Pods[i].Status.Phase = metav1.NewTime(epoch), corev1.PodRunning
		}
		o.Pods[1].Status.Phase = corev1.PodPending
		o.Pods[2].Status.Phase, o.Pods[2].CreationTimestamp = corev1.PodPending, metav1.NewTime(in.Now)
		if got := hanging(in, o); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
