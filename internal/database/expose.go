package database

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// pathExpose is the annotation that asks for a way in from outside.
const pathExpose = "metadata.annotations[" + names.AnnotationExpose + "]"

// exposeByName as the annotation's value asks for the host name made of the database's name and the cluster's suffix.
const exposeByName = "true"

// exposure is what the annotation asks for: nothing, exposeByName, or a host name. The services rigger reads the same
// from a tag of the database.
func exposure(db *v1alpha1.RedisEnterpriseDatabase) string {
	value := strings.TrimSpace(db.Annotations[names.AnnotationExpose])
	if value == "false" {
		return ""
	}
	return value
}

// exposeIsPossible judges the annotation by the resource alone. All ways in tell databases apart by the name in the TLS
// handshake (rule NET-1).
func exposeIsPossible(db *v1alpha1.RedisEnterpriseDatabase) (errs []error) {
	value := exposure(db)
	if value == "" {
		return nil
	}
	if db.Spec.TLSMode != v1alpha1.TLSEnabled {
		errs = append(errs, outcome.Reject(pathExpose, "a database is reached from outside by the name in a TLS handshake, and this one speaks no TLS with clients; set spec.tlsMode to %s", v1alpha1.TLSEnabled))
	}
	if value != exposeByName {
		if err := ingress.CheckHost(pathExpose, value); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// ExposeFits judges the annotation by the cluster, whose suffix ends the host name.
func ExposeFits(db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster) []error {
	settings, err := ingress.SettingsOf(cluster)
	if err != nil || settings.Method == "" || exposure(db) != exposeByName {
		return nil // what is wrong with the cluster is told there
	}
	if err := ingress.CheckHost(pathExpose, ingress.DatabaseHost(settings, db.Name)); err != nil {
		return []error{err}
	}
	return nil
}

func exposeFitsCluster(in Inputs, _ Observed) error { return all(ExposeFits(in.Database, in.Cluster)) }

// exposeTag is the tag that a database carries now.
func exposeTag(have *rest.BDB) string {
	if have != nil {
		for _, tag := range rest.Value(have.Tags) {
			if tag.Key == names.TagExpose {
				return tag.Value
			}
		}
	}
	return ""
}

// reportExposure writes the condition Exposed, which is there only for who asked.
func reportExposure(db *v1alpha1.RedisEnterpriseDatabase, conditions *[]metav1.Condition, run Run) {
	wanted := exposure(db)
	if wanted == "" {
		meta.RemoveStatusCondition(conditions, v1alpha1.ConditionExposed)
		return
	}
	if run.Inputs.Cluster == nil || run.Observed.Err != nil || run.Observed.BDB == nil {
		return
	}
	c := metav1.Condition{Type: v1alpha1.ConditionExposed, Status: metav1.ConditionFalse, ObservedGeneration: db.Generation}
	cluster := run.Inputs.Cluster
	settings, err := ingress.SettingsOf(cluster)
	host := wanted
	if wanted == exposeByName {
		host = ingress.DatabaseHost(settings, db.Name)
	}
	entrance := meta.FindStatusCondition(cluster.Status.Conditions, appv1.ConditionIngressReady)
	switch {
	case err != nil || settings.Method == "":
		c.Reason = v1alpha1.ReasonNoWayIn
		c.Message = fmt.Sprintf("cluster %s is not reached from outside; say how in its spec.ingressOrRouteSpec", cluster.Name)
	case exposeTag(run.Observed.BDB) != wanted:
		c.Reason, c.Message = v1alpha1.ReasonChanging, "the way in is being asked for"
	case entrance != nil && entrance.Reason == appv1.ReasonKindNotServed:
		c.Reason, c.Message = appv1.ReasonKindNotServed, entrance.Message
	default:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonExposed
		c.Message = fmt.Sprintf("%s:443, by method %s", host, settings.Method)
	}
	meta.SetStatusCondition(conditions, c)
}
