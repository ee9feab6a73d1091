package scenario

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Prepare applies licence, cluster and databases, and waits until all of them are ready.
func (c *Cluster) Prepare(ctx context.Context, node Image) error {
	rec := c.SmallCluster(node)
	if err := c.EnsureLicense(ctx, rec.Name, rec.Spec.LicenseSecretName); err != nil {
		return err
	}
	c.Sayf("  %s with %d nodes", "rec/"+rec.Name, rec.Spec.NodeCount())
	if err := c.ApplyObject(ctx, rec); err != nil {
		return err
	}
	if err := c.AwaitCluster(ctx, rec.Name, 8*time.Minute); err != nil {
		return err
	}
	orders, cache := c.Orders(), c.Cache()
	c.Sayf("  redb/%s (2 shards, each with a replica, AOF) and redb/%s (one shard)", orders.Name, cache.Name)
	if err := c.ApplyObject(ctx, orders); err != nil {
		return err
	}
	if err := c.ApplyObject(ctx, cache); err != nil {
		return err
	}
	if err := c.AwaitDatabase(ctx, orders.Name, 3*time.Minute); err != nil {
		return err
	}
	if err := c.AwaitDatabase(ctx, cache.Name, 3*time.Minute); err != nil {
		return err
	}
	return c.AwaitService(ctx, orders.Name, time.Minute)
}

// AwaitService waits until the services rigger has made the Service of a database.
func (c *Cluster) AwaitService(ctx context.Context, database string, limit time.Duration) error {
	return c.Await(ctx, "service/"+database, limit, func() (bool, string, error) {
		var service corev1.Service
		if err := c.Get(ctx, c.Key(database), &service); err != nil {
			return notYet("not there yet")
		}
		if len(service.Spec.Ports) == 0 {
			return false, "without a port", nil
		}
		return true, fmt.Sprintf("%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port), nil
	})
}

// Replaced waits until another pod of the same name is there and everything is ready again.
func (c *Cluster) Replaced(ctx context.Context, rec string, gone *corev1.Pod, limit time.Duration) error {
	err := c.Await(ctx, "pod/"+gone.Name, limit, func() (bool, string, error) {
		var pod corev1.Pod
		if err := c.Get(ctx, c.Key(gone.Name), &pod); err != nil {
			return notYet("gone")
		}
		if pod.UID == gone.UID {
			return false, "ending", nil
		}
		return podReady(&pod), "a new one: " + podWords(&pod), nil
	})
	if err != nil {
		return err
	}
	return c.AwaitCluster(ctx, rec, limit)
}

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue && pod.DeletionTimestamp == nil
		}
	}
	return false
}

// podWords is what kubectl would show in the columns READY and STATUS.
func podWords(pod *corev1.Pod) string {
	ready, words := 0, string(pod.Status.Phase)
	for _, status := range pod.Status.ContainerStatuses {
		if status.Ready {
			ready++
		}
		if status.State.Waiting != nil {
			words = status.State.Waiting.Reason
		}
	}
	if pod.DeletionTimestamp != nil {
		words = "Terminating"
	}
	return fmt.Sprintf("%d/%d %s", ready, len(pod.Spec.Containers), words)
}
