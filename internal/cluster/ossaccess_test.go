package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// reachable is a cluster that gives cluster-aware clients outside a way in.
func reachable(ranges ...string) *v1.RedisEnterpriseCluster {
	rec := newREC()
	rec.Spec.OSSClusterSettings = &v1.OSSClusterSettings{ExternalAccessType: v1.ExternalAccessLoadBalancer, PodCIDRs: ranges}
	return rec
}

// exposing is a healthy cluster whose database wants to be reached from outside.
func exposing(rec *v1.RedisEnterpriseCluster) *Observed {
	o := healthy(rec)
	db := &o.Snapshot.BDBs[0]
	db.OSSCluster, db.Port = rest.Ptr(true), rest.Ptr(rest.Int(12000))
	db.Tags = &[]rest.Tag{{Key: bdb.TagManagedBy, Value: bdb.ManagedBy}, {Key: bdb.TagOSSAccess, Value: bdb.AccessExternal}}
	o.Services, o.Balancers = map[string]*corev1.Service{}, map[int]*corev1.Service{}
	return o
}

// balanced gives load balancers what clouds give them: each pod's an address, the cluster's a name.
func balanced(o *Observed, rec *v1.RedisEnterpriseCluster) *Observed {
	for n := ofCluster; n < 3; n++ {
		service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: balancerName(rec.Name, n)}}
		service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: outsideAddress(n)}}
		if n == ofCluster {
			service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "rec.lb.example.com"}}
		}
		o.Balancers[n], o.Services[service.Name] = service, service
	}
	return o
}

func outsideAddress(n int) string { return fmt.Sprintf("203.0.113.%d", n+1) }

// announcing makes all nodes announce what they should.
func announcing(o *Observed, ranges ...string) *Observed {
	for i := range o.Snapshot.Nodes {
		node := &o.Snapshot.Nodes[i]
		node.ExternalAddr = []string{outsideAddress(i)}
		node.OSSClusterIPMapping = mappingFor(node, ranges)
	}
	return o
}

func stepTexts(steps []Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return out
}

func serviceNames(objects []client.Object) string {
	var out []string
	for _, o := range objects {
		out = append(out, o.GetName())
	}
	return strings.Join(out, " ")
}

