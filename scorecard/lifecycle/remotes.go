package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blang/semver/v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// firstActive is the first release that acts on remote clusters and Active-Active databases; older ones check them only.
var firstActive = semver.MustParse("1.1.0")

// remoteLimit is for what the operator finds out by asking again and again.
const remoteLimit = 3 * time.Minute

// actsOnRemotes tells whether a release does more than check the two kinds.
func actsOnRemotes(version string) bool { return isSince(version, firstActive) }

func isSince(version string, first semver.Version) bool {
	v, err := semver.Parse(version)
	return err == nil && v.GE(first)
}

// remotesWork applies the examples of remote clusters and Active-Active databases of a release that acts on them. One of the
// remote clusters is the first cluster itself, which must be reached; the others do not exist, and the operator has to say so.
func (s *stage) remotesWork(ctx context.Context, t report.T, version string) {
	t.Helper()
	all, err := s.examples(ctx, version)
	must(t, err)
	var local *unstructured.Unstructured
	var absent []string
	for _, remote := range ofKind(all, remoteKind) {
		if s.isLocal(remote) {
			local = remote
			continue
		}
		must(t, s.applyReviewed(ctx, remote))
		s.lacksCredentials(ctx, t, remote.GetName())
		absent = append(absent, remote.GetName())
	}
	if local == nil || len(absent) == 0 {
		t.Fatalf("the examples of %s need the first cluster and another one; the others are %v", version, absent)
	}
	s.localIsReached(ctx, t, local)
	for _, db := range ofKind(all, activeActiveKind) {
		must(t, s.globalPassword(ctx, db))
		must(t, s.applyReviewed(ctx, db))
		s.waitsForParticipants(ctx, t, db.GetName(), absent)
		s.wrongParticipantsAreRefused(ctx, t, db)
	}
	wrong := local.DeepCopy()
	wrong.SetName("wrong-secret")
	must(t, unstructured.SetNestedField(wrong.Object, "any", "spec", "secretName"))
	s.isRefused(ctx, t, wrong, "spec.secretName")
}

// isLocal tells whether a remote cluster is the one that the examples made here.
func (s *stage) isLocal(remote *unstructured.Unstructured) bool {
	name, _, _ := unstructured.NestedString(remote.Object, "spec", "recName")
	namespace, _, _ := unstructured.NestedString(remote.Object, "spec", "recNamespace")
	return name == firstCluster && namespace == s.Cluster.Namespace
}

// lacksCredentials waits until the operator says that a remote cluster has no Secret.
func (s *stage) lacksCredentials(ctx context.Context, t report.T, name string) {
	t.Helper()
	s.awaitRemote(ctx, t, name, func(remote *appv1alpha1.RedisEnterpriseRemoteCluster) (bool, string) {
		ready := meta.FindStatusCondition(remote.Status.Conditions, appv1.ConditionReady)
		return !remote.Status.Local && isTold(ready, remote.Generation, names.RemoteSecretPrefix+name, appv1.ReasonMissingReference), words(ready)
	})
}

// localIsReached gives the first cluster's remote cluster its credentials. It is asked for under the host name that leads in, if
// there is one; in a cluster for tests that is in no DNS, and then the operator has to say just that. Under the name that
// every Kubernetes has for it, it must be reached.
func (s *stage) localIsReached(ctx context.Context, t report.T, remote *unstructured.Unstructured) {
	t.Helper()
	must(t, s.copyCredentials(ctx, remote.GetName()))
	if s.serves(routeKind) {
		outside := host(firstCluster, s.Cluster.Namespace)
		must(t, unstructured.SetNestedField(remote.Object, outside, "spec", "apiFqdnUrl"))
		must(t, s.applyReviewed(ctx, remote))
		isReached := false
		s.awaitRemote(ctx, t, remote.GetName(), func(found *appv1alpha1.RedisEnterpriseRemoteCluster) (bool, string) {
			var settled bool
			settled, isReached = outcomeOf(found, outside)
			return settled, words(meta.FindStatusCondition(found.Status.Conditions, appv1alpha1.ConditionReachable))
		})
		if isReached {
			return
		}
	}
	must(t, unstructured.SetNestedField(remote.Object, names.FQDN(firstCluster, s.Cluster.Namespace), "spec", "apiFqdnUrl"))
	must(t, unstructured.SetNestedField(remote.Object, int64(names.APIPort), "spec", "apiPort"))
	must(t, s.applyReviewed(ctx, remote))
	s.awaitRemote(ctx, t, remote.GetName(), func(found *appv1alpha1.RedisEnterpriseRemoteCluster) (bool, string) {
		_, isReached := outcomeOf(found, names.FQDN(firstCluster, s.Cluster.Namespace))
		return isReached, words(meta.FindStatusCondition(found.Status.Conditions, appv1alpha1.ConditionReachable))
	})
}

