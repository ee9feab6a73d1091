package database

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
	Database *v1alpha1.RedisEnterpriseDatabase
	// Clusters are all those of the operator's namespace, by name.
	Clusters []appv1.RedisEnterpriseCluster
	// Cluster is the one of them that holds the database; nil when there is none or the choice is not clear.
	Cluster *appv1.RedisEnterpriseCluster
	// Namespace is where clusters are looked for.
	Namespace string
	// Link is the connection to the cluster; nil while there is none.
	Link *link.Link
	// Secrets are the ones that the spec names, by name; nil for one that does not exist.
	Secrets map[string]*corev1.Secret
	// Sent are fingerprints of the secrets last sent by this process; used where the cluster hides what it has.
	Sent map[string]string
	// Taken says which Service has a name that the Services of a new database would have; empty for none.
	Taken string
	// Creating is true while a creation whose answer was lost may still be under way.
	Creating bool
}

// gather reads the cluster and the Secrets. What is absent is a value, not an error.
func (k *Kind) gather(ctx context.Context, db *v1alpha1.RedisEnterpriseDatabase) (Inputs, error) {
	in := Inputs{Database: db, Namespace: k.Namespace, Secrets: map[string]*corev1.Secret{}}
	var list appv1.RedisEnterpriseClusterList
	if err := k.Client.List(ctx, &list, client.InNamespace(k.Namespace)); err != nil {
		return in, fmt.Errorf("list clusters: %w", err)
	}
	in.Clusters = list.Items
	slices.SortFunc(in.Clusters, func(a, b appv1.RedisEnterpriseCluster) int { return cmp.Compare(a.Name, b.Name) })
	in.Cluster = choose(db, in.Clusters)
	if in.Cluster != nil {
		in.Link = k.Links.Get(client.ObjectKeyFromObject(in.Cluster))
	}
	in.Sent = k.sent.of(client.ObjectKeyFromObject(db))
	in.Creating = k.creations.recent(client.ObjectKeyFromObject(db), k.Now(), k.CreateGrace)
	if !db.DeletionTimestamp.IsZero() {
		return in, nil
	}
	if in.Cluster != nil && recordedUID(db) == 0 {
		var err error
		if in.Taken, err = serviceTaken(ctx, k.Client, k.Live, db, in.Cluster); err != nil {
			return in, err
		}
	}
	for _, ref := range References(db) {
		if _, read := in.Secrets[ref.Secret]; read {
			continue
		}
		secret, err := k.secret(ctx, types.NamespacedName{Namespace: db.Namespace, Name: ref.Secret})
		if err != nil {
			return in, fmt.Errorf("read Secret %s: %w", ref.Secret, err)
		}
		in.Secrets[ref.Secret] = secret
	}
	return in, nil
}

func (k *Kind) secret(ctx context.Context, key types.NamespacedName) (*corev1.Secret, error) {
	var secret corev1.Secret
	err := k.Live.Get(ctx, key, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return &secret, err
}

// choose picks the cluster of a database: the one it was made in, the one it names, or the only one (REDB-2).
func choose(db *v1alpha1.RedisEnterpriseDatabase, clusters []appv1.RedisEnterpriseCluster) *appv1.RedisEnterpriseCluster {
	name := db.Spec.ClusterName()
	if db.Status.DatabaseUID != "" {
		name = cmp.Or(db.Status.RedisEnterpriseCluster, name)
	}
	for i := range clusters {
		if clusters[i].Name == name || name == "" && len(clusters) == 1 {
			return &clusters[i]
		}
	}
	return nil
}

// Reference is a Secret that a spec names.
type Reference struct {
	// Path is the field, as a user would type it.
	Path string
	// Secret is its name.
	Secret string
	// Keys must be there.
	Keys []string
}

// References lists the Secrets that a database needs, in the order of the spec.
func References(db *v1alpha1.RedisEnterpriseDatabase) []Reference {
	var refs []Reference
	for i, name := range db.Spec.ClientAuthenticationCertificates {
		refs = append(refs, Reference{fmt.Sprintf("spec.clientAuthenticationCertificates[%d]", i), name, []string{names.CertKey}})
	}
	if usesSecret(&db.Spec) {
		refs = append(refs, Reference{pathSecret, db.SecretName(), []string{names.PasswordKey}})
	}
	if name := db.Spec.MemcachedSASLSecretName; name != "" && db.Spec.Type == v1alpha1.DatabaseMemcached {
		refs = append(refs, Reference{"spec.memcachedSaslSecretName", name, []string{names.UsernameKey, names.PasswordKey}})
	}
	return refs
}

// pathSecret is the field that names the Secret with the password.
const pathSecret = "spec.databaseSecretName"