func TestNET12_AccessIsPlanned(t *testing.T) {
	all := "rec-cluster rec-0-lb rec-1-lb rec-2-lb"
	rec, ranged, closed := reachable(), reachable("10.30.0.0/16", "10.20.0.0/16"), newREC()
	disabled, grown := reachable(), reachable()
	grown.Spec.Nodes = ptr.To[int32](5)
	disabled.Spec.OSSClusterSettings.ExternalAccessType = v1.ExternalAccessDisabled
	unread := func(o *Observed) *Observed { o.Snapshot = nil; return o }
	silent := func(o *Observed) *Observed {
		late := *o.Snapshot
		late.Err = link.ErrClosed
		o.Snapshot = &late
		return o
	}
	replacing := func(o *Observed) *Observed { o.Pods = o.Pods[:2]; return o }
	without := func(o *Observed, change func(*rest.BDB)) *Observed { change(&o.Snapshot.BDBs[0]); return o }
	withdrawn := func(n int) string {
		return fmt.Sprintf("node %d no longer announces %s, since service rec-%d-lb is not wanted any more", n+1, outsideAddress(n), n)
	}
	announced := func(n int) string {
		return fmt.Sprintf("node %d announces %s instead of nothing to clients outside, as service rec-%d-lb was given it", n+1, outsideAddress(n), n)
	}
	mapped := func(n int) string {
		at := address(n)
		return fmt.Sprintf("node %d is announced to clients of 10.20.0.0/16 as %s, 10.30.0.0/16 as %s, before of no network in particular", n+1, at, at)
	}
	for _, c := range []struct {
		name         string
		rec          *v1.RedisEnterpriseCluster
		o            *Observed
		wanted, kept string
		steps        []string
		waits        string
	}{
		{"nobody asks for anything", closed, healthy(closed), "", "", nil, ""},
		{"a cluster that allows it, and no database that asks", rec, healthy(rec), "", "", nil, ""},
		{"a database that asks, and a cluster that allows nothing", closed, exposing(closed), "", "", nil, ""},
		{"before the cluster was read, what is there stays", rec, unread(balanced(exposing(rec), rec)), "", all, nil, ""},
		{"before load balancers have addresses", rec, exposing(rec), all, "", nil,
			"the load balancer has given no address yet to service rec-cluster, rec-0-lb, rec-1-lb, rec-2-lb"},
		{"more nodes get more load balancers", grown, balanced(exposing(rec), rec), all + " rec-3-lb rec-4-lb", "", []string{announced(0), announced(1), announced(2)},
			"the load balancer has given no address yet to service rec-3-lb, rec-4-lb"},
		{"addresses are told", rec, balanced(exposing(rec), rec), all, "", []string{announced(0), announced(1), announced(2)}, ""},
		{"REC-12 addresses that are known", rec, announcing(balanced(exposing(rec), rec)), all, "", nil, ""},
		{"NET-14 ranges of pods come after the addresses", ranged, balanced(exposing(ranged), ranged), all, "",
			[]string{announced(0), announced(1), announced(2), mapped(0), mapped(1), mapped(2)}, ""},
		{"NET-14 ranges that are known", ranged, announcing(balanced(exposing(ranged), ranged), ranged.Spec.OSSClusterSettings.PodCIDRs...), all, "", nil, ""},
		{"a silent cluster keeps its load balancers", rec, silent(announcing(balanced(exposing(rec), rec))), all, "", nil, ""},
		{"switched off, addresses go before load balancers", closed, announcing(balanced(exposing(closed), closed)), "", "rec-0-lb rec-1-lb rec-2-lb",
			[]string{withdrawn(0), withdrawn(1), withdrawn(2)}, ""},
		{"disabled is the same", disabled, announcing(balanced(exposing(disabled), disabled)), "", "rec-0-lb rec-1-lb rec-2-lb",
			[]string{withdrawn(0), withdrawn(1), withdrawn(2)}, ""},
		{"the last database gone is the same", rec, announcing(balanced(without(exposing(rec), func(b *rest.BDB) { b.Tags = nil }), rec)), "", "rec-0-lb rec-1-lb rec-2-lb",
			[]string{withdrawn(0), withdrawn(1), withdrawn(2)}, ""},
		{"switched off, and addresses gone", closed, balanced(exposing(closed), closed), "", "", nil, ""},
		{"switched off while the cluster is silent", closed, silent(announcing(balanced(exposing(closed), closed))), "", all, nil, ""},
		{"switched off while a pod is being replaced", closed, replacing(announcing(balanced(exposing(closed), closed))), "", "rec-0-lb rec-1-lb rec-2-lb",
			[]string{withdrawn(0), withdrawn(1), withdrawn(2)}, ""},
		{"addresses of somebody else's making stay", closed, announcing(exposing(closed)), "", "", nil, ""},
		{"NET-15 a database that no resource made", rec, without(exposing(rec), func(b *rest.BDB) { b.Tags = &[]rest.Tag{{Key: bdb.TagOSSAccess, Value: "external"}} }), "", "", nil, ""},
		{"NET-15 an Active-Active database", rec, without(exposing(rec), func(b *rest.BDB) { b.CRDT = rest.Ptr(true) }), "", "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := planAccess(inputs(c.rec), c.o)
			if names := serviceNames(got.Wanted); names != c.wanted {
				t.Errorf("wanted: %q, not %q", names, c.wanted)
			}
			if names := serviceNames(got.Kept); names != c.kept {
				t.Errorf("kept: %q, not %q", names, c.kept)
			}
			if texts := stepTexts(got.Steps); !slices.Equal(texts, c.steps) {
				t.Errorf("steps:\n%s\nnot:\n%s", strings.Join(texts, "\n"), strings.Join(c.steps, "\n"))
			}
			waits := ""
			for _, err := range got.Waits {
				if v := outcome.Of(err); v.Kind != outcome.KindWaiting || v.Reason != v1.ReasonAddressPending {
					t.Errorf("not a wait for an address: %+v", v)
				}
				waits += err.Error()
			}
			if waits != c.waits {
				t.Errorf("waits: %q, not %q", waits, c.waits)
			}
		})
	}
}

func TestNET12_AccessInThePlan(t *testing.T) {
	rec := reachable()
	o := exposing(rec)
	p := plan(inputs(rec), desired(inputs(rec), o.Set), o)
	applied, pruned := -1, -1
	for i, s := range p.Steps {
		if text := s.String(); strings.Contains(text, "Service rec-cluster, Service rec-0-lb, Service rec-1-lb, Service rec-2-lb") {
			applied = i
		}
		if prune, ok := s.(pruneObjects); ok {
			pruned = i
			for _, name := range []string{"rec-cluster", "rec-0-lb", "rec-2-lb"} {
				if !strings.Contains(serviceNames(prune.keep), name) {
					t.Errorf("%s would be removed", name)
				}
			}
		}
	}
	if applied < 0 || pruned < applied {
		t.Errorf("steps:\n%s", strings.Join(stepTexts(p.Steps), "\n"))
	}
	if v := outcome.Of(p.Remains[len(p.Remains)-1]); v.Reason != v1.ReasonAddressPending {
		t.Errorf("the wait for addresses is the last of what remains: %v", p.Remains)
	}
	t.Run("a node announces its address last of all steps", func(t *testing.T) {
		o := balanced(exposing(rec), rec)
		p := plan(inputs(rec), desired(inputs(rec), o.Set), o)
		if _, last := p.Steps[len(p.Steps)-1].(setExternal); !last {
			t.Errorf("steps:\n%s", strings.Join(stepTexts(p.Steps), "\n"))
		}
	})
	t.Run("a load balancer keeps annotations of its cloud", func(t *testing.T) {
		o := balanced(exposing(rec), rec)
		rec := rec.DeepCopy()
		rec.Spec.OSSClusterSettings.LoadBalancer = &v1.OSSLoadBalancer{ServiceAnnotations: map[string]string{"cloud": "mine"}}
		o.Services["rec-1-lb"].Annotations = map[string]string{"cloud": "theirs"}
		for _, s := range plan(inputs(rec), desired(inputs(rec), o.Set), o).Steps {
			apply, ok := s.(applyObjects)
			if !ok {
				continue
			}
			for _, object := range apply.objects {
				if got, taken := object.GetAnnotations()["cloud"]; object.GetName() == "rec-1-lb" && taken || object.GetName() == "rec-0-lb" && got != "mine" {
					t.Errorf("%s has %q", object.GetName(), got)
				}
			}
		}
	})
}

