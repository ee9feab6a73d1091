package integration

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// beside makes a second scene for the same test: another namespace, with an operator of its own.
func (s *scene) beside(suffix string) *scene {
	s.t.Helper()
	other := &scene{t: s.t, namespace: s.namespace + "-" + suffix, traffic: &traffic{}, dial: s.dial}
	if err := world.Namespace(s.t.Context(), other.namespace); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := world.DeleteNamespace(ctx, other.namespace); err != nil {
			s.t.Error(err)
		}
		if err := other.operator.Stop(); err != nil {
			s.t.Error(err)
		}
	})
	other.start()
	return other
}

// participant makes a cluster that is reached from outside.
func (s *scene) participant(name string) {
	s.t.Helper()
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: s.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3),
		IngressOrRouteSpec: &appv1.IngressOrRouteSpec{Method: appv1.ExposureIngress, APIFQDNURL: "api-" + name + ".apps.example.com",
			DBFQDNSuffix: "-db-" + name + ".apps.example.com", IngressAnnotations: map[string]string{"kubernetes.io/ingress.class": "haproxy"}}}}
	s.create(rec)
	s.ready(rec, limitCluster)
}

// remote describes the cluster of a scene, with a copy of its credentials, as a person would do it.
func (s *scene) remote(name string, of *scene) *appv1alpha1.RedisEnterpriseRemoteCluster {
	s.t.Helper()
	var source corev1.Secret
	if err := world.Client.Get(s.t.Context(), of.key("rec"), &source); err != nil {
		s.t.Fatal(err)
	}
	s.create(&corev1.Secret{ObjectMeta: s.meta("redis-enterprise-" + name), Data: map[string][]byte{
		names.UsernameKey: source.Data[names.UsernameKey], names.PasswordKey: source.Data[names.PasswordKey]}})
	remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: s.meta(name), Spec: appv1alpha1.RedisEnterpriseRemoteClusterSpec{
		RECName: "rec", RECNamespace: of.namespace, APIFQDNURL: "api-" + name + ".apps.example.com",
		DBFQDNSuffix: "-db-" + name + ".apps.example.com", SecretName: "redis-enterprise-" + name}}
	s.create(remote)
	return remote
}

// password writes another password into the Secret of a remote cluster.
func (s *scene) password(remote string, password []byte) (before []byte) {
	s.t.Helper()
	edit(s, &corev1.Secret{ObjectMeta: s.meta("redis-enterprise-" + remote)}, func(secret *corev1.Secret) {
		before = secret.Data[names.PasswordKey]
		secret.Data[names.PasswordKey] = password
	})
	return before
}

// word waits for status.status of a remote cluster and a text in its Ready condition.
func (s *scene) word(remote *appv1alpha1.RedisEnterpriseRemoteCluster, want appv1alpha1.RemoteClusterStatus, text string) {
	s.t.Helper()
	s.eventually(limitWord, fmt.Sprintf("RERC-6 %s %s", remote.Name, want), func(ctx context.Context) string {
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(remote), remote); err != nil {
			return err.Error()
		}
		ready := meta.FindStatusCondition(remote.Status.Conditions, appv1.ConditionReady)
		if remote.Status.Status != want || ready == nil || !strings.Contains(ready.Message, text) {
			return fmt.Sprintf("%s: %s", remote.Status.Status, describe(ready))
		}
		return ""
	})
}

