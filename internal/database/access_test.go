package database

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/utils/ptr"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// openCluster is a cluster that allows access from outside for cluster-aware clients.
func openCluster() *appv1.RedisEnterpriseCluster {
	rec := runningCluster()
	rec.Spec.OSSClusterSettings = &appv1.OSSClusterSettings{ExternalAccessType: appv1.ExternalAccessLoadBalancer}
	return rec
}

func outside(db *v1alpha1.RedisEnterpriseDatabase) {
	db.Spec.OSSCluster, db.Spec.ShardCount = ptr.To(true), ptr.To(2)
	db.Spec.OSSClusterSettings = &v1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: true}
}

func reading(version string, modules ...rest.Module) *link.Snapshot {
	return &link.Snapshot{Time: time.Now(), Modules: modules, Nodes: []rest.Node{{UID: 1, SoftwareVersion: "8.2.0-46"}, {UID: 2, SoftwareVersion: version}}}
}

func TestNET15_Access(t *testing.T) {
	search, mine := rest.Module{ModuleName: "search", IsBundled: true}, rest.Module{ModuleName: "mine"}
	closed := openCluster()
	closed.Spec.OSSClusterSettings.ExternalAccessType = appv1.ExternalAccessDisabled
	cases := []struct {
		name     string
		change   func(*v1alpha1.RedisEnterpriseDatabase)
		rec      *appv1.RedisEnterpriseCluster
		snapshot *link.Snapshot
		want     string // beginning of the only refusal; empty for none
	}{
		{"a database that does not ask", func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.OSSCluster = ptr.To(true) }, runningCluster(), reading("7.4.2-1"), ""},
		{"an open cluster", outside, openCluster(), reading("8.0.10-64", search), ""},
		{"an open cluster that was not read yet", outside, openCluster(), nil, ""},
		{"a cluster that says nothing", outside, runningCluster(), nil,
			"spec.ossClusterSettings.enableExternalAccess: cluster rec does not allow it; set its spec.ossClusterSettings.externalAccessType to LoadBalancer"},
		{"a cluster that says no", outside, closed, reading("8.2.0-46"), "spec.ossClusterSettings.enableExternalAccess: cluster rec does not allow it"},
		{"a node that is too old", outside, openCluster(), reading("8.0.10-20"),
			"spec.ossClusterSettings.enableExternalAccess: needs release 8.0.10-21 or later, and node 2 of cluster rec runs 8.0.10-20"},
		{"the first release", outside, openCluster(), reading("8.0.10-21"), ""},
		{"an older minor", outside, openCluster(), reading("7.22.2-100"), "spec.ossClusterSettings.enableExternalAccess: needs release"},
		{"a version nobody can read", outside, openCluster(), reading("dev"), ""},
		{"a bundled module", func(db *v1alpha1.RedisEnterpriseDatabase) {
			outside(db)
			db.Spec.ModulesList = []v1alpha1.DatabaseModule{{Name: "search"}}
		}, openCluster(), reading("8.2.0-46", search, mine), ""},
		{"a module of the user's", func(db *v1alpha1.RedisEnterpriseDatabase) {
			outside(db)
			db.Spec.ModulesList = []v1alpha1.DatabaseModule{{Name: "search"}, {Name: "mine"}}
		}, openCluster(), reading("8.2.0-46", search, mine), "spec.modulesList[1].name: mine is not a bundled module"},
	}
	for _, c := range cases {
		t.Run("NET-15 "+c.name, func(t *testing.T) {
			got := Access(database(c.change), c.rec, c.snapshot)
			if c.want == "" {
				if len(got) > 0 {
					t.Errorf("refused: %v", got)
				}
				return
			}
			if len(got) != 1 || !strings.HasPrefix(got[0].Error(), c.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNET15_AdmissionRefusesTheSame(t *testing.T) {
	db := database(outside)
	got := ask(t, reviewer(t, runningCluster()), nil, db)
	if want := Access(db, runningCluster(), nil)[0].Error(); len(got.Denials) != 1 || got.Denials[0] != want {
		t.Errorf("denials %q, want %q", got.Denials, want)
	}
	if got := ask(t, reviewer(t, openCluster()), nil, db); len(got.Denials) != 0 || len(got.Warnings) != 0 {
		t.Errorf("an open cluster: %+v", got)
	}
}

func TestNET15_RefusedByTheLoop(t *testing.T) {
	w := newWorld(t, runningCluster(), database(outside))
	for range 3 {
		_ = w.pass()
	}
	if got := ready(w.db()); got != "False "+appv1.ReasonInvalidSpec {
		t.Errorf("Ready is %s", got)
	}
	if got := w.cluster.written(); len(got) != 0 {
		t.Errorf("writes: %q", got)
	}
}

// nodes makes the stand-in a cluster of two nodes, of which some have addresses outside.
func (c *cluster) nodes(external map[int][]string) {
	c.answer = func(w http.ResponseWriter, r *http.Request) bool {
		switch r.URL.Path {
		case "/v1/nodes":
			list := []any{}
			for uid := 1; uid <= 2; uid++ {
				list = append(list, map[string]any{"uid": uid, "status": "active", "software_version": "8.2.0-46",
					"addr": []string{"10.0.0.1", "10.0.0.2"}[uid-1], "external_addr": external[uid]})
			}
			reply(w, list)
		case "/v1/shards":
			list := []any{}
			for uid := range c.bdbs {
				for node, role := range []string{"slave", "master", "master"} {
					list = append(list, map[string]any{"uid": node + 1, "bdb_uid": uid, "node_uid": max(1, 3-max(1, node)), "status": "active", "role": role})
				}
			}
			reply(w, list)
		default:
			return false
		}
		return true
	}
}

func TestNET12_TheDatabaseWaitsForAddresses(t *testing.T) {
	w := newWorld(t, openCluster(), database(outside))
	w.cluster.with(func() { w.cluster.nodes(nil) })
	var err error
	for range 6 {
		err = w.pass()
	}
	if got := ready(w.db()); got != "False "+appv1.ReasonAddressPending || !strings.Contains(err.Error(), "node 1 of cluster rec") {
		t.Fatalf("Ready is %s, %v", got, err)
	}
	if db := w.db(); db.Status.ObservedGeneration != db.Generation || db.Status.Status != v1alpha1.DatabaseActive {
		t.Errorf("all was sent, and the database serves: %+v", db.Status)
	}
	if got := w.cluster.get(1, "oss_cluster_api_preferred_ip_type"); got != "external" {
		t.Errorf("preferred addresses are %v", got)
	}
	if _, there := w.secret("redb-orders").Data["oss_startup_nodes"]; there {
		t.Error("there are startup nodes without addresses")
	}

	w.elsewhere(func() { w.cluster.nodes(map[int][]string{1: {"203.0.113.1", "2001:db8::1"}, 2: {"a.lb.example.com"}}) })
	w.settle()
	secret := w.secret("redb-orders")
	if got := string(secret.Data["oss_startup_nodes"]); got != "203.0.113.1,a.lb.example.com" {
		t.Errorf("REDB-10 startup nodes are %q", got)
	}
	if got := string(secret.Data["service_names"]); got != "orders,orders-headless,orders-load-balancer" {
		t.Errorf("Services are %q", got)
	}
	writes := w.writes
	if err := w.pass(); err != nil || w.writes != writes {
		t.Errorf("REC-12 with nothing to do: %v, %d writes", err, w.writes-writes)
	}

	w.edit(func(db *v1alpha1.RedisEnterpriseDatabase) { db.Spec.OSSClusterSettings = nil })
	w.settle()
	if got := w.cluster.get(1, "oss_cluster_api_preferred_ip_type"); got != "internal" {
		t.Errorf("preferred addresses are %v after access was given up", got)
	}
	tags, _ := w.cluster.get(1, "tags").([]any)
	if slices.ContainsFunc(tags, func(tag any) bool { return tag.(map[string]any)["key"] == "oss_cluster_access" }) {
		t.Errorf("tags are %v after access was given up", tags)
	}
	if got, there := w.secret("redb-orders").Data["oss_startup_nodes"]; there {
		t.Errorf("startup nodes are %s after access was given up", got)
	}
}

func TestStartupNodesOfSomebodyElseStay(t *testing.T) {
	w := newWorld(t, openCluster(), database())
	w.settle()
	secret := w.secret("redb-orders")
	secret.Data["oss_startup_nodes"] = []byte("mine")
	if err := w.client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	writes := w.writes
	if err := w.pass(); err != nil || w.writes != writes || string(w.secret("redb-orders").Data["oss_startup_nodes"]) != "mine" {
		t.Errorf("%v, %d writes, %s", err, w.writes-writes, w.secret("redb-orders").Data["oss_startup_nodes"])
	}
}

func TestNumbers(t *testing.T) {
	for version, ok := range map[string]bool{"8.0.10-21": true, "8.2": true, "8": false, "": false, "8.x": false} {
		if _, got := numbers(version); got != ok {
			t.Errorf("%q: %t", version, got)
		}
	}
	if err := accessIsOpen(Inputs{Database: database()}, Observed{BDB: &rest.BDB{}}); err != nil {
		t.Errorf("a database that asks for nothing waits: %v", err)
	}
}
