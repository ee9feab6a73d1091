package v1

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// TestREC5DefaultsOfAnEmptySpec checks what an empty spec means.
func TestREC5DefaultsOfAnEmptySpec(t *testing.T) {
	cluster := &RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Name: "rec"}}
	if got := cluster.Spec.NodeCount(); got != 3 {
		t.Errorf("%d nodes", got)
	}
	if got := cluster.CredentialSecretName(); got != "rec" {
		t.Errorf("credential secret %q", got)
	}
	if got := cluster.ServiceAccountName(); got != "rec" {
		t.Errorf("service account %q", got)
	}
	if !cluster.Spec.CreatesServiceAccount() || !cluster.Spec.IsPersistent() {
		t.Error("the service account is created and storage is persistent by default")
	}
}

func TestSpecWinsOverDefaults(t *testing.T) {
	nodes, no := int32(5), false
	cluster := &RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Name: "rec"}, Spec: RedisEnterpriseClusterSpec{
		Nodes: &nodes, ClusterCredentialSecretName: "login", ServiceAccountName: "account",
		CreateServiceAccount: &no, PersistentSpec: &PersistentSpec{Enabled: &no},
	}}
	if cluster.Spec.NodeCount() != 5 || cluster.CredentialSecretName() != "login" || cluster.ServiceAccountName() != "account" {
		t.Error("a given value must win")
	}
	if cluster.Spec.CreatesServiceAccount() || cluster.Spec.IsPersistent() {
		t.Error("an explicit false must win")
	}
}

func TestSchemeKnowsTheKinds(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"RedisEnterpriseCluster", "RedisEnterpriseClusterList"} {
		if !scheme.Recognizes(GroupVersion.WithKind(kind)) {
			t.Errorf("%s is not registered", kind)
		}
	}
}
