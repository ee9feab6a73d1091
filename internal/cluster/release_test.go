package cluster

import (
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

func TestREC42_AHealthyClusterReleasesAnyPod(t *testing.T) {
	rec := newREC()
	for target := range 3 {
		if refusal := mayReplace(release0(rec, changed(rec), target)); refusal != "" {
			t.Errorf("pod %d: %s", target, refusal)
		}
	}
}

// Each rule refuses by itself, with its own sentence, while pod 2 asks to be replaced.
func TestREC42_EachRuleRefuses(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(*Observed)
		words  string
	}{
		{"all pods exist", func(o *Observed) { o.Pods = o.Pods[1:] }, "pod rec-0 does not exist"},
		{"no pod is ending", func(o *Observed) { now := metav1.Now(); o.Pods[1].DeletionTimestamp = &now }, "rec-1 is still ending"},
		{"the other pods are ready", func(o *Observed) { o.Pods[1].Status.Conditions[0].Status = corev1.ConditionFalse }, "rec-1 is not ready"},
		{"the cluster answers", func(o *Observed) { o.Snapshot.Err = errors.New("gone") }, "does not answer"},
		{"every pod has its node", func(o *Observed) { o.Pods[0].Status.PodIP = "10.0.0.99" }, "address of pod rec-0"},
		{"the other nodes are active", func(o *Observed) { o.Snapshot.Nodes[1].Status = "provisioning" }, "node 2 is provisioning"},
		{"a majority remains", func(o *Observed) { o.Snapshot.Nodes = o.Snapshot.Nodes[:2]; o.Pods = o.Pods[:2] }, ""},
		{"replaced nodes agree on their version", func(o *Observed) {
			replaced(o, 0, 1)
			o.Snapshot.Nodes[1].SoftwareVersion = "7"
		}, "rec-1 reports version 7"},
		{"no node is in maintenance", func(o *Observed) {
			o.Snapshot.NodeStatus[2] = rest.NodeStatus{MaintenanceSnapshot: map[string]any{"name": "x"}}
		}, "node 2 is still in maintenance"},
		{"no action runs", func(o *Observed) { o.Snapshot.Actions = []rest.Action{{Name: "SMUpdateBDB", Status: "active"}} }, "SMUpdateBDB is running"},
		{"databases are settled", func(o *Observed) { o.Snapshot.BDBs[0].Status = rest.Ptr("active-change-pending") }, "database orders is active-change-pending"},
		{"shards are up", func(o *Observed) { o.Snapshot.Shards[1].DetailedStatus = "loading" }, "shard 2 of database 1 is loading"},
		{"replicas are in sync", func(o *Observed) { o.Snapshot.Shards[1].Sync.Status = "in_progress" }, "replica 2 of database 1"},
		{"endpoints are up", func(o *Observed) { o.Snapshot.BDBs[0].Endpoints = nil }, "endpoint of database orders"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			rec := newREC()
			o := changed(rec)
			c.change(o)
			target := len(o.Pods) - 1
			r := release0(rec, o, target)
			for _, rule := range safetyRules {
				if rule.name != c.rule {
					continue
				}
				sentence := rule.check(r)
				if c.words == "" { // two nodes: one of them is no majority
					if !strings.Contains(sentence, "1 of 2 nodes") {
						t.Errorf("%q", sentence)
					}
					return
				}
				if !strings.Contains(sentence, c.words) {
					t.Errorf("the rule says %q", sentence)
				}
				if first := mayReplace(r); first != sentence {
					t.Errorf("the user reads %q", first)
				}
				return
			}
			t.Fatal("there is no such rule")
		})
	}
}

func TestREC42_EveryRuleIsTested(t *testing.T) {
	if len(safetyRules) != 14 {
		t.Errorf("%d rules: add a case above for each", len(safetyRules))
	}
}

// A pod that came up broken, say with an image that does not exist, must not keep its own repair waiting.
func TestREC42_ABrokenPodIsReplacedWhenTheOthersAreFine(t *testing.T) {
	rec := newREC()
	o := changed(rec)
	unready(o, 2)
	if refusal := mayReplace(release0(rec, o, 2)); refusal != "" {
		t.Errorf("the broken pod: %s", refusal)
	}
	if refusal := mayReplace(release0(rec, o, 1)); refusal == "" {
		t.Error("a second pod was released while one is down")
	}
}

func TestREC42_AnUnreadyPodWhoseNodeServesIsNotBroken(t *testing.T) {
	rec := newREC()
	o := changed(rec)
	o.Pods[1].Status.Conditions[0].Status = corev1.ConditionFalse
	o.Snapshot.Shards[1].Sync.Status = "in_progress" // on node 2, which is still active
	if refusal := mayReplace(release0(rec, o, 1)); !strings.Contains(refusal, "replica 2") {
		t.Errorf("%q", refusal)
	}
}
