package crash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// second is another administrator of the far cluster.
var second = rest.Credentials{Username: "second@example.com", Password: "the password of the second one"}

func init() {
	Flows = append(Flows, Flow{
		Name: "change credentials", Limit: 4 * time.Minute, Prepare: reachedAsFirst,
		Ask:  func(ctx context.Context, s *Stage) error { return reachAs(ctx, s, second) },
		Done: reachedAs(func(context.Context, *Stage) (rest.Credentials, error) { return second, nil }),
	})
}

// reachedAsFirst brings the two clusters to where they share the database, know of no third, and the far one is reached by
// its first administrator; the second one may as well.
func reachedAsFirst(ctx context.Context, s *Stage) error {
	if err := errors.Join(sharing(ctx, s), forget(ctx, s, elsewhere)); err != nil {
		return err
	}
	api, err := peers.of(s, there).API(ctx)
	if err != nil {
		return err
	}
	defer api.Close()
	users, err := api.ListUsers(ctx)
	if err == nil && !slices.ContainsFunc(users, func(u rest.User) bool { return rest.Value(u.Email) == second.Username }) {
		_, err = api.CreateUser(ctx, &rest.User{Email: &second.Username, Password: &second.Password, Name: ptr.To("second"), RoleUIDs: &[]rest.UID{1}})
	}
	login, found := first(ctx, s)
	return errors.Join(err, found, reachAs(ctx, s, login), wait(ctx, s, reachedAs(first)))
}

// forget takes away what a flow before this one told the two clusters of another.
func forget(ctx context.Context, s *Stage, name string) error {
	for _, each := range peers.all(s, here, there) {
		remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: named(each, name)}
		login := &corev1.Secret{ObjectMeta: named(each, "redis-enterprise-"+name)}
		if err := errors.Join(client.IgnoreNotFound(s.World.Client.Delete(ctx, remote)), client.IgnoreNotFound(s.World.Client.Delete(ctx, login))); err != nil {
			return err
		}
		err := wait(ctx, each, func(ctx context.Context, s *Stage) (bool, string) {
			err := s.World.Client.Get(ctx, s.Key(name), remote)
			return apierrors.IsNotFound(err), fmt.Sprintf("remote cluster %s is still there (%v)", name, err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// first is the administrator that the far cluster was made with.
func first(ctx context.Context, s *Stage) (rest.Credentials, error) {
	far := peers.of(s, there)
	var login corev1.Secret
	err := s.World.Client.Get(ctx, far.Key(recName), &login)
	return rest.Credentials{Username: string(login.Data[names.UsernameKey]), Password: string(login.Data[names.PasswordKey])}, err
}

// reachAs tells both sides with which credentials the far cluster is reached.
func reachAs(ctx context.Context, s *Stage, login rest.Credentials) error {
	for _, each := range peers.all(s, here, there) {
		var secret corev1.Secret
		if err := s.World.Client.Get(ctx, each.Key("redis-enterprise-"+there), &secret); err != nil {
			return err
		}
		secret.Data = map[string][]byte{names.UsernameKey: []byte(login.Username), names.PasswordKey: []byte(login.Password)}
		if err := s.World.Client.Update(ctx, &secret); err != nil {
			return err
		}
	}
	return nil
}

// reachedAs wants the clusters to use some credentials, and the database ready on both sides.
func reachedAs(who func(context.Context, *Stage) (rest.Credentials, error)) func(context.Context, *Stage) (bool, string) {
	return func(ctx context.Context, s *Stage) (bool, string) {
		login, err := who(ctx, s)
		if err != nil {
			return false, err.Error()
		}
		api, err := s.API(ctx)
		if err != nil {
			return false, err.Error()
		}
		defer api.Close()
		databases, err := api.ListCRDBs(ctx)
		if err != nil || len(databases) != 1 {
			return false, fmt.Sprintf("%d Active-Active databases (%v)", len(databases), err)
		}
		for _, inst := range rest.Value(databases[0].Instances) {
			used := inst.Cluster != nil && inst.Cluster.Credentials != nil && inst.Cluster.Credentials.Username == login.Username
			if inst.ClusterName() == names.FQDN(recName, peers.of(s, there).Namespace) && !used {
				return false, "the far cluster is still reached by another administrator"
			}
		}
		return globalDone(ctx, s)
	}
}
