package crash

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Names of the Active-Active flows.
const (
	globalName   = "carts"
	globalSecret = "carts-password"
	here, there  = "here", "there" // remote clusters
)

// activeActiveFlows are those of a database on two clusters: the faults meet the operator of the one, the other has an operator of its own that
// nothing happens to. What is asked on that side has to arrive on this one.
var activeActiveFlows = []Flow{
	{
		Name: "create active-active", Limit: 4 * time.Minute, Prepare: joined,
		Ask:  func(ctx context.Context, s *Stage) error { return createGlobal(ctx, s) },
		Done: globalDone,
	},
	{
		Name: "create active-active there", Limit: 4 * time.Minute, Prepare: joined,
		Ask:  func(ctx context.Context, s *Stage) error { return createGlobal(ctx, peers.of(s)) },
		Done: globalDone,
	},
	{
		Name: "edit active-active", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return editGlobal(ctx, s) },
		Done: globalEdited,
	},
	{
		Name: "edit active-active there", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return editGlobal(ctx, peers.of(s)) },
		Done: globalEdited,
	},
	{
		Name: "delete active-active", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  deleteGlobal,
		Done: globalGone,
	},
	{
		Name: "delete active-active there", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return deleteGlobal(ctx, peers.of(s)) },
		Done: globalGone,
	},
}

func init() { Flows = append(Flows, activeActiveFlows...) }

// pairs are the stages that have another one far away, by namespace.
type pairs struct {
	mu  sync.Mutex
	far map[string]*Stage
}

var peers = &pairs{far: map[string]*Stage{}}

// of is the far stage; it ends with its near one.
func (p *pairs) of(s *Stage) *Stage {
	p.mu.Lock()
	defer p.mu.Unlock()
	far := p.far[s.Namespace]
	if far == nil {
		far = &Stage{World: s.World, Namespace: s.Namespace + "-far", Created: s.Created, Stuck: s.Stuck}
		p.far[s.Namespace] = far
		s.ending = append(s.ending, func(ctx context.Context) error { return errors.Join(far.End(ctx), far.Leave()) })
	}
	return far
}

// joined brings both clusters to where each is reached by the other and there is no database.
func joined(ctx context.Context, s *Stage) error {
	far := peers.of(s)
	if err := s.World.Namespace(ctx, far.Namespace); err != nil {
		return err
	}
	for _, each := range []*Stage{far, s} {
		if err := runningCluster(ctx, each); err != nil {
			return err
		}
		if err := changeCluster(ctx, each, func(rec *appv1.RedisEnterpriseCluster) { rec.Spec.IngressOrRouteSpec = wayIn(each.Namespace) }); err != nil {
			return err
		}
	}
	if err := noGlobal(ctx, s); err != nil {
		return err
	}
	for _, each := range []*Stage{far, s} {
		if err := errors.Join(wait(ctx, each, clusterDone), describes(ctx, each, here, s), describes(ctx, each, there, far), secret(ctx, each)); err != nil {
			return err
		}
	}
	return errors.Join(wait(ctx, s, remotesDone), wait(ctx, far, remotesDone))
}

// describes tells a stage of a cluster, with its credentials.
func describes(ctx context.Context, s *Stage, name string, of *Stage) error {
	var login corev1.Secret
	if err := s.World.Client.Get(ctx, of.Key(recName), &login); err != nil {
		return err
	}
	copied := &corev1.Secret{ObjectMeta: named(s, "redis-enterprise-"+name), Data: map[string][]byte{
		names.UsernameKey: login.Data[names.UsernameKey], names.PasswordKey: login.Data[names.PasswordKey]}}
	remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: named(s, name), Spec: appv1alpha1.RedisEnterpriseRemoteClusterSpec{
		RECName: recName, RECNamespace: of.Namespace, APIFQDNURL: apiHost(of.Namespace), DBFQDNSuffix: suffix(of.Namespace), SecretName: copied.Name}}
	return errors.Join(client.IgnoreAlreadyExists(s.World.Client.Create(ctx, copied)), client.IgnoreAlreadyExists(s.World.Client.Create(ctx, remote)))
}

func secret(ctx context.Context, s *Stage) error {
	return client.IgnoreAlreadyExists(s.World.Client.Create(ctx, &corev1.Secret{ObjectMeta: named(s, globalSecret),
		Data: map[string][]byte{names.PasswordKey: []byte("the same on both sides")}}))
}

