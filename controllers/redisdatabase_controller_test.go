package controllers

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

func withDatabases(t *testing.T) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	if err := appv1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	db := func(namespace, name, uid, cluster, secret string) client.Object {
		d := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		d.Spec.DatabaseSecretName = secret
		d.Status.DatabaseUID, d.Status.RedisEnterpriseCluster = uid, cluster
		d.Spec.OSSClusterSettings = &appv1alpha1.DatabaseOSSClusterSettings{EnableExternalAccess: name == "b"}
		if uid != "" {
			d.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionReady, Status: metav1.ConditionTrue, Reason: "Ready"}}
		}
		return d
	}
	return fake.NewClientBuilder().WithScheme(s).WithObjects(
		db("ns", "a", "1", "rec", "shared"), db("ns", "b", "2", "rec", ""), db("two", "c", "3", "rec", "shared"),
		db("ns", "d", "1", "other", ""), db("ns", "new", "", "", "")).Build()
}

func namesOf(requests []reconcile.Request) string {
	var list []string
	for _, r := range requests {
		list = append(list, r.Name)
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

func TestREDB4_WhatWakesADatabase(t *testing.T) {
	c := withDatabases(t)
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}}
	secret := func(name string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	}
	change := func(c link.Change) link.Change {
		c.Key = types.NamespacedName{Namespace: "ns", Name: "rec"}
		return c
	}
	cases := []struct {
		name string
		got  []reconcile.Request
		want string
	}{
		{"its cluster", databasesOfCluster(c)(t.Context(), rec), "a,b,c,new"},
		{"REDB-4 a Secret that it names", databasesOfSecret(c)(t.Context(), secret("shared")), "a"},
		{"REDB-10 the Secret it would have by default", databasesOfSecret(c)(t.Context(), secret("redb-b")), "b"},
		{"no other Secret", databasesOfSecret(c)(t.Context(), secret("else")), ""},
		{"news of its uid, in its own cluster", databasesOfChange(c)(t.Context(), change(link.Change{BDBs: []rest.UID{1}, Names: []string{"x"}})), "a,new"},
		{"news of its name", databasesOfChange(c)(t.Context(), change(link.Change{BDBs: []rest.UID{9}, Names: []string{"new"}})), "new"},
		{"a cluster that is back wakes all", databasesOfChange(c)(t.Context(), change(link.Change{WentUp: true})), "a,b,c,new"},
		{"NET-12 news of nodes wakes those that tell clients where nodes are", databasesOfChange(c)(t.Context(), change(link.Change{Nodes: true})), "b"},
		{"a new licence wakes those it may help", databasesOfChange(c)(t.Context(), change(link.Change{Cluster: true})), "new"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if got := namesOf(tc.got); got != tc.want {
				t.Errorf("woke %q, want %q", got, tc.want)
			}
		})
	}
}

func TestClusterTurned(t *testing.T) {
	base := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
	base.Status.State = appv1.ClusterRunning
	cases := []struct {
		name   string
		change func(*appv1.RedisEnterpriseCluster)
		want   bool
	}{
		{"nothing", func(*appv1.RedisEnterpriseCluster) {}, false},
		{"a figure", func(r *appv1.RedisEnterpriseCluster) {
			r.Status.LicenseStatus = &appv1.LicenseStatus{ShardsUsage: "3/4"}
		}, false},
		{"the state", func(r *appv1.RedisEnterpriseCluster) { r.Status.State = appv1.ClusterUpgrade }, true},
		{"the spec", func(r *appv1.RedisEnterpriseCluster) { r.Generation = 2 }, true},
		{"the end", func(r *appv1.RedisEnterpriseCluster) { now := metav1.Now(); r.DeletionTimestamp = &now }, true},
		{"a condition", func(r *appv1.RedisEnterpriseCluster) {
			r.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionBootstrapComplete, Status: metav1.ConditionTrue}}
		}, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			is := base.DeepCopy()
			c.change(is)
			if got := clusterTurned().Update(event.UpdateEvent{ObjectOld: base, ObjectNew: is}); got != c.want {
				t.Errorf("passes %v, want %v", got, c.want)
			}
		})
	}
}
