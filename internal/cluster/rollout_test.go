package cluster

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func annotate(r *v1.RedisEnterpriseCluster) { r.Spec.PodAnnotations = map[string]string{"a": "b"} }

func tag(t string) edit {
	return func(r *v1.RedisEnterpriseCluster) { r.Spec.RedisEnterpriseImageSpec = &v1.ImageSpec{VersionTag: t} }
}

func roll(rec *v1.RedisEnterpriseCluster, o *Observed) Rollout {
	return planRollout(rec, wantedSet(rec, o), o)
}

func TestREC42_AtRestNothingCanRollByItself(t *testing.T) {
	rec := newREC()
	if r := roll(rec, &Observed{}); r.Rolling || r.Partition != 3 {
		t.Errorf("new: %+v", r)
	}
	if r := roll(rec, healthy(rec)); r.Rolling || r.Partition != 3 {
		t.Errorf("converged: %+v", r)
	}
}

func TestREC43_AChangeBeginsWithAllPodsHeldBack(t *testing.T) {
	o := healthy(newREC())
	setPartition(o, 0)
	r := roll(newREC(annotate), o)
	if !r.Rolling || r.Upgrade || r.Partition != 3 || r.Hold {
		t.Errorf("%+v", r)
	}
	if r = roll(newREC(tag("8.4.0")), o); !r.Rolling || !r.Upgrade || r.Partition != 3 {
		t.Errorf("an upgrade: %+v", r)
	}
}

func TestREC32_ScaleOutWithAChangeHoldsBackTheNewPodsToo(t *testing.T) {
	o := healthy(newREC())
	if r := roll(newREC(annotate, nodes(5)), o); r.Partition != 5 {
		t.Errorf("%+v", r)
	}
}

