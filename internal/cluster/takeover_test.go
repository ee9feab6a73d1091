package cluster

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/children"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

func agree(r *v1.RedisEnterpriseCluster) {
	r.Annotations = map[string]string{names.AnnotationReplacePods: "true"}
}

func generation(n int64) edit {
	return func(r *v1.RedisEnterpriseCluster) { r.Generation = n }
}

// vendors is a healthy cluster as another operator leaves it: no annotation of ours, fields that nobody can change chosen in
// another way, the data somewhere else on the volume, and nobody who writes on the board.
func vendors(rec *v1.RedisEnterpriseCluster) *Observed {
	o := healthy(rec)
	rec.Status.State = v1.ClusterRunning
	o.Board = board.Data{}
	o.Set.Annotations = nil
	o.Set.Spec.ServiceName, o.Set.Spec.PodManagementPolicy = rec.Name, appsv1.OrderedReadyPodManagement
	o.Set.Spec.VolumeClaimTemplates[0].Annotations = map[string]string{"theirs": "1"}
	node := containerOf(&o.Set.Spec.Template.Spec, names.NodeContainer)
	node.VolumeMounts = []corev1.VolumeMount{
		{Name: names.StorageClaim, MountPath: "/opt/persistent"},
		{Name: names.StorageClaim, MountPath: names.LogDir, SubPath: "log-of-theirs"},
		{Name: "scratch", MountPath: "/scratch"},
	}
	containerOf(&o.Set.Spec.Template.Spec, names.BootstrapperContainer).Image = "theirs/operator:8"
	return o
}

func planOfVendors(rec *v1.RedisEnterpriseCluster, o *Observed) Plan {
	o.Formed = o.Formed || formedByAnother(rec, o)
	in := inputs(rec)
	return plan(in, desired(in, o.Set), o)
}

func TestTakeOverLeavesThePodsAlone(t *testing.T) {
	rec := newREC(generation(7))
	o := vendors(rec)
	p := planOfVendors(rec, o)
	if !p.Rollout.Hold || p.Rollout.Rolling || len(p.Rollout.Recreate) > 0 || !strings.Contains(p.Rollout.TakeOver, names.AnnotationReplacePods) {
		t.Errorf("%+v", p.Rollout)
	}
	steps := printed(p)
	if slices.Contains(steps, "apply StatefulSet rec") || !slices.Contains(steps, "note on StatefulSet rec that it is taken over") {
		t.Errorf("%s", strings.Join(steps, "\n"))
	}
	if !slices.Contains(steps, "apply Deployment rec-services-rigger") {
		t.Error("the services rigger waits for the pods")
	}
	if len(p.Remains) > 0 {
		t.Errorf("Ready depends on pods that do their work: %v", p.Remains)
	}
}

