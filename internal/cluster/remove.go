package cluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

const (
	// teardownGrace is how long a pod may take to end when its data goes with the cluster anyway. The pods' own period
	// of a year is there to save data.
	teardownGrace client.GracePeriodSeconds = 20
	// teardownPatience is how long a pod may stay beyond its grace before it is removed by force (rule STB-7): a
	// kubelet that is gone never confirms the end.
	teardownPatience = 30 * time.Second
)

// remove ends a cluster (rule REC-116): when no database is left, the pods go at once, and everything else follows by
// owner references. Volume claims stay.
func (k *Kind) remove(ctx context.Context, rec *v1.RedisEnterpriseCluster) (Run, error) {
	run := Run{}
	if !controllerutil.ContainsFinalizer(rec, names.ClusterFinalizer) {
		return run, outcome.Wait(v1.ReasonDeleting, later, "the operator is done; other finalizers keep the resource")
	}
	blockers, err := k.blockers(ctx, rec)
	if err != nil {
		return run, err
	}
	if len(blockers) > 0 {
		run.Blockers = blockers
		return run, k.serve(ctx, rec, &run)
	}
	k.Links.Remove(client.ObjectKeyFromObject(rec))
	k.forgetEntrance(client.ObjectKeyFromObject(rec))
	k.awaitKinds(client.ObjectKeyFromObject(rec))
	left, err := k.tearDown(ctx, rec)
	if err != nil {
		return run, err
	}
	if len(left) > 0 {
		return run, outcome.Wait(v1.ReasonDeleting, soon, "pods are ending: %s", strings.Join(left, ", "))
	}
	return run, kube.RemoveFinalizer(ctx, k.Client, rec, names.ClusterFinalizer)
}

// serve keeps the connection to the cluster for the databases that have yet to be deleted through it.
func (k *Kind) serve(ctx context.Context, rec *v1.RedisEnterpriseCluster, run *Run) error {
	in, err := k.gather(ctx, rec)
	run.Inputs = in
	if err != nil {
		return err
	}
	if run.Observed, err = k.observe(ctx, in); err != nil {
		return err
	}
	return outcome.Wait(v1.ReasonDatabasesExist, later, "databases of this cluster must be deleted first: %s", strings.Join(run.Blockers, ", "))
}

// blockers are the databases of the cluster, wherever their resources are.
func (k *Kind) blockers(ctx context.Context, rec *v1.RedisEnterpriseCluster) ([]string, error) {
	var list v1alpha1.RedisEnterpriseDatabaseList
	if err := k.Client.List(ctx, &list); err != nil {
		return nil, err
	}
	var found []string
	for i := range list.Items {
		db := &list.Items[i]
		if !BelongsTo(db, rec.Name) {
			continue
		}
		if db.Namespace == rec.Namespace {
			found = append(found, db.Name)
		} else {
			found = append(found, db.Namespace+"/"+db.Name)
		}
	}
	var shared v1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := k.Client.List(ctx, &shared); err != nil {
		return nil, err
	}
	for i := range shared.Items {
		if db := &shared.Items[i]; TakesPart(db, rec.Name) {
			found = append(found, db.Namespace+"/"+db.Name+" (Active-Active)")
		}
	}
	slices.Sort(found)
	return found, nil
}

// BelongsTo tells whether a database is in the cluster of that name. A database that names none is in the only one.
func BelongsTo(db *v1alpha1.RedisEnterpriseDatabase, rec string) bool {
	return cmp.Or(db.Spec.ClusterName(), db.Status.RedisEnterpriseCluster, rec) == rec
}

// TakesPart tells whether the cluster of that name holds a part of an Active-Active database.
func TakesPart(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, rec string) bool {
	if asked := db.Spec.RedisEnterpriseCluster; asked != nil && asked.Name != "" && asked.Name != rec {
		return false
	}
	return db.Status.GUID != "" && cmp.Or(db.Status.RedisEnterpriseCluster, rec) == rec
}

// tearDown deletes what keeps pods alive and the pods, and returns the names of pods that are still there.
//
// The board goes first: a bootstrapper that finds it gone gives up draining its node, which ends the pod's preStop hook.
// Deleting a pod again with a shorter period shortens the one that runs.
func (k *Kind) tearDown(ctx context.Context, rec *v1.RedisEnterpriseCluster) ([]string, error) {
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: rec.Namespace, Name: name} }
	for _, object := range []client.Object{
		&corev1.ConfigMap{ObjectMeta: meta(names.Board(rec.Name))},
		&appsv1.Deployment{ObjectMeta: meta(names.Rigger(rec.Name))},
		&appsv1.StatefulSet{ObjectMeta: meta(rec.Name)},
	} {
		if err := k.deleteIfOurs(ctx, rec, object); err != nil {
			return nil, err
		}
	}
	pods, err := k.nodePods(ctx, rec, k.Client)
	if err != nil {
		return nil, err
	}
	var left []string
	for i := range pods {
		left = append(left, pods[i].Name)
		if err := k.endPod(ctx, &pods[i], rec.DeletionTimestamp.Time, time.Now()); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// deleteIfOurs deletes an object once; one that is gone, is going, or belongs to another cluster of that name stays.
func (k *Kind) deleteIfOurs(ctx context.Context, rec *v1.RedisEnterpriseCluster, object client.Object) error {
	key := client.ObjectKeyFromObject(object)
	if err := k.Client.Get(ctx, key, object); err != nil {
		return client.IgnoreNotFound(err)
	}
	if object.GetDeletionTimestamp() != nil || !metav1.IsControlledBy(object, rec) {
		return nil
	}
	uid := object.GetUID()
	err := k.Client.Delete(ctx, object, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s: %w", key.Name, err)
	}
	return nil
}

// endPod shortens the end of a pod, and forces it when it takes too long.
func (k *Kind) endPod(ctx context.Context, pod *corev1.Pod, deletedAt, now time.Time) error {
	grace := ptr.Deref(pod.DeletionGracePeriodSeconds, 0)
	period := teardownGrace
	if pod.DeletionTimestamp != nil && grace <= int64(teardownGrace) {
		asked := pod.DeletionTimestamp.Add(-time.Duration(grace) * time.Second)
		if asked.Before(deletedAt) {
			asked = deletedAt
		}
		if now.Sub(asked) < time.Duration(teardownGrace)*time.Second+teardownPatience {
			return nil
		}
		period = 0
	}
	uid := pod.UID
	err := k.Client.Delete(ctx, pod, period, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete pod %s: %w", pod.Name, err)
	}
	return nil
}
