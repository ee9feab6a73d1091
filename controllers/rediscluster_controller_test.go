package controllers

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/reach"
)

func withClusters(t *testing.T) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	if err := appv1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	living := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "rec"}}
	living.Spec.LicenseSecretName, living.Status.ClusterCredentialSecretName = "licence", "former"
	now := metav1.Now()
	going := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "going", DeletionTimestamp: &now, Finalizers: []string{names.ClusterFinalizer}}}
	return fake.NewClientBuilder().WithScheme(s).WithObjects(living, going).Build()
}

func TestREC3_WhatWakesACluster(t *testing.T) {
	c := withClusters(t)
	secret := func(name string) *metav1.PartialObjectMetadata {
		return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	}
	db := func(namespace, cluster string) client.Object {
		d := &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "db"}}
		d.Spec.RedisEnterpriseCluster = &appv1alpha1.ClusterReference{Name: cluster}
		return d
	}
	pod := func(labels map[string]string) client.Object {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p", Labels: labels}}
	}
	key := types.NamespacedName{Namespace: "ns", Name: "rec"}
	for _, w := range []struct {
		name string
		got  []reconcile.Request
		want string
	}{
		{"the credentials it asks for", clustersOfSecret(c)(t.Context(), secret("rec")), "rec"},
		{"the credentials in use", clustersOfSecret(c)(t.Context(), secret("former")), "rec"},
		{"the licence", clustersOfSecret(c)(t.Context(), secret("licence")), "rec"},
		{"a stranger's secret", clustersOfSecret(c)(t.Context(), secret("other")), ""},
		{"a database of a cluster that is going", clustersBlockedBy(c, "ns")(t.Context(), db("consumer", "going")), "going"},
		{"a database of a living cluster", clustersBlockedBy(c, "ns")(t.Context(), db("ns", "rec")), ""},
		{"a node pod", clusterOf(t.Context(), pod(names.NodeLabels("rec"))), "rec"},
		{"another pod", clusterOf(t.Context(), pod(nil)), ""},
		{"a node that changed", clusterOfChange(t.Context(), link.Change{Key: key, Nodes: true}), "rec"},
		{"nothing new", clusterOfChange(t.Context(), link.Change{Key: key}), ""},
	} {
		if got := namesOf(w.got); got != w.want {
			t.Errorf("%s: %s", w.name, got)
		}
	}
}

func TestINST15_MNS7_ClustersOfOtherNamespacesAreLeftAlone(t *testing.T) {
	ran := 0
	next := func(context.Context, ctrl.Request) (ctrl.Result, error) { ran++; return ctrl.Result{}, nil }
	own := ownNamespace("ns", next)
	for namespace, want := range map[string]int{"other": 0, "ns": 1} {
		ran = 0
		if _, err := own.Reconcile(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "rec"}}); err != nil || ran != want {
			t.Errorf("%s: ran %d times, %v", namespace, ran, err)
		}
	}
}

func TestTheConnectionGoesWithTheResource(t *testing.T) {
	links := link.NewRegistry(link.Options{})
	defer links.Close()
	reaches := reach.New(reach.Options{})
	defer reaches.Close()
	next := func(context.Context, ctrl.Request) (ctrl.Result, error) { return ctrl.Result{}, nil }
	for name, stays := range map[string]bool{"rec": true, "gone": false} {
		key := types.NamespacedName{Namespace: "ns", Name: name}
		links.Ensure(key, link.Target{ServerName: "x"})
		if _, err := forgetting(withClusters(t), Shared{Links: links, Reach: reaches}, next)(t.Context(), ctrl.Request{NamespacedName: key}); err != nil {
			t.Fatal(err)
		}
		if (links.Get(key) != nil) != stays {
			t.Errorf("%s: link %v", name, links.Get(key))
		}
	}
}
