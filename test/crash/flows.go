package crash

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// dbName is the database of the database flows.
const dbName = "orders"

// Flows are all flows the harness knows. A new flow is one more entry.
var Flows = []Flow{
	{
		Name:    "bootstrap",
		Fresh:   true,
		Limit:   3 * time.Minute,
		Prepare: func(context.Context, *Stage) error { return nil },
		Ask:     createCluster,
		Done:    clusterDone,
	},
	{
		Name:    "scale out",
		Fresh:   true,
		Limit:   4 * time.Minute,
		Prepare: runningCluster,
		Ask: func(ctx context.Context, s *Stage) error {
			return changeCluster(ctx, s, func(rec *appv1.RedisEnterpriseCluster) { rec.Spec.Nodes = ptr.To[int32](5) })
		},
		Done: clusterDone,
	},
	{
		Name:  "rolling update",
		Keeps: true,
		Limit: 5 * time.Minute,
		Prepare: func(ctx context.Context, s *Stage) error {
			return errors.Join(runningCluster(ctx, s), runningDatabase(ctx, s))
		},
		Ask: func(ctx context.Context, s *Stage) error {
			return changeCluster(ctx, s, func(rec *appv1.RedisEnterpriseCluster) {
				rec.Spec.PodAnnotations = map[string]string{"rolled": fmt.Sprint(time.Now().UnixNano())}
			})
		},
		Done: clusterDone,
	},
	{
		Name:    "create database",
		Creates: 1,
		Prepare: func(ctx context.Context, s *Stage) error {
			return errors.Join(runningCluster(ctx, s), noDatabase(ctx, s))
		},
		Ask:  createDatabase,
		Done: databaseDone,
	},
	{
		Name:    "update database",
		Keeps:   true,
		Prepare: freshDatabase,
		Ask: func(ctx context.Context, s *Stage) error {
			return changeDatabase(ctx, s, func(db *appv1alpha1.RedisEnterpriseDatabase) {
				db.Spec.MemorySize, db.Spec.EvictionPolicy = "300MB", "noeviction"
			})
		},
		Done: databaseDone,
	},
	{
		Name:    "change password",
		Keeps:   true,
		Prepare: freshDatabase,
		Ask: func(ctx context.Context, s *Stage) error {
			var secret corev1.Secret
			if err := s.World.Client.Get(ctx, s.Key(names.DatabaseSecret(dbName)), &secret); err != nil {
				return err
			}
			secret.Data[names.PasswordKey] = []byte("another-password-" + fmt.Sprint(time.Now().UnixNano()))
			return s.World.Client.Update(ctx, &secret)
		},
		Done: passwordDone,
	},
	{
		Name:    "delete database",
		Prepare: freshDatabase,
		Ask: func(ctx context.Context, s *Stage) error {
			return s.World.Client.Delete(ctx, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: named(s, dbName)})
		},
		Done: databaseGone,
	},
}

func named(s *Stage, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.Namespace, Name: name}
}

func createCluster(ctx context.Context, s *Stage) error {
	return s.World.Client.Create(ctx, &appv1.RedisEnterpriseCluster{ObjectMeta: named(s, recName), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3)}})
}

func runningCluster(ctx context.Context, s *Stage) error {
	if err := s.Heal(ctx); err != nil {
		return err
	}
	if err := createCluster(ctx, s); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return wait(ctx, s, clusterDone)
}

func changeCluster(ctx context.Context, s *Stage, change func(*appv1.RedisEnterpriseCluster)) error {
	var rec appv1.RedisEnterpriseCluster
	if err := s.World.Client.Get(ctx, s.Key(recName), &rec); err != nil {
		return err
	}
	before := rec.DeepCopy()
	change(&rec)
	return s.World.Client.Patch(ctx, &rec, client.MergeFrom(before))
}

func createDatabase(ctx context.Context, s *Stage) error {
	return s.World.Client.Create(ctx, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: named(s, dbName), Spec: appv1alpha1.RedisEnterpriseDatabaseSpec{
		MemorySize:  "200MB",
		Replication: ptr.To(true),
		Persistence: appv1alpha1.PersistenceAOFEverySecond,
	}})
}

func runningDatabase(ctx context.Context, s *Stage) error {
	if err := createDatabase(ctx, s); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return wait(ctx, s, databaseDone)
}

func noDatabase(ctx context.Context, s *Stage) error {
	err := s.World.Client.Delete(ctx, &appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: named(s, dbName)})
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	return wait(ctx, s, databaseGone)
}

func freshDatabase(ctx context.Context, s *Stage) error {
	return errors.Join(runningCluster(ctx, s), noDatabase(ctx, s), runningDatabase(ctx, s))
}

func changeDatabase(ctx context.Context, s *Stage, change func(*appv1alpha1.RedisEnterpriseDatabase)) error {
	var db appv1alpha1.RedisEnterpriseDatabase
	if err := s.World.Client.Get(ctx, s.Key(dbName), &db); err != nil {
		return err
	}
	before := db.DeepCopy()
	change(&db)
	return s.World.Client.Patch(ctx, &db, client.MergeFrom(before))
}

// databaseGone wants the CR, the database, its Secret and its Services gone.
func databaseGone(ctx context.Context, s *Stage) (bool, string) {
	for _, obj := range []client.Object{
		&appv1alpha1.RedisEnterpriseDatabase{ObjectMeta: named(s, dbName)},
		&corev1.Secret{ObjectMeta: named(s, names.DatabaseSecret(dbName))},
		&corev1.Service{ObjectMeta: named(s, dbName)},
		&corev1.Service{ObjectMeta: named(s, names.DatabaseHeadless(dbName))},
	} {
		err := s.World.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj)
		if !apierrors.IsNotFound(err) {
			return false, fmt.Sprintf("%T is still there (%v)", obj, err)
		}
	}
	api, err := s.API(ctx)
	if err != nil {
		return false, err.Error()
	}
	defer api.Close()
	databases, err := api.ListBDBs(ctx)
	if err != nil || len(databases) > 0 {
		return false, fmt.Sprintf("%d databases are left (%v)", len(databases), err)
	}
	return true, ""
}

// passwordDone wants the new password to open the database.
func passwordDone(ctx context.Context, s *Stage) (bool, string) {
	if ok, missing := databaseDone(ctx, s); !ok {
		return false, missing
	}
	if err := s.ping(ctx); err != nil {
		return false, "the new password does not open the database: " + err.Error()
	}
	return true, ""
}