func remotesDone(ctx context.Context, s *Stage) (bool, string) {
	for _, name := range []string{here, there} {
		var remote appv1alpha1.RedisEnterpriseRemoteCluster
		if err := s.World.Client.Get(ctx, s.Key(name), &remote); err != nil {
			return false, err.Error()
		}
		if !conditionTrue(remote.Status.Conditions, remote.Generation) {
			return false, fmt.Sprintf("rerc %s %+v", name, remote.Status.Conditions)
		}
	}
	return true, ""
}

// createGlobal asks for the database on one side.
func createGlobal(ctx context.Context, at *Stage) error {
	return at.World.Client.Create(ctx, &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(at, globalName),
		Spec: appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{
			ParticipatingClusters: []appv1alpha1.ParticipatingCluster{{Name: here}, {Name: there}},
			GlobalConfigurations: &appv1alpha1.GlobalConfigurations{DatabaseSecretName: globalSecret, MemorySize: "200MB",
				DatabasePort: ptr.To(globalPort), ShardCount: ptr.To(1)},
		}})
}

// sharing brings both clusters to where they share the database as it was asked for.
func sharing(ctx context.Context, s *Stage) error {
	if err := joined(ctx, s); err != nil {
		return err
	}
	return errors.Join(createGlobal(ctx, s), wait(ctx, s, globalDone))
}

func editGlobal(ctx context.Context, s *Stage) error {
	var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
	if err := s.World.Client.Get(ctx, s.Key(globalName), &db); err != nil {
		return err
	}
	before := db.DeepCopy()
	db.Spec.GlobalConfigurations.MemorySize = "300MB"
	return s.World.Client.Patch(ctx, &db, client.MergeFrom(before))
}

func deleteGlobal(ctx context.Context, s *Stage) error {
	return s.World.Client.Delete(ctx, &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(s, globalName)})
}

func noGlobal(ctx context.Context, s *Stage) error {
	for _, each := range []*Stage{s, peers.of(s)} {
		if err := client.IgnoreNotFound(deleteGlobal(ctx, each)); err != nil {
			return err
		}
	}
	return wait(ctx, s, globalGone)
}

// globalDone wants the resource ready on both sides.
func globalDone(ctx context.Context, s *Stage) (bool, string) { return globalIs(ctx, s, "200MB") }

func globalEdited(ctx context.Context, s *Stage) (bool, string) { return globalIs(ctx, s, "300MB") }

func globalIs(ctx context.Context, s *Stage, memory string) (bool, string) {
	for _, each := range []*Stage{s, peers.of(s)} {
		var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
		if err := s.World.Client.Get(ctx, each.Key(globalName), &db); err != nil {
			return false, err.Error()
		}
		if !conditionTrue(db.Status.Conditions, db.Generation) || db.Spec.GlobalConfigurations == nil || db.Spec.GlobalConfigurations.MemorySize != memory {
			return false, fmt.Sprintf("reaadb in %s: %+v, status %s %+v", each.Namespace, db.Spec.GlobalConfigurations, db.Status.Status, db.Status.Conditions)
		}
	}
	return true, ""
}

// globalGone wants nothing of it on either side.
func globalGone(ctx context.Context, s *Stage) (bool, string) {
	for _, each := range []*Stage{s, peers.of(s)} {
		for _, obj := range []client.Object{
			&appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(each, globalName)},
			&corev1.Service{ObjectMeta: named(each, globalName)},
			&corev1.Service{ObjectMeta: named(each, names.DatabaseHeadless(globalName))},
		} {
			if err := s.World.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
				return false, fmt.Sprintf("%T is still in %s (%v)", obj, each.Namespace, err)
			}
		}
		if left, err := each.globals(ctx); err != nil || left > 0 {
			return false, fmt.Sprintf("%d databases are left in %s (%v)", left, each.Namespace, err)
		}
	}
	return true, ""
}

// globals counts what a cluster has of Active-Active databases.
func (s *Stage) globals(ctx context.Context) (int, error) {
	api, err := s.API(ctx)
	if err != nil {
		return 0, err
	}
	defer api.Close()
	databases, err := api.ListCRDBs(ctx)
	if err != nil {
		return 0, err
	}
	parts, err := api.FindBDB(ctx, globalName)
	if parts != nil {
		return len(databases) + 1, err
	}
	return len(databases), err
}