// nodeAPI notes what nodes are told, and may refuse it.
type nodeAPI struct {
	API
	told []string
	err  error
}

func (a *nodeAPI) UpdateNode(_ context.Context, uid rest.UID, body *rest.NodeUpdate) error {
	text, err := json.Marshal(body)
	a.told = append(a.told, uid.String()+" "+string(text))
	return errors.Join(a.err, err)
}

func TestNET12_WhatNodesAreTold(t *testing.T) {
	steps := []Step{
		setExternal{node: 1, service: "rec-0-lb", want: []string{"203.0.113.1"}},
		setExternal{node: 1, service: "rec-0-lb", have: []string{"203.0.113.1"}},
		setMapping{node: 1, want: []rest.IPMapping{{Key: "10.30.0.0/16", Value: map[string]any{"ip": "10.0.0.1"}}}},
		setMapping{node: 1, have: []rest.IPMapping{{Key: "10.30.0.0/16"}}},
	}
	want := []string{
		`1 {"external_addr":["203.0.113.1"]}`, `1 {"external_addr":[]}`,
		`1 {"oss_cluster_ip_mapping":[{"key":"10.30.0.0/16","value":{"ip":"10.0.0.1"}}]}`, `1 {"oss_cluster_ip_mapping":[]}`,
	}
	api := &nodeAPI{}
	h := &hands{api: api, run: &Run{}}
	for _, s := range steps {
		if err := s.perform(t.Context(), h); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(api.told, want) || len(h.run.Set) != len(steps) {
		t.Errorf("told %q, noted %q", api.told, h.run.Set)
	}
	api.err = &rest.Error{Status: http.StatusBadRequest, Code: "invalid_schema", Message: "no such thing"}
	for i, path := range []string{"spec.ossClusterSettings.externalAccessType", "", "spec.ossClusterSettings.podCIDRs", ""} {
		if v := outcome.Of(steps[i].perform(t.Context(), h)); v.Kind != outcome.KindRejected || path != "" && v.Path != path || !strings.Contains(v.Message, "no such thing") {
			t.Errorf("a refusal of %q: %+v", steps[i], v)
		}
	}
}

func TestNET14_MappingOfOthersStays(t *testing.T) {
	node := &rest.Node{UID: 1, Addr: "10.0.0.9", OSSClusterIPMapping: []rest.IPMapping{
		{Key: "default", Value: map[string]any{"ip": "x"}}, {Key: "10.20.0.0/16", Value: map[string]any{"ip": "10.0.0.1"}}, {Key: "host.example.com"},
	}}
	got := networks(mappingFor(node, []string{"10.20.0.0/16", "10.20.0.0/16"}))
	if want := "default as x, host.example.com as <nil>, 10.20.0.0/16 as 10.0.0.9"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestNET12_AddressesOfALoadBalancer(t *testing.T) {
	service := &corev1.Service{}
	service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "b.example.com"}, {IP: "203.0.113.9"}, {Hostname: "a.example.com"},
		{IP: "203.0.113.10", Hostname: "c.example.com"}, {IP: "203.0.113.9"}, {}}
	if got := strings.Join(addressesOf(service), " "); got != "203.0.113.10 203.0.113.9 a.example.com b.example.com" {
		t.Error(got)
	}
	if got := addressesOf(nil); got != nil {
		t.Errorf("no service: %v", got)
	}
}

func TestNET14_RangesAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"10.30.0.0/16":  "",
		"2001:db8::/64": "",
		"10.30.0.0":     "spec.ossClusterSettings.podCIDRs[0]: \"10.30.0.0\" is not a range of addresses; write it like 10.30.0.0/16",
		"10.30.7.0/16":  "spec.ossClusterSettings.podCIDRs[0]: 10.30.7.0/16 has bits set behind its mask; the range is 10.30.0.0/16",
	} {
		var got string
		for _, r := range Validate(nil, reachable(text)) {
			got += r.Error()
		}
		if got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
	rec := reachable()
	rec.Spec.OSSClusterSettings.LoadBalancer = &v1.OSSLoadBalancer{ServiceAnnotations: map[string]string{"redis.io/last-keys": "x"}}
	if got := Validate(nil, rec); len(got) != 1 || got[0].Path != "spec.ossClusterSettings.loadBalancer.serviceAnnotations" {
		t.Errorf("REC-9 %v", got)
	}
}
