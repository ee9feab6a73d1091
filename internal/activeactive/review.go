package activeactive

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// Reviewer decides for the webhook. What it would like to look up and cannot is left out (ADM-10).
type Reviewer struct {
	// Cached answers at once; Live confirms that something is not there, because the cache may be behind.
	Cached, Live client.Reader
	// Links holds the connections to the clusters; their last reading tells what the licence allows.
	Links Links
	// Namespace is the operator's own, where clusters and remote clusters are.
	Namespace string
}

// Kind makes the reviewer part of the admission server.
func (r Reviewer) Kind() admission.Kind {
	return admission.For("redisenterpriseactiveactivedatabases",
		func() *v1alpha1.RedisEnterpriseActiveActiveDatabase {
			return &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
		}, r.review, names.AnnotationLocalOverrides)
}

func (r Reviewer) review(ctx context.Context, old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) admission.Verdict {
	errs := Validate(db)
	if old == nil {
		errs = append(errs, r.nameIsUnique(ctx, db)...)
	} else {
		errs = append(errs, ValidateChange(old, db)...)
		if err := Swapped(old, db, r.local(ctx)); err != nil {
			errs = append(errs, err)
		}
		if err := Replaces(old, db, r.remotes(ctx)); err != nil {
			errs = append(errs, err)
		}
	}
	errs = append(errs, r.references(ctx, old, db)...)
	if err := Stays(db, r.local(ctx)); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, r.fits(ctx, old, db)...)
	var verdict admission.Verdict
	for _, err := range errs {
		verdict.Denials = append(verdict.Denials, err.Error())
	}
	return verdict
}

// adopts tells whether an edit is the operator's own and takes in what all participating clusters have already (AA-9). To
// refuse that for what is missing here would help nobody: the status tells of it.
func adopts(old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) bool {
	return old != nil && old.Annotations[names.AnnotationAgreed] != db.Annotations[names.AnnotationAgreed]
}

// references: the remote clusters and the Secret that are named must be there (ADM-7). The Secret is never made by the
// operator, since it must be the same on all clusters (AA-8). One that was named before keeps no other edit from being made.
func (r Reviewer) references(ctx context.Context, old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	var errs []error
	for _, p := range db.Spec.ParticipatingClusters {
		if r.absent(ctx, types.NamespacedName{Namespace: r.Namespace, Name: p.Name}, func() client.Object { return &v1alpha1.RedisEnterpriseRemoteCluster{} }) {
			errs = append(errs, outcome.Missing(pathClusters, "RedisEnterpriseRemoteCluster %s was not found in namespace %s", p.Name, r.Namespace))
		}
	}
	if old == nil && db.Annotations[names.AnnotationDiscovered] != "" || adopts(old, db) {
		return errs // the operator made it; that the Secret is missing here is told in its status
	}
	name := db.Spec.GlobalConfigurations.DatabaseSpec().DatabaseSecretName
	if name != "" && (old == nil || name != old.Spec.GlobalConfigurations.DatabaseSpec().DatabaseSecretName) {
		err := r.Live.Get(ctx, types.NamespacedName{Namespace: db.Namespace, Name: name}, &corev1.Secret{})
		if apierrors.IsNotFound(err) {
			errs = append(errs, outcome.Missing(pathGlobal+".databaseSecretName", "Secret %s was not found in namespace %s", name, db.Namespace))
		}
	}
	return errs
}

// fits asks the rules that need to know the clusters: host names (RED-77752), and the licence of the local cluster (RED-96301).
func (r Reviewer) fits(ctx context.Context, old, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	var remotes v1alpha1.RedisEnterpriseRemoteClusterList
	var clusters appv1.RedisEnterpriseClusterList
	if r.Cached.List(ctx, &remotes, client.InNamespace(r.Namespace)) != nil || r.Cached.List(ctx, &clusters, client.InNamespace(r.Namespace)) != nil {
		return nil
	}
	var errs []error
	if err := hostsAreNames(Inputs{Database: db, Remotes: remotes.Items}, Observed{}); err != nil {
		errs = append(errs, err)
	}
	cluster := choose(db, clusters.Items)
	in := Inputs{Database: db, Remotes: remotes.Items, Cluster: cluster}
	if err := entryIsHere(in); err != nil {
		errs = append(errs, err)
	}
	if err := servicesAreNamed(in, Observed{}); err != nil && old == nil {
		errs = append(errs, err)
	}
	if cluster == nil || r.Links == nil || adopts(old, db) {
		return errs
	}
	if l := r.Links.Get(client.ObjectKeyFromObject(cluster)); l != nil {
		snapshot := l.Latest()
		if old == nil && snapshot.BDBNamed(db.Name) != nil {
			return errs // it is there already, and this is the resource for it
		}
		if err := licensed(old, db, snapshot); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// absent is true only when cache and API server agree.
func (r Reviewer) absent(ctx context.Context, key types.NamespacedName, empty func() client.Object) bool {
	for _, reader := range []client.Reader{r.Cached, r.Live} {
		if err := reader.Get(ctx, key, empty()); !apierrors.IsNotFound(err) {
			return false
		}
	}
	return true
}

// remotes are the remote clusters of this operator; none when they cannot be read.
func (r Reviewer) remotes(ctx context.Context) []v1alpha1.RedisEnterpriseRemoteCluster {
	var list v1alpha1.RedisEnterpriseRemoteClusterList
	if r.Cached.List(ctx, &list, client.InNamespace(r.Namespace)) != nil {
		return nil
	}
	return list.Items
}

// nameIsUnique: the name is that of a database on every participating cluster (AA-2).
func (r Reviewer) nameIsUnique(ctx context.Context, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) []error {
	var global v1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := r.Cached.List(ctx, &global); err == nil {
		for _, other := range global.Items {
			if other.Name == db.Name && other.Namespace != db.Namespace {
				return []error{outcome.Reject("metadata.name", "an Active-Active database %s exists in namespace %s already", db.Name, other.Namespace)}
			}
		}
	}
	var databases v1alpha1.RedisEnterpriseDatabaseList
	if err := r.Cached.List(ctx, &databases); err == nil {
		for _, other := range databases.Items {
			if other.Name == db.Name {
				return []error{outcome.Reject("metadata.name", "a database %s exists in namespace %s already", db.Name, other.Namespace)}
			}
		}
	}
	return nil
}

// local are the remote clusters that stand for clusters of this operator; none when that cannot be found out.
func (r Reviewer) local(ctx context.Context) map[string]bool {
	var remotes v1alpha1.RedisEnterpriseRemoteClusterList
	var clusters appv1.RedisEnterpriseClusterList
	if r.Cached.List(ctx, &remotes, client.InNamespace(r.Namespace)) != nil || r.Cached.List(ctx, &clusters, client.InNamespace(r.Namespace)) != nil {
		return nil
	}
	own := map[string]bool{}
	for _, c := range clusters.Items {
		own[c.Name] = true
	}
	local := map[string]bool{}
	for _, remote := range remotes.Items {
		local[remote.Name] = remote.Spec.RECNamespace == r.Namespace && own[remote.Spec.RECName]
	}
	return local
}
