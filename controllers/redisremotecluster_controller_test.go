package controllers

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
)

func withRemotes(t *testing.T) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	if err := appv1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	remote := func(namespace, name, secret string, going bool, word appv1.SpecStatus) client.Object {
		r := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Finalizers: []string{"f"}}}
		r.Spec.SecretName, r.Status.SpecStatus = secret, word
		if going {
			now := metav1.Now()
			r.DeletionTimestamp = &now
		}
		return r
	}
	return fake.NewClientBuilder().WithScheme(s).WithObjects(
		remote("ns", "named", "redis-enterprise-named", false, appv1.SpecValid), remote("ns", "unnamed", "", false, appv1.SpecInvalid),
		remote("ns", "going", "", true, appv1.SpecValid), remote("two", "named", "redis-enterprise-named", true, appv1.SpecInvalid)).Build()
}

func TestRERC8_WhatWakesARemoteCluster(t *testing.T) {
	c := withRemotes(t)
	secret := func(name string) []reconcile.Request {
		return remotesOfSecret(c)(t.Context(), &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}})
	}
	db := &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "orders"}}
	for _, p := range []string{"named", "going"} {
		db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, appv1alpha1.ParticipatingCluster{Name: p})
	}
	other := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "named"}}
	for name, c := range map[string]struct {
		got  []reconcile.Request
		want string
	}{
		"its Secret":                                 {secret("redis-enterprise-named"), "named"},
		"the Secret that the rule names":             {secret("redis-enterprise-unnamed"), "unnamed"},
		"no other Secret":                            {secret("named"), ""},
		"RERC-9 a user that went, if it waits to go": {remotesHeldBy(c, "ns")(t.Context(), db), "going"},
		"RERC-4 a rival that went, if it is refused": {rivals(c, "ns")(t.Context(), other), "unnamed"},
	} {
		if got := namesOf(c.got); got != c.want {
			t.Errorf("%s: woken %q, want %q", name, got, c.want)
		}
	}
}

func TestNobodyAsksForARemoteClusterThatIsGone(t *testing.T) {
	prober := remotecluster.NewProber(remotecluster.ProberOptions{})
	defer prober.Close()
	passed := 0
	next := func(context.Context, reconcile.Request) (reconcile.Result, error) {
		passed++
		return reconcile.Result{}, nil
	}
	for _, name := range []string{"named", "gone"} {
		request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: name}}
		if _, err := unprobed(withRemotes(t), prober, next)(t.Context(), request); err != nil {
			t.Error(err)
		}
	}
	if passed != 1 {
		t.Errorf("%d passes", passed)
	}
}