// TestRERC1_TwoClustersKnowEachOther joins two clusters of two operators by the way in from outside, as Active-Active
// databases are going to.
func TestRERC1_TwoClustersKnowEachOther(t *testing.T) {
	routers := map[string]*router{"api-near.apps.example.com": newRouter(t), "api-far.apps.example.com": newRouter(t)}
	near := newScene(t, func(s *scene) {
		routers["api-near.apps.example.com"].namespace, routers["api-far.apps.example.com"].namespace = s.namespace, s.namespace+"-far"
		s.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if r := routers[host]; err == nil && r != nil {
				return r.dial(ctx, network, address)
			}
			return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
		}
	})
	far := near.beside("far")
	near.participant("near")
	far.participant("far")

	here, there := near.remote("near", near), near.remote("far", far)
	near.ready(here, limitWord)
	near.ready(there, limitWord)
	for _, remote := range []*appv1alpha1.RedisEnterpriseRemoteCluster{here, there} {
		status := remote.Status
		if status.Status != appv1alpha1.RemoteClusterActive || status.SpecStatus != appv1.SpecValid || status.Local != (remote == here) ||
			status.ObservedGeneration != int(remote.Generation) || status.InternalObservedSecretResourceVersion == "" ||
			!meta.IsStatusConditionTrue(status.Conditions, appv1alpha1.ConditionReachable) || !meta.IsStatusConditionTrue(status.Conditions, appv1alpha1.ConditionCompatible) {
			t.Errorf("RERC-3, RERC-6: %s: %+v", remote.Name, status)
		}
	}
	near.event("far", corev1.EventTypeNormal, names.EventConnected, "api-far.apps.example.com")
	first := there.Annotations[names.AnnotationCertificate]
	if first == "" || here.Annotations[names.AnnotationCertificate] != "" {
		t.Errorf("noted certificates: %v, %v", there.Annotations, here.Annotations)
	}

	t.Run("at rest nothing is written", func(*testing.T) { near.quietFor(5 * time.Second) })
	t.Run("RERC-5 a wrong password gets a sentence, and the right one heals it", func(t *testing.T) {
		right := near.password("far", []byte("wrong"))
		near.word(there, appv1alpha1.RemoteClusterError, "does not accept the user name and password in Secret redis-enterprise-far")
		near.event("far", corev1.EventTypeWarning, names.EventNotConnected, "redis-enterprise-far")
		if here.Status.Status != appv1alpha1.RemoteClusterActive || there.Status.SpecStatus != appv1.SpecValid {
			t.Errorf("%+v", there.Status)
		}
		near.password("far", right)
		near.word(there, appv1alpha1.RemoteClusterActive, "")
		var secret corev1.Secret
		if err := world.Client.Get(t.Context(), near.key("redis-enterprise-far"), &secret); err != nil {
			t.Fatal(err)
		}
		if there.Status.InternalObservedSecretResourceVersion != secret.ResourceVersion {
			t.Errorf("version %s of the Secret, which is at %s", there.Status.InternalObservedSecretResourceVersion, secret.ResourceVersion)
		}
	})
	t.Run("RERC-8 an address is followed", func(*testing.T) {
		edit(near, there, func(r *appv1alpha1.RedisEnterpriseRemoteCluster) { r.Spec.APIFQDNURL = "api-nowhere.apps.example.com" })
		near.word(there, appv1alpha1.RemoteClusterError, "api-nowhere.apps.example.com does not resolve here")
		edit(near, there, func(r *appv1alpha1.RedisEnterpriseRemoteCluster) { r.Spec.APIFQDNURL = "api-far.apps.example.com" })
		near.ready(there, limitWord)
	})
	t.Run("another operator makes no other first contact", func(t *testing.T) {
		near.restart()
		near.password("far", []byte("wrong"))
		near.word(there, appv1alpha1.RemoteClusterError, "does not accept")
		if there.Annotations[names.AnnotationCertificate] != first {
			t.Errorf("%v", there.Annotations)
		}
	})
	t.Run("RERC-9 a database that lists it keeps it", func(*testing.T) {
		db := &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: near.meta("orders"), Spec: appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{
			ParticipatingClusters: []appv1alpha1.ParticipatingCluster{{Name: "near"}, {Name: "far"}}}}
		near.create(db)
		if err := world.Client.Delete(near.t.Context(), there); err != nil {
			near.t.Fatal(err)
		}
		near.event("far", corev1.EventTypeWarning, names.EventBlocked, near.namespace+"/orders")
		near.condition(there, appv1.ConditionReady, metav1.ConditionFalse, limitWord)
		if err := world.Client.Delete(near.t.Context(), db); err != nil {
			near.t.Fatal(err)
		}
		near.eventually(limitWord, "far is gone", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(there), there); !apierrors.IsNotFound(err) {
				return fmt.Sprint(there.Status.Conditions, err)
			}
			return ""
		})
	})
}
