package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	elsewhere    = "elsewhere"

	memory, moreMemory = "200MB", "300MB"
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
		Ask:  func(ctx context.Context, s *Stage) error { return createGlobal(ctx, peers.of(s, there)) },
		Done: globalDone,
	},
	{
		Name: "edit active-active", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return editGlobal(ctx, s) },
		Done: globalEdited,
	},
	{
		Name: "edit active-active there", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return editGlobal(ctx, peers.of(s, there)) },
		Done: globalEdited,
	},
	{
		Name: "delete active-active", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  deleteGlobal,
		Done: globalGone,
	},
	{
		Name: "delete active-active there", Limit: 4 * time.Minute, Prepare: sharing,
		Ask:  func(ctx context.Context, s *Stage) error { return deleteGlobal(ctx, peers.of(s, there)) },
		Done: globalGone,
	},
	{
		Name: "add participant", Limit: 5 * time.Minute, Prepare: shared(here, there),
		Ask:  func(ctx context.Context, s *Stage) error { return participate(ctx, s, here, there, elsewhere) },
		Done: taking(here, there, elsewhere),
	},
	{
		Name: "join participants", Limit: 5 * time.Minute, Prepare: shared(there, elsewhere),
		Ask: func(ctx context.Context, s *Stage) error {
			return participate(ctx, peers.of(s, there), there, elsewhere, here)
		},
		Done: taking(here, there, elsewhere),
	},
	{
		Name: "remove participant", Limit: 5 * time.Minute, Prepare: shared(here, there, elsewhere),
		Ask:  func(ctx context.Context, s *Stage) error { return participate(ctx, s, here, there) },
		Done: taking(here, there),
	},
	{
		Name: "leave participants", Limit: 5 * time.Minute, Prepare: shared(there, elsewhere, here), // asked for where it still is after the run before
		Ask: func(ctx context.Context, s *Stage) error {
			return participate(ctx, peers.of(s, there), there, elsewhere)
		},
		Done: taking(there, elsewhere),
	},
}

func init() { Flows = append(Flows, activeActiveFlows...) }

// distant are the stages of other clusters, by the namespace of the near one and their remote cluster's name.
type distant struct {
	mu  sync.Mutex
	far map[string]*Stage
}

var peers = &distant{far: map[string]*Stage{}}

