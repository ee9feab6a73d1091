package remotecluster

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Inputs are the resource and everything that it refers to.
type Inputs struct {
	Remote *v1alpha1.RedisEnterpriseRemoteCluster
	// Others are the older remote clusters of the namespace: where two claim the same, the older one has it.
	Others []v1alpha1.RedisEnterpriseRemoteCluster
	// Users are the Active-Active databases that list the remote cluster, as namespace/name.
	Users []string
	// Secret has the credentials; nil when it does not exist.
	Secret *corev1.Secret
	// Local is true when the resource stands for a cluster of this operator (RERC-3).
	Local bool
	// Own is the connection to the local cluster, whichever cluster the resource stands for; nil while there is none.
	Own *link.Link
}

// SecretName is the name of the Secret with the credentials of a remote cluster (RERC-2).
func SecretName(remote *v1alpha1.RedisEnterpriseRemoteCluster) string {
	return cmp.Or(remote.Spec.SecretName, names.RemoteSecretPrefix+remote.Name)
}

// Uses tells whether an Active-Active database lists a remote cluster.
func Uses(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, remote string) bool {
	return slices.ContainsFunc(db.Spec.ParticipatingClusters, func(p v1alpha1.ParticipatingCluster) bool { return p.Name == remote })
}

// gather reads the neighbours, the users, the local cluster and the Secret. What is absent is a value, not an error.
func (k *Kind) gather(ctx context.Context, remote *v1alpha1.RedisEnterpriseRemoteCluster) (Inputs, error) {
	in := Inputs{Remote: remote}
	var users v1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := k.Client.List(ctx, &users); err != nil {
		return in, fmt.Errorf("list Active-Active databases: %w", err)
	}
	for i := range users.Items {
		if db := &users.Items[i]; Uses(db, remote.Name) {
			in.Users = append(in.Users, db.Namespace+"/"+db.Name)
		}
	}
	slices.Sort(in.Users)
	if !remote.DeletionTimestamp.IsZero() {
		return in, nil
	}
	var others v1alpha1.RedisEnterpriseRemoteClusterList
	if err := k.Client.List(ctx, &others, client.InNamespace(remote.Namespace)); err != nil {
		return in, fmt.Errorf("list remote clusters: %w", err)
	}
	in.Others = slices.DeleteFunc(others.Items, func(other v1alpha1.RedisEnterpriseRemoteCluster) bool { return !older(&other, remote) })
	if err := k.gatherLocal(ctx, &in); err != nil {
		return in, err
	}
	var secret corev1.Secret
	err := k.Live.Get(ctx, types.NamespacedName{Namespace: remote.Namespace, Name: SecretName(remote)}, &secret)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return in, fmt.Errorf("read Secret %s: %w", SecretName(remote), err)
	default:
		in.Secret = &secret
	}
	return in, nil
}

// gatherLocal finds the clusters of this operator. The local one is what others are compared with.
func (k *Kind) gatherLocal(ctx context.Context, in *Inputs) error {
	var list appv1.RedisEnterpriseClusterList
	if err := k.Client.List(ctx, &list, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	spec := &in.Remote.Spec
	for i := range list.Items {
		own := &list.Items[i]
		in.Local = in.Local || spec.RECNamespace == own.Namespace && spec.RECName == own.Name
		if k.Links != nil && in.Own == nil {
			in.Own = k.Links.Get(client.ObjectKeyFromObject(own))
		}
	}
	return nil
}

func older(a, b *v1alpha1.RedisEnterpriseRemoteCluster) bool {
	if a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.Name < b.Name
	}
	return a.CreationTimestamp.Before(&b.CreationTimestamp)
}
