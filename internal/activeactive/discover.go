package activeactive

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/bdb"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Marked lists the resources that the Active-Active databases of a cluster belong to: those that an operator like this
// one made, by their marks (AA-4).
func Marked(cluster types.NamespacedName, snapshot *link.Snapshot) []types.NamespacedName {
	if snapshot == nil {
		return nil
	}
	var out []types.NamespacedName
	for i := range snapshot.CRDBs {
		crdb := &snapshot.CRDBs[i]
		if inst := instanceOn(crdb, names.FQDN(cluster.Name, cluster.Namespace)); inst != nil && managed(crdb) {
			if namespace, name := marks(inst.DBConfig); namespace != "" && name != "" {
				out = append(out, types.NamespacedName{Namespace: namespace, Name: name})
			}
		}
	}
	return out
}

func managed(crdb *rest.CRDB) bool {
	tags := tagsOf(crdb.DefaultDBConfig)
	return tags[bdb.TagManagedBy] == bdb.ManagedBy && tags[bdb.TagResource] == resourceKind
}

// Discover makes the resource of a database that another participating cluster made (AA-3), and the remote clusters that
// it names (RERC-7). It makes nothing for a database that a fresh reading does not show, or that is going.
func (k *Kind) Discover(ctx context.Context, key types.NamespacedName) error {
	var clusters appv1.RedisEnterpriseClusterList
	if err := k.Client.List(ctx, &clusters, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("list clusters: %w", err)
	}
	for i := range clusters.Items {
		if err := k.discoverIn(ctx, &clusters.Items[i], key); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kind) discoverIn(ctx context.Context, cluster *appv1.RedisEnterpriseCluster, key types.NamespacedName) error {
	l := k.Links.Get(client.ObjectKeyFromObject(cluster))
	if l == nil || !cluster.DeletionTimestamp.IsZero() || len(l.Latest().CRDBs) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, observeLimit)
	defer cancel()
	snapshot, err := l.Refresh(ctx)
	if err != nil {
		return nil // the poller wakes this again when the cluster answers
	}
	db := &v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	in := Inputs{Database: db, Namespace: k.Namespace, Cluster: cluster}
	obs := observedIn(in)(snapshot, nil)
	if obs.Local == nil || obs.BDB == nil || !managed(obs.CRDB) || rest.Value(obs.BDB.Status) == rest.BDBDeletePending {
		return nil
	}
	return k.discover(ctx, in, obs)
}

func (k *Kind) discover(ctx context.Context, in Inputs, obs Observed) error {
	var remotes v1alpha1.RedisEnterpriseRemoteClusterList
	if err := k.Client.List(ctx, &remotes, client.InNamespace(k.Namespace)); err != nil {
		return fmt.Errorf("list remote clusters: %w", err)
	}
	in.Remotes = remotes.Items
	server := serverTerms(obs.CRDB, nil)
	for cluster, site := range server.Sites {
		if in.remoteOf(cluster) != nil {
			continue
		}
		made, err := remoteFor(in, obs.CRDB, cluster, site)
		if err != nil {
			return err
		}
		log.FromContext(ctx).Info(makeRemote{made}.String())
		if err := k.make(ctx, made); err != nil {
			return err
		}
		in.Remotes = append(in.Remotes, *made)
	}
	db, err := resourceFor(in, obs.CRDB, server)
	if err != nil {
		return err
	}
	log.FromContext(ctx).Info("create the resource of a database that another participating cluster made", "guid", rest.Value(obs.CRDB.GUID))
	return k.make(ctx, db)
}

// resourceFor is the resource of a database that is there already.
func resourceFor(in Inputs, crdb *rest.CRDB, server Terms) (*v1alpha1.RedisEnterpriseActiveActiveDatabase, error) {
	text, err := textOf(server)
	if err != nil {
		return nil, err
	}
	global, err := globalOf(server.Global, pathGlobal)
	if err != nil {
		return nil, err
	}
	db := in.Database.DeepCopy()
	db.Labels = map[string]string{names.LabelApp: names.AppValue}
	db.Finalizers = []string{names.ActiveActiveFinalizer}
	db.Annotations = map[string]string{names.AnnotationDiscovered: rest.Value(crdb.GUID), names.AnnotationAgreed: text}
	db.Spec.GlobalConfigurations = global
	db.Spec.RedisEnterpriseCluster = &v1alpha1.ClusterReference{Name: in.Cluster.Name}
	for _, inst := range rest.Value(crdb.Instances) {
		cluster := inst.ClusterName()
		db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, participantOf(in.remoteOf(cluster), server.Sites[cluster]))
	}
	return db, nil
}

// remoteFor is the remote cluster of a participant, as its instance describes it (RERC-7).
func remoteFor(in Inputs, crdb *rest.CRDB, cluster string, site Site) (*v1alpha1.RedisEnterpriseRemoteCluster, error) {
	name, rec, namespace := cluster, cluster, ""
	if parts := strings.SplitN(cluster, ".", 3); len(parts) == 3 {
		rec, namespace = parts[0], parts[1]
	}
	if inst := instanceOn(crdb, cluster); inst != nil && tagsOf(inst.DBConfig)[bdb.TagRemoteCluster] != "" {
		name = tagsOf(inst.DBConfig)[bdb.TagRemoteCluster]
	}
	if in.remote(name) != nil { // another cluster has that name here; which one is meant is known by the cluster and not by the name
		name = rec + "-" + namespace
	}
	if in.remote(name) != nil {
		return nil, outcome.Reject(pathClusters, "RedisEnterpriseRemoteCluster %s stands for another cluster here than on the other participants, where it is %s; create one under another name for that", name, cluster)
	}
	remote := &v1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: in.Namespace, Name: name,
		Labels: map[string]string{names.LabelApp: names.AppValue}, Annotations: map[string]string{names.AnnotationDiscovered: rest.Value(crdb.GUID)}}}
	remote.Spec = v1alpha1.RedisEnterpriseRemoteClusterSpec{RECName: rec, RECNamespace: namespace, SecretName: names.RemoteSecretPrefix + name}
	return follow(remote, site)
}

// follow returns a remote cluster that is reached as a site says.
func follow(remote *v1alpha1.RedisEnterpriseRemoteCluster, site Site) (*v1alpha1.RedisEnterpriseRemoteCluster, error) {
	u, err := url.Parse(site.URL)
	if err != nil || u.Hostname() == "" {
		return nil, fmt.Errorf("cluster %s has no address of its API: %q", clusterOf(remote), site.URL)
	}
	after := remote.DeepCopy()
	after.Spec.APIFQDNURL, after.Spec.DBFQDNSuffix = u.Hostname(), site.Suffix
	if port, err := strconv.Atoi(u.Port()); err == nil {
		after.Spec.APIPort = &port
	} else if after.Spec.APIPort != nil && *after.Spec.APIPort != defaultReplicationPort {
		after.Spec.APIPort = nil
	}
	return after, nil
}
