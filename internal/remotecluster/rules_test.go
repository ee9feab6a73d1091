package remotecluster

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
)

func remote(name string, change ...func(*v1alpha1.RedisEnterpriseRemoteClusterSpec)) *v1alpha1.RedisEnterpriseRemoteCluster {
	r := &v1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name, Generation: 1},
		Spec: v1alpha1.RedisEnterpriseRemoteClusterSpec{APIFQDNURL: "api-" + name + ".example.com", RECName: name, RECNamespace: "ns", SecretName: "redis-enterprise-" + name}}
	for _, c := range change {
		c(&r.Spec)
	}
	return r
}

func clientWith(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{appv1.AddToScheme, v1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(s).WithStatusSubresource(&v1alpha1.RedisEnterpriseRemoteCluster{}).WithObjects(objects...).Build()
}

func TestADM8_RemoteClusters(t *testing.T) {
	port := 0
	cases := []struct {
		name string
		old  *v1alpha1.RedisEnterpriseRemoteCluster
		obj  *v1alpha1.RedisEnterpriseRemoteCluster
		want string
	}{
		{"a sound one", nil, remote("a"), ""},
		{"RERC-2 without a Secret the rule names it", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.SecretName = "" }), ""},
		{"RERC-2 another Secret", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.SecretName = "mine" }), "spec.secretName: must be redis-enterprise-a"},
		{"RERC-8 a suffix that makes a host name", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.DBFQDNSuffix = "-DB.example.com" }), ""},
		{"RERC-8 a suffix that makes none", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.DBFQDNSuffix = "/db.example.com" }), "spec.dbFqdnSuffix"},
		{"a URL is no host name", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.APIFQDNURL = "https://api" }), "spec.apiFqdnUrl"},
		{"a port that is none", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.APIPort = &port }), "spec.apiPort"},
		{"RERC-4 the pair is taken", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.RECName = "b" }), "spec.recName: cluster b of namespace ns is described by b"},
		{"the API is taken", nil, remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.APIFQDNURL = "API-b.example.com" }), "spec.apiFqdnUrl"},
		{"the cluster cannot change", remote("a"), remote("a", func(s *v1alpha1.RedisEnterpriseRemoteClusterSpec) { s.RECNamespace = "x" }), "spec.recNamespace"},
		{"RERC-10 a name too long for its Secret", nil, remote(strings.Repeat("x", 240)), "metadata.name"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := Reviewer{Cached: clientWith(t, remote("b"))}
			got := strings.Join(r.review(context.Background(), c.old, c.obj).Denials, "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("denials %q, want %q", got, c.want)
			}
		})
	}
}