// of is the stage that the near one knows by a name; it ends with the near one, which is here.
func (p *distant) of(s *Stage, name string) *Stage {
	if name == here {
		return s
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	id := s.Namespace + "-" + name
	if p.far[id] == nil {
		far := &Stage{World: s.World, Namespace: id, Created: s.Created, Stuck: s.Stuck}
		p.far[id] = far
		s.ending = append(s.ending, func(ctx context.Context) error { return errors.Join(far.End(ctx), far.Leave()) })
	}
	return p.far[id]
}

// all are the stages with these names, or without names those there have been so far, the far ones first.
func (p *distant) all(s *Stage, of ...string) []*Stage {
	if len(of) == 0 {
		p.mu.Lock()
		third := p.far[s.Namespace+"-"+elsewhere] != nil
		p.mu.Unlock()
		of = []string{there, here}
		if third {
			of = []string{elsewhere, there, here}
		}
	}
	var out []*Stage
	for _, name := range of {
		out = append(out, p.of(s, name))
	}
	return out
}

// joined brings the two clusters to where each is reached by the other and there is no database.
func joined(ctx context.Context, s *Stage) error {
	if err := meet(ctx, s, here, there); err != nil {
		return err
	}
	return noGlobal(ctx, s)
}

// meet brings clusters to where each is reached by all.
func meet(ctx context.Context, s *Stage, of ...string) error {
	stages := peers.all(s, of...)
	for _, each := range stages {
		if err := s.World.Namespace(ctx, each.Namespace); err != nil {
			return err
		}
		if err := runningCluster(ctx, each); err != nil {
			return err
		}
		if err := changeCluster(ctx, each, func(rec *appv1.RedisEnterpriseCluster) { rec.Spec.IngressOrRouteSpec = wayIn(each.Namespace) }); err != nil {
			return err
		}
	}
	for _, each := range stages {
		if err := errors.Join(wait(ctx, each, clusterDone), secret(ctx, each)); err != nil {
			return err
		}
		for i, name := range of {
			if err := describes(ctx, each, name, stages[i]); err != nil {
				return err
			}
		}
	}
	for _, each := range stages {
		if err := wait(ctx, each, remotesDone(of...)); err != nil {
			return err
		}
	}
	return nil
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

func remotesDone(of ...string) func(context.Context, *Stage) (bool, string) {
	return func(ctx context.Context, s *Stage) (bool, string) {
		for _, name := range of {
			var remote appv1alpha1.RedisEnterpriseRemoteCluster
			if err := s.World.Client.Get(ctx, s.Key(name), &remote); err != nil {
				return false, err.Error()
			}
			if !conditionTrue(remote.Status.Conditions, remote.Generation) {
				return false, fmt.Sprintf("rerc %s in %s %+v", name, s.Namespace, remote.Status.Conditions)
			}
		}
		return true, ""
	}
}

// createGlobal asks for the database on one side, for the two clusters unless others are named.
func createGlobal(ctx context.Context, at *Stage, on ...string) error {
	if len(on) == 0 {
		on = []string{here, there}
	}
	return at.World.Client.Create(ctx, &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(at, globalName),
		Spec: appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{
			ParticipatingClusters: participants(on),
			GlobalConfigurations: &appv1alpha1.GlobalConfigurations{DatabaseSecretName: globalSecret, MemorySize: memory,
				DatabasePort: ptr.To(globalPort), ShardCount: ptr.To(1)},
		}})
}

func participants(of []string) []appv1alpha1.ParticipatingCluster {
	var out []appv1alpha1.ParticipatingCluster
	for _, name := range of {
		out = append(out, appv1alpha1.ParticipatingCluster{Name: name})
	}
	return out
}

// sharing brings both clusters to where they share the database as it was asked for.
func sharing(ctx context.Context, s *Stage) error {
	return errors.Join(meet(ctx, s, here, there), share(ctx, s, here, there))
}

// shared brings three clusters to where some of them share the database.
func shared(on ...string) func(context.Context, *Stage) error {
	return func(ctx context.Context, s *Stage) error {
		return errors.Join(meet(ctx, s, here, there, elsewhere), share(ctx, s, on...))
	}
}

// share makes these clusters the participants of the database as it was asked for, whether it is there or not. It is asked
// for where it is: the flow before may have left it on any of them.
func share(ctx context.Context, s *Stage, on ...string) error {
	for _, name := range on {
		var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
		err := s.World.Client.Get(ctx, peers.of(s, name).Key(globalName), &db)
		if apierrors.IsNotFound(err) {
			continue
		}
		return errors.Join(err, widen(ctx, s, &db, on), reshape(ctx, s, peers.of(s, name), on))
	}
	return errors.Join(createGlobal(ctx, peers.of(s, on[0]), on...), wait(ctx, s, taking(on...)))
}

// widen adds participants before others may leave: an edit that replaces half of them is refused.
func widen(ctx context.Context, s *Stage, db *appv1alpha1.RedisEnterpriseActiveActiveDatabase, on []string) error {
	all := slices.Clone(on)
	for _, p := range db.Spec.ParticipatingClusters {
		if !slices.Contains(all, p.Name) {
			all = append(all, p.Name)
		}
	}
	if len(all) == len(on) {
		return nil
	}
	at := &Stage{World: s.World, Namespace: db.Namespace}
	return reshape(ctx, s, at, all)
}

// reshape asks in one place for participants, with everything else as it was asked for first, and waits for them.
func reshape(ctx context.Context, s, at *Stage, on []string) error {
	err := changeGlobal(ctx, at, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters, db.Spec.GlobalConfigurations.MemorySize = participants(on), memory
	})
	return errors.Join(err, wait(ctx, s, taking(on...)))
}

