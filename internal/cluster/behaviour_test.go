package cluster

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// answer changes what the admin API says. What changes seldom is read anew after a write, so one is made.
func (b *bench) answer(path string, with map[string]any) {
	b.t.Helper()
	b.api.mu.Lock()
	b.api.answers[path] = with
	b.api.mu.Unlock()
	l := b.kind.Links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"})
	if err := l.Client().UpdatePolicy(b.t.Context(), &rest.ClusterPolicy{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := l.Refresh(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.api.mu.Lock()
	b.api.written = nil
	b.api.mu.Unlock()
}

func TestREC1_SettingsOfOursArePutBackAndOthersLeftAlone(t *testing.T) {
	b := running(t)
	for _, c := range []struct {
		name   string
		policy map[string]any
		writes []string
	}{
		{"as it should be", map[string]any{"slave_ha_grace_period": 1800}, nil},
		{"a setting that the resource does not know", map[string]any{"slave_ha_grace_period": 1800, "default_shards_placement": "sparse"}, nil},
		{"one that the spec could name and does not", map[string]any{"slave_ha_grace_period": 1800, "resp3_default": false}, nil},
		{"one of ours", map[string]any{"slave_ha_grace_period": 60}, []string{"PUT /v1/cluster/policy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.answer("/v1/cluster/policy", c.policy)
			if _, err := b.run(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(b.api.written, c.writes) {
				t.Errorf("%v", b.api.written)
			}
		})
	}
}

func TestREC4_TheStatefulSetIsPutBack(t *testing.T) {
	b := running(t)
	set := &appsv1.StatefulSet{}
	if err := b.get("rec", set); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		harm func() error
	}{
		{"edited by hand", func() error {
			changed := set.DeepCopy()
			changed.Spec.PodManagementPolicy, changed.Spec.Template.Spec.Containers[0].Image = appsv1.OrderedReadyPodManagement, "theirs"
			return b.client.Update(t.Context(), changed, client.FieldOwner("somebody"))
		}},
		{"deleted", func() error { return b.client.Delete(t.Context(), set.DeepCopy()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.harm(); err != nil {
				t.Fatal(err)
			}
			if _, err := b.run(); outcome.Of(err).Kind == outcome.KindRejected {
				t.Fatal(err)
			}
			now := &appsv1.StatefulSet{}
			if err := b.get("rec", now); err != nil {
				t.Fatal(err)
			}
			if imageOf(now, names.NodeContainer) != imageOf(set, names.NodeContainer) || *now.Spec.Replicas != 3 || partition(now) != 3 {
				t.Errorf("%s, %d replicas from %d on", imageOf(now, names.NodeContainer), *now.Spec.Replicas, partition(now))
			}
		})
	}
}

func TestREC25_SettingsWaitForTheFirstNode(t *testing.T) {
	in := inputs(newREC())
	in.License, in.LicensePath = "new", "spec.license"
	in.REC.Spec.RedisUpgradePolicy = v1.RedisUpgradeLatest
	isSetting := func(step string) bool {
		return strings.HasPrefix(step, "install ") || strings.HasPrefix(step, "policy: ")
	}
	o := healthy(in.REC)
	o.Formed, o.Snapshot = false, nil
	if got := printed(planOf(in, o)); slices.ContainsFunc(got, isSetting) {
		t.Errorf("before: %s", strings.Join(got, "\n"))
	}
	got := printed(planOf(in, healthy(in.REC)))
	first := slices.IndexFunc(got, isSetting)
	if first < 0 || !strings.HasPrefix(got[first], "install ") || first < slices.Index(got, "apply StatefulSet rec") {
		t.Errorf("after: %s", strings.Join(got, "\n"))
	}
}

func TestREC20_AnotherNodeSelectorDuringAnUpgrade(t *testing.T) {
	o := healthy(newREC())
	for i := range o.Pods {
		o.Pods[i] = *o.Pods[i].DeepCopy() // they run what was before
	}
	begun := desired(inputs(newREC(tag("8.4.0"))), o.Set)
	o.Set = setOf(begun.Set, o, Rollout{Rolling: true, Upgrade: true, Partition: 2})
	o.Set.Status.CurrentRevision, o.Set.Status.UpdateRevision = "a", "b"
	unready(o, 2)
	if r := planRollout(newREC(tag("8.4.0")), begun.Set, o); !r.Upgrade || r.Partition != 2 {
		t.Fatalf("no upgrade is under way: %+v", r)
	}
	moved := newREC(tag("8.4.0"), func(r *v1.RedisEnterpriseCluster) { r.Spec.NodeSelector = map[string]string{"disk": "fast"} })
	want := desired(inputs(moved), o.Set).Set
	r := planRollout(moved, want, o)
	if !r.Rolling || !r.Upgrade || r.Hold || r.Blocked != nil || r.Partition != 3 {
		t.Errorf("%+v", r)
	}
	if want.Spec.Template.Spec.NodeSelector["disk"] != "fast" || imageOf(want, names.NodeContainer) != "r/redis:8.4.0" {
		t.Errorf("%v, %s", want.Spec.Template.Spec.NodeSelector, imageOf(want, names.NodeContainer))
	}
}

func TestREC34_MoreMemoryRollsThePods(t *testing.T) {
	o := healthy(newREC())
	r := roll(newREC(memory("8Gi")), o)
	if !r.Rolling || r.Upgrade || r.Partition != 3 {
		t.Errorf("%+v", r)
	}
	if found := Validate(asBuilt(newREC(memory("8Gi")), o.Set), newREC(memory("8Gi"))); len(found) > 0 {
		t.Errorf("%v", found)
	}
}

func memory(text string) edit {
	return func(r *v1.RedisEnterpriseCluster) {
		list := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(text)}
		r.Spec.RedisEnterpriseNodeResources = &corev1.ResourceRequirements{Limits: list, Requests: list}
	}
}

func TestREC35_SmallVolumesAreWarnedOf(t *testing.T) {
	without := func(r *v1.RedisEnterpriseCluster) { r.Spec.PersistentSpec = &v1.PersistentSpec{Enabled: ptr.To(false)} }
	for _, c := range []struct {
		name  string
		rec   *v1.RedisEnterpriseCluster
		built *v1.RedisEnterpriseCluster // what the volumes were made for; nil for none
		want  string
	}{
		{"the default fits", newREC(), nil, ""},
		{"five times the memory fits", newREC(memory("2Gi"), size("10Gi")), nil, ""},
		{"less does not", newREC(memory("2Gi"), size("9Gi")), nil, "volumes of 9Gi"},
		{"less than the default memory asks for", newREC(size("1Gi")), nil, "20Gi, five times as much"},
		{"no volumes", newREC(without), nil, ""},
		{"more memory for volumes that are there", newREC(memory("8Gi")), newREC(), "volumes of 20Gi"},
		{"less memory", newREC(memory("2Gi")), newREC(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o *Observed
			if c.built != nil {
				o = healthy(c.built)
			}
			got := strings.Join(advice(&c.rec.Spec, o), "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("by the webhook and by an event", func(t *testing.T) {
		rec := newREC(size("1Gi"))
		b := newBench(t)
		verdict := Reviewer{Cached: b.client}.review(t.Context(), nil, rec)
		if len(verdict.Denials) > 0 || len(verdict.Warnings) != 1 {
			t.Errorf("%+v", verdict)
		}
		events := b.kind.Report(rec.DeepCopy(), rec, Run{Inputs: inputs(rec), Observed: healthy(rec), Validated: true}, nil, epoch)
		if got := told(events, names.EventAdvice); len(got) != 1 || !strings.HasPrefix(got[0], "spec.persistentSpec.volumeSize: ") {
			t.Errorf("%v", events)
		}
	})
}

func TestREC11_WhatIsThereAlreadyIsTaken(t *testing.T) {
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec", Annotations: map[string]string{"theirs": "1"}},
		Spec: corev1.ServiceSpec{ClusterIP: "10.96.0.9", Ports: []corev1.ServicePort{{Name: "old", Port: 1}}}}
	notes := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec-bulletin-board"}, Data: map[string]string{"script.sh": "exit 1"}}
	b := newBench(t, newBorn(), service, notes)
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		t.Fatal(err)
	}
	run, err := b.kind.Run(t.Context(), rec)
	if outcome.Of(err).Reason != v1.ReasonBootstrapping {
		t.Fatalf("%v", err)
	}
	events := b.kind.Report(rec.DeepCopy(), rec, run, err, epoch)
	if got := told(events, names.EventFound); len(got) != 1 || !strings.Contains(got[0], "Service rec, ConfigMap rec-bulletin-board") {
		t.Errorf("%v", got)
	}
	if err := b.get("rec", service); err != nil || !metav1.IsControlledBy(service, rec) || service.Spec.ClusterIP != "10.96.0.9" || service.Annotations["theirs"] != "1" {
		t.Errorf("%v: %+v", err, service)
	}
	if !slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == names.APIPort }) {
		t.Errorf("%v", service.Spec.Ports)
	}
	if err := b.get("rec", &appsv1.StatefulSet{}); err != nil {
		t.Error(err)
	}
	run, err = b.kind.Run(t.Context(), rec)
	if got := told(b.kind.Report(rec.DeepCopy(), rec, run, err, epoch), names.EventFound); len(got) > 0 {
		t.Errorf("told twice: %v", got)
	}
}

func TestREC63_ARenamedAdministratorIsFollowed(t *testing.T) {
	b := running(t)
	secret := &corev1.Secret{}
	if err := b.get("rec", secret); err != nil {
		t.Fatal(err)
	}
	secret.Data[names.UsernameKey], secret.Data[names.PasswordKey] = []byte("other@example.org"), []byte("another")
	if err := b.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	b.edit(func(r *v1.RedisEnterpriseCluster) { r.Spec.Username = "other@example.org" })
	if _, err := b.run(); err != nil {
		t.Fatal(err)
	}
	got := b.kind.Links.Get(types.NamespacedName{Namespace: "ns", Name: "rec"}).Target().Credentials
	if got.Username != "other@example.org" || got.Password != "another" {
		t.Errorf("the operator still is %s", got)
	}
	if err := b.get("rec", secret); err != nil || string(secret.Data[names.UsernameKey]) != "other@example.org" {
		t.Errorf("%v: %s", err, secret.Data[names.UsernameKey])
	}
}

// told are the messages of the events with a reason.
func told(events []kube.Event, reason string) []string {
	var messages []string
	for _, e := range events {
		if e.Reason == reason {
			messages = append(messages, e.Message)
		}
	}
	return messages
}