func TestTakeOverNeverForgetsThatThereIsACluster(t *testing.T) {
	for _, c := range []struct {
		name   string
		state  v1.ClusterState
		change func(*Observed)
		want   bool
	}{
		{"a cluster that ran", v1.ClusterRunning, func(*Observed) {}, true},
		{"one whose pods are all down", v1.ClusterError, func(o *Observed) { unready(o, 0); unready(o, 1); unready(o, 2) }, true},
		{"one without a status, whose pods work", "", func(*Observed) {}, true},
		{"one that was only begun", v1.ClusterBootstrappingFirstPod, func(o *Observed) { unready(o, 0); unready(o, 1); unready(o, 2) }, false},
		{"one of our own", v1.ClusterRunning, func(o *Observed) { o.Set.Annotations = map[string]string{children.AnnotationTemplate: "x"} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := newREC()
			o := vendors(rec)
			rec.Status.State = c.state
			c.change(o)
			if got := formedByAnother(rec, o); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTakeOverGoesOnWhenAPersonAgrees(t *testing.T) {
	noted := func(rec *v1.RedisEnterpriseCluster, o *Observed) {
		in := inputs(rec)
		metav1.SetMetaDataAnnotation(&o.Set.ObjectMeta, AnnotationTakenOver, noteOf(rec, desired(in, o.Set).Set))
	}
	for _, c := range []struct {
		name   string
		change edit
		held   bool
		renews bool // the note is out of date
	}{
		{"nothing happens", func(*v1.RedisEnterpriseCluster) {}, true, false},
		{"the annotation", agree, false, false},
		{"another value of it", func(r *v1.RedisEnterpriseCluster) {
			r.Annotations = map[string]string{names.AnnotationReplacePods: "no"}
		}, true, false},
		{"a change that asks for other pods", func(r *v1.RedisEnterpriseCluster) { generation(8)(r); annotate(r) }, false, false},
		{"a change that asks for more of them", func(r *v1.RedisEnterpriseCluster) { generation(8)(r); nodes(5)(r) }, false, false},
		{"a change that pods do not feel", func(r *v1.RedisEnterpriseCluster) { generation(8)(r); r.Spec.License = "x" }, true, true},
		{"other pods for the same spec: a new release", annotate, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := newREC(generation(7))
			o := vendors(rec)
			noted(rec, o)
			c.change(rec)
			p := planOfVendors(rec, o)
			if held := p.Rollout.TakeOver != ""; held != c.held || p.Rollout.Rolling == c.held {
				t.Errorf("%+v", p.Rollout)
			}
			steps := printed(p)
			if renews := slices.Contains(steps, "note on StatefulSet rec that it is taken over"); renews != c.renews {
				t.Errorf("%s", strings.Join(steps, "\n"))
			}
			own, apply := slices.Index(steps, "own the fields of StatefulSet rec"), slices.Index(steps, "apply StatefulSet rec")
			if !c.held && (own < 0 || apply != own+1) {
				t.Errorf("the template would be a mixture: %s", strings.Join(steps, "\n"))
			}
		})
	}
}

func TestTakeOverWaitsForTheCluster(t *testing.T) {
	rec := newREC(agree)
	o := vendors(rec)
	o.Snapshot = nil
	p := planOfVendors(rec, o)
	if !p.Rollout.Hold || !strings.Contains(p.Rollout.TakeOver, "as soon as the cluster answers") {
		t.Errorf("%+v", p.Rollout)
	}
	if len(p.Remains) == 0 || !strings.Contains(p.Remains[0].Error(), names.BoardTrusted) {
		t.Errorf("nobody says how the cluster is reached: %v", p.Remains)
	}
	o.Board[names.BoardTrusted] = "pem"
	if got := string(authorities(o.Board)); got != "pem" {
		t.Errorf("trusted: %q", got)
	}
}

func TestTakeOverKeepsWhatNobodyCanChangeAndWhereTheDataIs(t *testing.T) {
	rec := newREC(agree)
	o := vendors(rec)
	set := desired(inputs(rec), o.Set).Set
	if set.Spec.ServiceName != "rec" || set.Spec.PodManagementPolicy != appsv1.OrderedReadyPodManagement || set.Spec.VolumeClaimTemplates[0].Annotations["theirs"] != "1" {
		t.Errorf("%+v", set.Spec)
	}
	mounts := map[string]string{}
	for _, m := range containerOf(&set.Spec.Template.Spec, names.NodeContainer).VolumeMounts {
		if _, twice := mounts[m.MountPath]; twice {
			t.Errorf("%s is mounted twice", m.MountPath)
		}
		mounts[m.MountPath] = m.Name + "/" + m.SubPath
	}
	if mounts["/opt/persistent"] != names.StorageClaim+"/" || mounts[names.LogDir] != names.StorageClaim+"/log-of-theirs" || mounts["/scratch"] != "" || mounts[names.CredentialsDir] == "" {
		t.Errorf("%v", mounts)
	}
	if image := imageOf(set, names.BootstrapperContainer); image != "r/operator:1" {
		t.Errorf("the bootstrapper is %s", image)
	}
	if set.Annotations[children.AnnotationTemplate] != children.Fingerprint(set.Spec.Template) {
		t.Error("the fingerprint is that of another template")
	}
	// From then on it is ours, and stays as it is.
	live := setOf(set, vendorsNoted(o), Rollout{Partition: 3})
	node := containerOf(&live.Spec.Template.Spec, names.NodeContainer)
	slices.Reverse(node.VolumeMounts) // as the server may
	if again := desired(inputs(rec), live).Set; again.Annotations[children.AnnotationTemplate] != set.Annotations[children.AnnotationTemplate] {
		t.Error("the next run asks for another template")
	}
	if foreign(live) || !takenOver(live) {
		t.Errorf("%v", live.Annotations)
	}
}

func planOfVendorsWith(in Inputs, o *Observed) error {
	return plan(in, desired(in, o.Set), o).Remains[0]
}

func vendorsNoted(o *Observed) *Observed {
	metav1.SetMetaDataAnnotation(&o.Set.ObjectMeta, AnnotationTakenOver, "1 x")
	return o
}

func TestTakeOverIsNothingToAClusterOfOurOwn(t *testing.T) {
	rec := newREC(agree)
	o := healthy(rec)
	plain, kept := children.StatefulSet(childrenOf(inputs(rec), o.Set)), desired(inputs(rec), o.Set).Set
	if plain.Annotations[children.AnnotationTemplate] != kept.Annotations[children.AnnotationTemplate] {
		t.Error("another template")
	}
	p := planOf(inputs(rec), o)
	if p.Rollout.Rolling || p.Rollout.TakeOver != "" || len(takeOverSteps(inputs(rec), desired(inputs(rec), o.Set), o, p.Rollout)) > 0 {
		t.Errorf("%+v", p.Rollout)
	}
	k := &Kind{}
	k.Report(rec.DeepCopy(), rec, Run{Observed: o, Validated: true, Rollout: p.Rollout}, nil, epoch)
	if c := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionPodsTakenOver); c != nil {
		t.Errorf("%+v", c)
	}
}

func TestTakeOverIsTold(t *testing.T) {
	rec := newREC(generation(7))
	o := vendors(rec)
	p := planOfVendors(rec, o)
	run := Run{Inputs: inputs(rec), Observed: o, Validated: true, Rollout: p.Rollout}
	k := &Kind{}
	before := rec.DeepCopy()
	events := k.Report(before, rec, run, outcome.Wait(v1.ReasonWaiting, 0, "x"), epoch)
	if !slices.ContainsFunc(events, func(e kube.Event) bool { return e.Reason == names.EventTakenOver && !e.Warning }) {
		t.Errorf("%v", events)
	}
	c := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionPodsTakenOver)
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason != v1.ReasonTakeOverWaits {
		t.Fatalf("%+v", c)
	}
	if events = k.Report(rec.DeepCopy(), rec, run, nil, epoch); slices.ContainsFunc(events, func(e kube.Event) bool { return e.Reason == names.EventTakenOver }) {
		t.Error("told twice")
	}
	o.Set = setOf(desired(run.Inputs, o.Set).Set, vendorsNoted(o), Rollout{Partition: 3})
	run.Rollout = Rollout{}
	k.Report(rec.DeepCopy(), rec, run, nil, epoch)
	if c = meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionPodsTakenOver); c.Status != metav1.ConditionTrue {
		t.Errorf("%+v", c)
	}
}

func TestTakeOverNeverMakesCredentials(t *testing.T) {
	rec := newREC()
	o := vendors(rec)
	in := inputs(rec)
	in.Credentials, in.FreshPassword = Credentials{Secret: "rec"}, "drawn"
	if d := desired(in, o.Set); d.Secret != nil {
		t.Error("a password that the cluster does not know")
	}
	if v := outcome.Of(planOfVendorsWith(in, o)); v.Kind != outcome.KindRejected || !strings.Contains(v.Message, "secret rec does not exist") {
		t.Errorf("%+v", v)
	}
}