// participate asks on one side for exactly these clusters.
func participate(ctx context.Context, at *Stage, of ...string) error {
	return changeGlobal(ctx, at, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.ParticipatingClusters = participants(of)
	})
}

func editGlobal(ctx context.Context, at *Stage) error {
	return changeGlobal(ctx, at, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
		db.Spec.GlobalConfigurations.MemorySize = moreMemory
	})
}

func changeGlobal(ctx context.Context, at *Stage, change func(*appv1alpha1.RedisEnterpriseActiveActiveDatabase)) error {
	var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
	if err := at.World.Client.Get(ctx, at.Key(globalName), &db); err != nil {
		return err
	}
	before := db.DeepCopy()
	change(&db)
	return at.World.Client.Patch(ctx, &db, client.MergeFrom(before))
}

func deleteGlobal(ctx context.Context, s *Stage) error {
	return s.World.Client.Delete(ctx, &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(s, globalName)})
}

func noGlobal(ctx context.Context, s *Stage) error {
	for _, each := range peers.all(s) {
		if err := client.IgnoreNotFound(deleteGlobal(ctx, each)); err != nil {
			return err
		}
	}
	return wait(ctx, s, globalGone)
}

// globalDone wants the resource ready on both sides.
func globalDone(ctx context.Context, s *Stage) (bool, string) {
	return globalIs(ctx, s, memory, here, there)
}

func globalEdited(ctx context.Context, s *Stage) (bool, string) {
	return globalIs(ctx, s, moreMemory, here, there)
}

// taking wants the resource ready where it takes part, and nothing of it anywhere else.
func taking(part ...string) func(context.Context, *Stage) (bool, string) {
	return func(ctx context.Context, s *Stage) (bool, string) {
		for _, each := range peers.all(s) {
			if slices.Contains(peers.all(s, part...), each) {
				continue
			}
			if gone, left := goneFrom(ctx, each); !gone {
				return false, left
			}
		}
		return globalIs(ctx, s, memory, part...)
	}
}

func globalIs(ctx context.Context, s *Stage, size string, on ...string) (bool, string) {
	for _, each := range peers.all(s, on...) {
		var db appv1alpha1.RedisEnterpriseActiveActiveDatabase
		if err := s.World.Client.Get(ctx, each.Key(globalName), &db); err != nil {
			return false, err.Error()
		}
		if !conditionTrue(db.Status.Conditions, db.Generation) || db.Spec.GlobalConfigurations == nil || db.Spec.GlobalConfigurations.MemorySize != size ||
			len(db.Spec.ParticipatingClusters) != len(on) {
			return false, fmt.Sprintf("reaadb in %s: %+v %+v, status %s %+v", each.Namespace, db.Spec.GlobalConfigurations, db.Spec.ParticipatingClusters,
				db.Status.Status, db.Status.Conditions)
		}
	}
	return true, ""
}

// globalGone wants nothing of it on any side.
func globalGone(ctx context.Context, s *Stage) (bool, string) {
	for _, each := range peers.all(s) {
		if gone, left := goneFrom(ctx, each); !gone {
			return false, left
		}
	}
	return true, ""
}

func goneFrom(ctx context.Context, s *Stage) (bool, string) {
	for _, obj := range []client.Object{
		&appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: named(s, globalName)},
		&corev1.Service{ObjectMeta: named(s, globalName)},
		&corev1.Service{ObjectMeta: named(s, names.DatabaseHeadless(globalName))},
	} {
		if err := s.World.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
			return false, fmt.Sprintf("%T is still in %s (%v)", obj, s.Namespace, err)
		}
	}
	if left, err := s.globals(ctx); err != nil || left > 0 {
		return false, fmt.Sprintf("%d databases are left in %s (%v)", left, s.Namespace, err)
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