// From the template change to the end, each step follows from what is there: an operator that was killed anywhere goes on.
func TestREC42_OnePodAfterTheOther(t *testing.T) {
	rec := newREC()
	for _, c := range []struct {
		name      string
		change    func(*Observed)
		partition int32
		waits     string
		over      bool
	}{
		{"the last pod goes first", func(*Observed) {}, 2, "pod rec-2 is being replaced", false},
		{"a released pod is not released twice", func(o *Observed) { setPartition(o, 2) }, 2, "pod rec-2 is being replaced", false},
		{"a pod that is away holds the next one", func(o *Observed) { setPartition(o, 2); o.Pods = o.Pods[:2] }, 2, "pod rec-2 does not exist", false},
		{"a pod that is back but not ready holds the next one", func(o *Observed) { setPartition(o, 2); replaced(o, 2); unready(o, 2) }, 2, "pod rec-2 is not ready", false},
		{"a pod that is back releases the next one", func(o *Observed) { setPartition(o, 2); replaced(o, 2) }, 1, "pod rec-1 is being replaced", false},
		{"copying holds the next one", func(o *Observed) {
			setPartition(o, 1)
			replaced(o, 1, 2)
			o.Snapshot.Shards[1].Sync.Status = "in_progress"
		}, 1, "pod rec-0 is replaced as soon as this is over: replica 2", false},
		{"all are back, Kubernetes has not noticed", func(o *Observed) { setPartition(o, 0); replaced(o, 0, 1, 2) }, 0, "Kubernetes has yet", false},
		{"all are back", func(o *Observed) { setPartition(o, 0); replaced(o, 0, 1, 2); o.Set.Status.CurrentRevision = "b" }, 3, "", true},
		{"Kubernetes has not seen the change", func(o *Observed) { o.Set.Generation = 2; o.Set.Status.ObservedGeneration = 1 }, 3, "Kubernetes has yet", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := changed(rec)
			setPartition(o, 3)
			c.change(o)
			r := roll(rec, o)
			if r.Partition != c.partition || !strings.HasPrefix(r.Waits, c.waits) && !strings.Contains(r.Waits, c.waits) || r.Rolling == c.over {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestREC42_MoreThanNineNodes(t *testing.T) {
	rec := newREC(nodes(11))
	o := changed(rec)
	setPartition(o, 11)
	if r := roll(rec, o); r.Partition != 10 {
		t.Errorf("pod 10 is the last, not pod 9: %+v", r)
	}
}

func TestREC27_AnUpgradeStaysOneUntilTheEnd(t *testing.T) {
	rec := newREC()
	o := changed(rec)
	o.Set.Annotations[AnnotationRollout] = v1.ReasonUpgrade
	setPartition(o, 0)
	replaced(o, 0, 1, 2)
	if r := roll(rec, o); !r.Rolling || !r.Upgrade {
		t.Errorf("%+v", r)
	}
}

func TestREC29_AnotherImageDuringAnUpgradeIsTaken(t *testing.T) {
	rec := newREC(tag("8.4.0"))
	o := changed(rec)
	unready(o, 2)
	r := roll(newREC(tag("8.4.1")), o)
	if !r.Rolling || !r.Upgrade || r.Partition != 3 || r.Hold {
		t.Errorf("%+v", r)
	}
}

func TestREC39_REC46_REC74_AnUpgradeThatCannotBeFinishedIsNotBegun(t *testing.T) {
	o := healthy(newREC())
	o.Snapshot.License.Expired = true
	r := roll(newREC(tag("8.4.0")), o)
	v := outcome.Of(r.Blocked)
	if !r.Hold || r.Rolling || v.Reason != v1.ReasonUpgradeBlocked || !strings.Contains(v.Message, "licence") {
		t.Errorf("%+v: %+v", r, v)
	}
	if r = roll(newREC(annotate), o); r.Hold {
		t.Error("a change that is no upgrade was held back")
	}
	o = healthy(newREC())
	for i := range o.Set.Spec.Template.Spec.Containers {
		o.Set.Spec.Template.Spec.Containers[i].Image = "r/redis:7.22.2-43"
	}
	if r = roll(newREC(tag("8.0.20-26")), o); !r.Hold || !strings.Contains(r.Blocked.Error(), "not supported") {
		t.Errorf("%+v", r)
	}
}

// Before there is a cluster no node becomes ready, so that waiting for one would never end.
func TestREC26_AWrongImageBeforeTheClusterExistsIsRepaired(t *testing.T) {
	rec := newREC()
	o := changed(rec)
	o.Formed = false
	r := roll(rec, o)
	if r.Partition != 0 || !slices.Equal(r.Recreate, []string{"rec-0", "rec-1", "rec-2"}) {
		t.Errorf("%+v", r)
	}
}

func TestREC36_ANewOperatorDoesNotRollTheNodes(t *testing.T) {
	rec := newREC(tag("8.2.0"))
	o := healthy(rec)
	in := inputs(rec)
	in.Platform.Bootstrapper.Tag, in.Platform.Node.Tag = "2", "8.4.0"
	if r := planRollout(rec, desired(in, o.Set).Set, o); r.Rolling {
		t.Errorf("%+v", r)
	}
	in.REC = newREC()
	if r := planRollout(rec, desired(in, o.Set).Set, o); r.Rolling {
		t.Errorf("with the tag removed from the spec: %+v", r)
	}
	in.REC = newREC(tag("8.4.0"))
	d := desired(in, o.Set)
	if r := planRollout(rec, d.Set, o); !r.Upgrade || imageOf(d.Set, names.BootstrapperContainer) != "r/operator:2" {
		t.Errorf("the upgrade brings the new bootstrapper along: %+v, %s", r, imageOf(d.Set, names.BootstrapperContainer))
	}
}

// What OLM gives is named by digest, under a tag that the spec has had since the cluster was made.
func TestREC36_ANewDigestDoesNotRollTheNodes(t *testing.T) {
	const first, second = "sha256:aaaa", "sha256:bbbb"
	mirrored := func(r *v1.RedisEnterpriseCluster) { r.Spec.RedisEnterpriseImageSpec.Repository = "mirror/redis" }
	auto := func(r *v1.RedisEnterpriseCluster) {
		r.Spec.UpgradeSpec = &v1.ClusterUpgradeSpec{AutoUpgradeRedisEnterprise: true}
	}
	bootstrapper := func(spec v1.ImageSpec) edit {
		return func(r *v1.RedisEnterpriseCluster) { r.Spec.BootstrapperImageSpec = &spec }
	}
	digest := func(d string) edit {
		return func(r *v1.RedisEnterpriseCluster) { r.Spec.RedisEnterpriseImageSpec.DigestHash = d }
	}
	fips := func(r *v1.RedisEnterpriseCluster) {
		r.Spec.SecurityContext = &v1.SecurityContext{FIPS: &v1.FIPS{Enabled: true}}
	}
	for _, c := range []struct {
		name     string
		spec     []edit // since the cluster was made
		change   []edit // by the user, after the operator changed
		now      platform.Image
		rolls    bool
		image    string // of the nodes from now on
		born     bool
		operator string // the bootstrapper's
	}{
		{"another digest at the same tag", nil, nil, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"another default tag", nil, nil, platform.Image{Repository: "r/redis", Tag: "8.4.0", Digest: second}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"another registry", nil, nil, platform.Image{Repository: "mirror/redis", Tag: "8.2.0", Digest: first}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"a default without digest", nil, nil, platform.Image{Repository: "r/redis", Tag: "8.2.0"}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"a repository in the spec", []edit{mirrored}, nil, platform.Image{Repository: "mirror/redis", Tag: "8.2.0", Digest: second}, false, "mirror/redis:8.2.0", true, "r/operator@" + first},
		{"a pull policy of the bootstrapper", []edit{bootstrapper(v1.ImageSpec{ImagePullPolicy: "Always"})}, nil, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"a tag that the user changes", nil, []edit{tag("8.4.0")}, platform.Image{Repository: "r/redis", Tag: "8.4.0", Digest: second}, true, "r/redis:8.4.0@" + second, true, "r/operator@" + second},
		{"a tag that the user changes to no default", nil, []edit{tag("8.3.0")}, platform.Image{Repository: "r/redis", Tag: "8.4.0", Digest: second}, true, "r/redis:8.3.0", true, "r/operator@" + second},
		{"a digest that the user asks for", nil, []edit{digest("sha256:cccc")}, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, true, "r/redis:8.2.0@sha256:cccc", true, "r/operator@" + second},
		{"a registry that the user asks for", nil, []edit{mirrored}, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, true, "mirror/redis:8.2.0", true, "r/operator@" + second},
		{"another bootstrapper that the user asks for", nil, []edit{bootstrapper(v1.ImageSpec{DigestHash: "sha256:dddd"})}, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, true, "r/redis:8.2.0@" + first, true, "r/operator@sha256:dddd"},
		{"REC-109 FIPS where the tag is another one", []edit{tag("8.1.0")}, []edit{fips}, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, true, "r/redis:8.1.0.fips", true, "r/operator@" + second},
		{"REC-37 automatic upgrades follow a digest", nil, []edit{auto}, platform.Image{Repository: "r/redis", Tag: "8.2.0", Digest: second}, true, "r/redis:8.2.0@" + second, true, "r/operator@" + second},
		{"REC-37 automatic upgrades follow no registry", nil, []edit{auto}, platform.Image{Repository: "mirror/redis", Tag: "8.2.0", Digest: first}, false, "r/redis:8.2.0@" + first, true, "r/operator@" + first},
		{"a registry put right before the first node came up", nil, nil, platform.Image{Repository: "mirror/redis", Tag: "8.2.0", Digest: first}, true, "mirror/redis:8.2.0@" + first, false, "r/operator@" + second},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := newREC(append([]edit{tag("8.2.0")}, c.spec...)...)
			before := inputs(made)
			before.Platform.Node.Digest = first
			before.Platform.Bootstrapper = platform.Image{Repository: "r/operator", Digest: first}
			o := healthy(made)
			o.Set = setOf(desired(before, nil).Set, &Observed{}, Rollout{Partition: 3})
			o.Set.Status = appsv1.StatefulSetStatus{CurrentRevision: "a", UpdateRevision: "a", ReadyReplicas: 3}
			for i := range o.Pods {
				o.Pods[i].Spec.Containers = o.Set.Spec.Template.Spec.Containers
			}
			after := before
			after.REC = made.DeepCopy()
			for _, change := range c.change {
				change(after.REC)
			}
			if !c.born {
				after.REC.Status.State, o.Set.Status.ReadyReplicas = v1.ClusterBootstrappingFirstPod, 0
			}
			after.Platform.Node = c.now
			after.Platform.Bootstrapper.Digest = second
			want := desired(after, o.Set).Set
			if r := planRollout(after.REC, want, o); r.Rolling != c.rolls {
				t.Errorf("%+v", r)
			}
			if got := imageOf(want, names.NodeContainer); got != c.image {
				t.Errorf("nodes run %s, want %s", got, c.image)
			}
			if got := imageOf(want, names.BootstrapperContainer); got != c.operator {
				t.Errorf("the bootstrapper is %s, want %s", got, c.operator)
			}
		})
	}
}

func TestREC6_WhatIsWrittenInTheSpec(t *testing.T) {
	auto := func(r *v1.RedisEnterpriseCluster) {
		r.Spec.UpgradeSpec = &v1.ClusterUpgradeSpec{AutoUpgradeRedisEnterprise: true}
	}
	live := healthy(newREC()).Set
	for _, c := range []struct {
		name string
		rec  *v1.RedisEnterpriseCluster
		live bool
		want string
	}{
		{"the default at creation", newREC(), false, "8.2.0"},
		{"nothing over what the user wrote", newREC(tag("8.1.0")), false, ""},
		{"nothing later", newREC(), true, ""},
		{"REC-37 our version with automatic upgrades", newREC(tag("8.1.0"), auto), true, "8.2.0"},
		{"REC-37 nothing when it is our version already", newREC(tag("8.2.0"), auto), true, ""},
	} {
		set := live
		if !c.live {
			set = nil
		}
		if got := versionTag(inputs(c.rec), set); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestSettled(t *testing.T) {
	o := healthy(newREC())
	if !settled(o) {
		t.Error("a converged cluster is not settled")
	}
	o.Pods = o.Pods[:2]
	if !settled(o) {
		t.Error("a pod that restarts is no rollout")
	}
	o.Snapshot.Nodes[0].Status = rest.NodeDown
	if !settled(o) {
		t.Error("a node that is down is no rollout")
	}
}
