package activeactive

import (
	"cmp"
	"context"
	"encoding/json"
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
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Inputs are the resource and everything that it refers to.
type Inputs struct {
	Database *v1alpha1.RedisEnterpriseActiveActiveDatabase
	// Clusters are all those of the operator's namespace, by name.
	Clusters []appv1.RedisEnterpriseCluster
	// Cluster is the one of them that takes part; nil when there is none or the choice is not clear.
	Cluster *appv1.RedisEnterpriseCluster
	// Namespace is where clusters and remote clusters are.
	Namespace string
	// Link is the connection to the cluster; nil while there is none.
	Link *link.Link
	// Remotes are the remote clusters of the operator's namespace, by name.
	Remotes []v1alpha1.RedisEnterpriseRemoteCluster
	// Credentials are those of the participating clusters, by the name of the remote cluster.
	Credentials map[string]rest.Credentials
	// Secrets are the ones that the settings name, by name; nil for one that does not exist.
	Secrets map[string]*corev1.Secret
	// Agreed is what was last seen to be the same here and everywhere; nil when nothing was.
	Agreed *Terms
	// Task is the last change that was asked for.
	Task Record
}

// remote finds a remote cluster by name.
func (in Inputs) remote(name string) *v1alpha1.RedisEnterpriseRemoteCluster {
	for i := range in.Remotes {
		if in.Remotes[i].Name == name {
			return &in.Remotes[i]
		}
	}
	return nil
}

// remoteOf finds the remote cluster that stands for a cluster, the oldest if several do.
func (in Inputs) remoteOf(cluster string) *v1alpha1.RedisEnterpriseRemoteCluster {
	return describing(in.Remotes, cluster)
}

func describing(remotes []v1alpha1.RedisEnterpriseRemoteCluster, cluster string) *v1alpha1.RedisEnterpriseRemoteCluster {
	var found *v1alpha1.RedisEnterpriseRemoteCluster
	for i := range remotes {
		if r := &remotes[i]; clusterOf(r) == cluster && (found == nil || r.CreationTimestamp.Before(&found.CreationTimestamp)) {
			found = r
		}
	}
	return found
}

// own is the full name of the local cluster.
func (in Inputs) own() string {
	if in.Cluster == nil {
		return ""
	}
	return names.FQDN(in.Cluster.Name, in.Cluster.Namespace)
}

// gather reads clusters, remote clusters and Secrets. What is absent is a value, not an error.
func (k *Kind) gather(ctx context.Context, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) (Inputs, error) {
	in := Inputs{Database: db, Namespace: k.Namespace, Secrets: map[string]*corev1.Secret{}, Credentials: map[string]rest.Credentials{}}
	if err := k.gatherClusters(ctx, &in); err != nil {
		return in, err
	}
	in.remember()
	if !db.DeletionTimestamp.IsZero() {
		return in, nil
	}
	for _, ref := range References(db) {
		secret, err := k.secret(ctx, types.NamespacedName{Namespace: db.Namespace, Name: ref.Secret})
		if err != nil {
			return in, err
		}
		in.Secrets[ref.Secret] = secret
	}
	for i := range in.Remotes {
		if err := k.gatherCredentials(ctx, &in, &in.Remotes[i]); err != nil {
			return in, err
		}
	}
	return in, nil
}

func (k *Kind) gatherClusters(ctx context.Context, in *Inputs) error {
	var clusters appv1.RedisEnterpriseClusterList
	if err := k.Client.List(ctx, &clusters, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	in.Clusters = clusters.Items
	slices.SortFunc(in.Clusters, func(a, b appv1.RedisEnterpriseCluster) int { return cmp.Compare(a.Name, b.Name) })
	if in.Cluster = choose(in.Database, in.Clusters); in.Cluster != nil {
		in.Link = k.Links.Get(client.ObjectKeyFromObject(in.Cluster))
	}
	var remotes v1alpha1.RedisEnterpriseRemoteClusterList
	if err := k.Client.List(ctx, &remotes, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("list remote clusters: %w", err)
	}
	in.Remotes = remotes.Items
	slices.SortFunc(in.Remotes, func(a, b v1alpha1.RedisEnterpriseRemoteCluster) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// choose picks the local cluster: the one where the database is, the one it names, or the only one.
func choose(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, clusters []appv1.RedisEnterpriseCluster) *appv1.RedisEnterpriseCluster {
	name := askedCluster(db)
	if db.Status.GUID != "" {
		name = cmp.Or(db.Status.RedisEnterpriseCluster, name)
	}
	for i := range clusters {
		if clusters[i].Name == name || name == "" && len(clusters) == 1 {
			return &clusters[i]
		}
	}
	return nil
}

func askedCluster(db *v1alpha1.RedisEnterpriseActiveActiveDatabase) string {
	if db.Spec.RedisEnterpriseCluster == nil {
		return ""
	}
	return db.Spec.RedisEnterpriseCluster.Name
}

// remember reads what earlier passes wrote down. What nobody can read counts as nothing.
func (in *Inputs) remember() {
	annotations := in.Database.Annotations
	if text := annotations[names.AnnotationAgreed]; text != "" {
		var terms Terms
		if json.Unmarshal([]byte(text), &terms) == nil {
			in.Agreed = &terms
		}
	}
	if text := annotations[names.AnnotationTask]; text != "" {
		if json.Unmarshal([]byte(text), &in.Task) != nil {
			in.Task = Record{}
		}
	}
}

// gatherCredentials reads those of a remote cluster that takes part (RERC-2).
func (k *Kind) gatherCredentials(ctx context.Context, in *Inputs, remote *v1alpha1.RedisEnterpriseRemoteCluster) error {
	if !lists(in.Database, remote.Name) {
		return nil
	}
	secret, err := k.secret(ctx, types.NamespacedName{Namespace: remote.Namespace, Name: CredentialsName(remote)})
	if err != nil || secret == nil || len(secret.Data[names.PasswordKey]) == 0 {
		return err
	}
	in.Credentials[remote.Name] = rest.Credentials{Username: string(secret.Data[names.UsernameKey]), Password: string(secret.Data[names.PasswordKey])}
	return nil
}

// CredentialsName is the Secret with the credentials of a remote cluster.
func CredentialsName(remote *v1alpha1.RedisEnterpriseRemoteCluster) string {
	return cmp.Or(remote.Spec.SecretName, names.RemoteSecretPrefix+remote.Name)
}

func lists(db *v1alpha1.RedisEnterpriseActiveActiveDatabase, remote string) bool {
	return slices.ContainsFunc(db.Spec.ParticipatingClusters, func(p v1alpha1.ParticipatingCluster) bool { return p.Name == remote })
}

func (k *Kind) secret(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := k.Live.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", key.Name, err)
	}
	return &secret, nil
}
