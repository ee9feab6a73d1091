package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// serviceRecheck is how soon a name is tried again that somebody else's Service has: nothing tells of the end of that one.
const serviceRecheck = 15 * time.Second

// serviceTaken says which Service is in the way of those that a new database would get; empty for none. The rigger would
// leave it alone, and the database would be reached by nobody.
func serviceTaken(ctx context.Context, cached, live client.Reader, db *v1alpha1.RedisEnterpriseDatabase, cluster *appv1.RedisEnterpriseCluster) (string, error) {
	if r := cluster.Spec.ServicesRiggerSpec; r != nil && r.ServiceNaming == appv1.ServiceNamingPort {
		return "", nil // the name comes with the port, which is not known yet
	}
	for _, name := range services(db, cluster, 0) {
		why, err := holder(ctx, cached, live, cluster, name)
		if why != "" || err != nil {
			return why, err
		}
	}
	return "", nil
}

// holder says who has a Service of that name, when it is neither a database of the cluster nor nobody.
func holder(ctx context.Context, cached, live client.Reader, cluster *appv1.RedisEnterpriseCluster, name string) (string, error) {
	var service corev1.Service
	key := types.NamespacedName{Namespace: cluster.Namespace, Name: name}
	err := cached.Get(ctx, key, &service)
	switch {
	case apierrors.IsNotFound(err):
		err = kube.TakenByAnother(ctx, live, cluster, corev1.SchemeGroupVersion.WithKind("Service"), key)
		if taken := new(kube.Taken); errors.As(err, &taken) {
			return others(cluster, name), nil
		}
		return "", err
	case err != nil:
		return "", fmt.Errorf("read Service %s: %w", name, err)
	case !kube.BelongsTo(&service, cluster):
		return others(cluster, name), nil
	case service.Annotations[names.AnnotationManager] == names.ManagerOperator:
		return fmt.Sprintf("cluster %s itself has a Service %s", cluster.Name, name), nil
	}
	return "", nil
}

func others(cluster *appv1.RedisEnterpriseCluster, service string) string {
	return fmt.Sprintf("namespace %s has a Service %s already, which does not belong to cluster %s", cluster.Namespace, service, cluster.Name)
}

// rejectTaken is the refusal of a name for the sake of its Services.
func rejectTaken(why string) *outcome.Rejected {
	return &outcome.Rejected{Reason: v1alpha1.ReasonNameTaken, Path: "metadata.name",
		Message: "the database would be reached through a Service of that name, and " + why + "; choose another name"}
}