// copyCredentials makes the Secret of a remote cluster from that of the first cluster, as a user does.
func (s *stage) copyCredentials(ctx context.Context, remote string) error {
	var own corev1.Secret
	if err := s.Get(ctx, s.Key(firstCluster), &own); err != nil {
		return err
	}
	return client.IgnoreAlreadyExists(s.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Cluster.Namespace, Name: names.RemoteSecretPrefix + remote},
		Data:       map[string][]byte{names.UsernameKey: own.Data[names.UsernameKey], names.PasswordKey: own.Data[names.PasswordKey]},
	}))
}

// outcomeOf says what the operator has found out about the local cluster under a host name: that it answers there, or that the
// name leads nowhere. Anything else is no end: the operator may still be asking.
func outcomeOf(remote *appv1alpha1.RedisEnterpriseRemoteCluster, host string) (settled, isReached bool) {
	ready := meta.FindStatusCondition(remote.Status.Conditions, appv1.ConditionReady)
	reachable := meta.FindStatusCondition(remote.Status.Conditions, appv1alpha1.ConditionReachable)
	if ready == nil || reachable == nil || ready.ObservedGeneration != remote.Generation || !remote.Status.Local || remote.Spec.APIFQDNURL != host {
		return false, false
	}
	if ready.Status == metav1.ConditionTrue {
		isReached = reachable.Status == metav1.ConditionTrue && remote.Status.Status == appv1alpha1.RemoteClusterActive
		return isReached, isReached
	}
	nowhere := isTold(reachable, remote.Generation, host, appv1.ReasonHostUnresolved, appv1alpha1.ReasonUnreachable)
	return nowhere && remote.Status.Status == appv1alpha1.RemoteClusterError, false
}

// waitsForParticipants waits until an Active-Active database says which participant it waits for; without Routes the first
// cluster has no way in, and then it says that.
func (s *stage) waitsForParticipants(ctx context.Context, t report.T, name string, absent []string) {
	t.Helper()
	must(t, s.Await(ctx, activeActiveKind+"/"+name, remoteLimit, func() (bool, string, error) {
		var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
		if err := s.Get(ctx, s.Key(name), &db); err != nil {
			return notYet(err)
		}
		ready := meta.FindStatusCondition(db.Status.Conditions, appv1.ConditionReady)
		told := slices.ContainsFunc(absent, func(remote string) bool {
			return isTold(ready, db.Generation, remote, appv1alpha1.ReasonClusterNotReady)
		})
		return told || !s.serves(routeKind) && isTold(ready, db.Generation, "", appv1alpha1.ReasonNoWayIn), words(ready), nil
	}))
}

// wrongParticipantsAreRefused: a database on one cluster is not Active-Active.
func (s *stage) wrongParticipantsAreRefused(ctx context.Context, t report.T, example *unstructured.Unstructured) {
	t.Helper()
	const path = "participatingClusters"
	list, _, err := unstructured.NestedSlice(example.Object, "spec", path)
	must(t, err)
	alone := example.DeepCopy()
	alone.SetName("wrong-clusters")
	must(t, unstructured.SetNestedSlice(alone.Object, list[:1], "spec", path))
	s.isRefused(ctx, t, alone, "spec."+path)
}

// globalPassword makes the Secret that an Active-Active database names; it is the user's to make.
func (s *stage) globalPassword(ctx context.Context, db *unstructured.Unstructured) error {
	settings, _, err := unstructured.NestedMap(db.Object, "spec", "globalConfigurations")
	if err != nil {
		return err
	}
	return s.password(ctx, &unstructured.Unstructured{Object: map[string]any{"spec": settings}})
}

func (s *stage) awaitRemote(ctx context.Context, t report.T, name string, look func(*appv1alpha1.RedisEnterpriseRemoteCluster) (bool, string)) {
	t.Helper()
	must(t, s.Await(ctx, remoteKind+"/"+name, remoteLimit, func() (bool, string, error) {
		var remote appv1alpha1.RedisEnterpriseRemoteCluster
		if err := s.Get(ctx, s.Key(name), &remote); err != nil {
			return notYet(err)
		}
		done, now := look(&remote)
		return done, now, nil
	}))
}

// isTold tells whether a condition is False for the present spec, with one of the reasons, and its sentence names something.
func isTold(c *metav1.Condition, generation int64, named string, reasons ...string) bool {
	return c != nil && c.Status == metav1.ConditionFalse && c.ObservedGeneration == generation && c.Message != "" &&
		strings.Contains(c.Message, named) && slices.Contains(reasons, c.Reason)
}

func words(c *metav1.Condition) string {
	if c == nil {
		return "no answer"
	}
	return fmt.Sprintf("%s=%s (%s) %s", c.Type, c.Status, c.Reason, c.Message)
}
