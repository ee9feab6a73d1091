package database

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/admission"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Reviewer decides for the webhook. What it would like to look up and cannot is left out (ADM-10): the loop finds the
// same again. Secrets are not looked at: one that comes after its database is no mistake.
type Reviewer struct {
	// Cached answers at once; Live confirms that something is not there, because the cache may be behind.
	Cached, Live client.Reader
	Links        Links
	// Namespace is where the clusters are.
	Namespace string
}

// Kind makes the reviewer part of the admission server.
func (r Reviewer) Kind() admission.Kind {
	return admission.For("redisenterprisedatabases", func() *v1alpha1.RedisEnterpriseDatabase { return &v1alpha1.RedisEnterpriseDatabase{} }, r.review)
}

func (r Reviewer) review(ctx context.Context, old, db *v1alpha1.RedisEnterpriseDatabase) admission.Verdict {
	errs := Validate(db)
	if old != nil {
		errs = append(errs, ValidateChange(old, db)...)
	} else {
		errs = append(errs, r.nameIsUnique(ctx, db)...)
	}
	if old == nil || old.Spec.ClusterName() != db.Spec.ClusterName() {
		errs = append(errs, r.clusterExists(ctx, db)...)
	}
	errs = append(errs, r.fitsCluster(ctx, old, db)...)
	verdict := admission.Verdict{Warnings: warnings(db)}
	for _, err := range errs {
		verdict.Denials = append(verdict.Denials, err.Error())
	}
	return verdict
}

// warnings are what the author should know although it is no reason to refuse.
func warnings(db *v1alpha1.RedisEnterpriseDatabase) []string {
	var list []string
	if paths := bdb.Unsupported(&db.Spec); len(paths) > 0 {
		list = append(list, strings.Join(paths, ", ")+": not acted on by this version of the operator")
	}
	for _, one := range []struct{ types, what string }{
		{"", "the database gets no Services, because their names would not be valid: "},
		{"load_balancer", "where Services are load balancers the database gets none, because the name would not be valid: "},
	} {
		for _, service := range names.DatabaseServices(db.Name, one.types) {
			if errs := validation.IsDNS1035Label(service); len(errs) > 0 {
				return append(list, "metadata.name: "+one.what+errs[0])
			}
		}
	}
	return list
}

// clusterExists: a cluster that is named must be there (ADM-6).
func (r Reviewer) clusterExists(ctx context.Context, db *v1alpha1.RedisEnterpriseDatabase) []error {
	name := db.Spec.ClusterName()
	if name == "" {
		return nil
	}
	key := types.NamespacedName{Namespace: r.Namespace, Name: name}
	for _, reader := range []client.Reader{r.Cached, r.Live} {
		if err := reader.Get(ctx, key, &appv1.RedisEnterpriseCluster{}); !apierrors.IsNotFound(err) {
			return nil
		}
	}
	return []error{outcome.Reject(pathCluster, "RedisEnterpriseCluster %s was not found in namespace %s", name, r.Namespace)}
}

// nameIsUnique: the name of the resource is the name of the database, so it must be unique over all namespaces that
// one cluster serves, Active-Active databases included (REDB-3).
func (r Reviewer) nameIsUnique(ctx context.Context, db *v1alpha1.RedisEnterpriseDatabase) []error {
	var databases v1alpha1.RedisEnterpriseDatabaseList
	if err := r.Cached.List(ctx, &databases); err != nil {
		return nil
	}
	for i := range databases.Items {
		other := &databases.Items[i]
		if other.Name == db.Name && other.Namespace != db.Namespace && mayShare(db.Spec.ClusterName(), recorded(other)) {
			return []error{outcome.Reject("metadata.name", "database %s exists in namespace %s already; names are unique in a cluster", db.Name, other.Namespace)}
		}
	}
	var global v1alpha1.RedisEnterpriseActiveActiveDatabaseList
	if err := r.Cached.List(ctx, &global); err != nil {
		return nil
	}
	for _, other := range global.Items {
		if other.Name == db.Name {
			return []error{outcome.Reject("metadata.name", "an Active-Active database %s exists in namespace %s already; names are unique in a cluster", db.Name, other.Namespace)}
		}
	}
	return nil
}

// mayShare tells whether two databases can be meant for the same cluster; no name means the only one.
func mayShare(a, b string) bool { return a == "" || b == "" || a == b }

// fitsCluster asks the rules that need the last reading of the cluster; without a link there is nothing to ask.
func (r Reviewer) fitsCluster(ctx context.Context, old, db *v1alpha1.RedisEnterpriseDatabase) []error {
	var clusters appv1.RedisEnterpriseClusterList
	if err := r.Cached.List(ctx, &clusters, client.InNamespace(r.Namespace)); err != nil {
		return nil
	}
	cluster := choose(db, clusters.Items)
	if cluster == nil {
		return nil
	}
	errs := ExposeFits(db, cluster)
	if old == nil {
		if why, err := serviceTaken(ctx, r.Cached, r.Live, db, cluster); err == nil && why != "" {
			errs = append(errs, rejectTaken(why))
		}
	}
	l := r.Links.Get(client.ObjectKeyFromObject(cluster))
	if l == nil || !l.Latest().Up() {
		return append(errs, Access(db, cluster, nil)...)
	}
	snapshot := l.Latest()
	errs = append(errs, Access(db, cluster, snapshot)...)
	errs = append(errs, AgainstCluster(old, db, snapshot)...)
	if mine, stranger := find(db, snapshot.BDBs); old == nil && mine == nil && stranger != nil {
		errs = append(errs, outcome.Reject("metadata.name", "cluster %s has a database %s (uid %s) already that no resource made",
			cluster.Name, db.Name, rest.Value(stranger.UID)))
	}
	return errs
}
