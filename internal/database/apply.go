package database

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// API is what steps need of the admin API.
type API interface {
	CreateBDB(ctx context.Context, body *rest.BDB) (*rest.BDB, error)
	UpdateBDB(ctx context.Context, uid rest.UID, body *rest.BDB) (*rest.BDB, error)
	DeleteBDB(ctx context.Context, uid rest.UID) error
	UpgradeBDB(ctx context.Context, uid rest.UID, body *rest.UpgradeRequest) (*rest.BDB, error)
	UpdateBDBAlerts(ctx context.Context, uid rest.UID, body map[string]rest.AlertSetting) error
}

// apply takes the steps in order and stops at the first that fails.
func (k *Kind) apply(ctx context.Context, db *v1alpha1.RedisEnterpriseDatabase, steps []Step, run *Run) error {
	for _, step := range steps {
		log.FromContext(ctx).Info(step.String())
		if err := step.do(ctx, k, db, run); err != nil {
			return err
		}
		run.Done = append(run.Done, step)
	}
	return nil
}

func (k *Kind) api(run *Run) API { return run.Inputs.Link.Client() }

func (guard) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, _ *Run) error {
	return kube.AddFinalizer(ctx, k.Client, db, names.DatabaseFinalizer)
}

func (s makeSecret) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, _ *Run) error {
	password := s.password
	if password == "" {
		var err error
		if password, err = newPassword(); err != nil {
			return err
		}
	}
	_, err := k.secrets(passwordManager).Apply(ctx, db, []client.Object{passwordSecret(db, password)})
	return err
}

// nameSecret is one of the documented cases in which the operator writes into a spec. The write carries the resource
// version: an edit that happened meanwhile wins.
func (s nameSecret) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, _ *Run) error {
	before := db.DeepCopy()
	db.Spec.DatabaseSecretName = s.name
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := k.Client.Patch(ctx, db, patch, client.FieldOwner(names.ManagerOperator)); err != nil {
		return fmt.Errorf("write %s: %w", pathSecret, err)
	}
	return nil
}

func (s publish) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	live := run.Inputs.Secrets[s.name]
	secret := connection(db, live, s.how)
	var owner client.Object = db
	if secret.Labels == nil { // a user's Secret stays when the database goes (REDB-15)
		owner = nil
	}
	_, err := k.secrets(names.ManagerOperator).Apply(ctx, owner, []client.Object{secret})
	return err
}

func (s create) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	key := client.ObjectKeyFromObject(db)
	k.creations.begin(key, k.Now())
	made, err := k.api(run).CreateBDB(ctx, s.body)
	if err != nil {
		if !rest.MaybeApplied(err) && ctx.Err() == nil {
			k.creations.end(key)
		}
		return meaning("create the database", err)
	}
	k.creations.end(key)
	k.sent.note(key, s.sent)
	run.saw(made)
	return nil
}

// saw takes over what an answer tells of the database.
func (r *Run) saw(answer *rest.BDB) {
	if uid := rest.Value(answer.ActionUID); uid != "" {
		r.ActionUID = uid
	}
	if rest.Value(answer.UID) != 0 && rest.Value(answer.Status) != "" {
		r.Observed.BDB = answer
	}
}

func (s update) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	changed, err := k.api(run).UpdateBDB(ctx, s.uid, s.body)
	if err != nil {
		return meaning("change the database", err)
	}
	k.sent.note(client.ObjectKeyFromObject(db), s.sent)
	run.saw(changed)
	return nil
}

func (s upgrade) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	changed, err := k.api(run).UpgradeBDB(ctx, s.uid, s.body)
	if err != nil {
		return meaning("upgrade the database", err)
	}
	run.saw(changed)
	return nil
}

func (s setAlerts) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	if err := k.api(run).UpdateBDBAlerts(ctx, s.uid, s.body); err != nil {
		return meaning("set alerts", err)
	}
	return nil
}

func (s clearFailed) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	if err := k.api(run).DeleteBDB(ctx, s.uid); err != nil && !rest.IsNotFound(err) {
		return meaning("clear away the failed creation", err)
	}
	return nil
}

func (s remove) do(ctx context.Context, k *Kind, _ *v1alpha1.RedisEnterpriseDatabase, run *Run) error {
	if err := k.api(run).DeleteBDB(ctx, s.uid); err != nil && !rest.IsNotFound(err) {
		return meaning("delete the database", err)
	}
	return nil
}

func (s release) do(ctx context.Context, k *Kind, db *v1alpha1.RedisEnterpriseDatabase, _ *Run) error {
	key := client.ObjectKeyFromObject(db)
	k.creations.end(key)
	k.sent.forget(key)
	return kube.RemoveFinalizer(ctx, k.Client, db, names.DatabaseFinalizer)
}

// secrets writes Secrets, comparing with what is live: the cache knows only those with our label.
func (k *Kind) secrets(manager string) kube.Writer {
	return kube.Writer{Client: liveSecrets{k.Client, k.Live}, Manager: manager}
}

// liveSecrets is a client that reads Secrets past the cache.
type liveSecrets struct {
	client.Client
	live client.Reader
}

// Get reads one object.
func (c liveSecrets) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if _, secret := obj.(*corev1.Secret); secret {
		return c.live.Get(ctx, key, obj, opts...)
	}
	return c.Client.Get(ctx, key, obj, opts...)
}
