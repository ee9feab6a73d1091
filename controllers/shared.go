package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/open-redis-enterprise/operator/internal/activeactive"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/metrics"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/remotecluster"
	"github.com/open-redis-enterprise/operator/internal/tlsprofile"
	"github.com/open-redis-enterprise/operator/internal/trace"
)

// Shared is what the manager gives to every controller.
type Shared struct {
	Manager ctrl.Manager
	Events  record.EventRecorder
	// Links holds the one connection and the one poller per cluster.
	Links *link.Registry
	// SecretNames knows names and versions of all Secrets in the watched namespaces, and nothing of their content: it
	// wakes up whoever refers to a Secret that changed.
	SecretNames cache.Cache
	// Discoverer knows which optional kinds this Kubernetes serves, and Cache holds their objects.
	Discoverer *platform.Discoverer
	Cache      *platform.Cache
	// TLS knows the TLS profile of an OpenShift.
	TLS *tlsprofile.Watcher
	// Reach looks at the ways in from outside.
	Reach *reach.Watcher
	// Prober asks the remote clusters.
	Prober *remotecluster.Prober
	// Pulse looks at the links of Active-Active databases.
	Pulse *activeactive.Pulse
	// Teardown, Metrics and Tracer are given to every loop.
	Teardown *Teardown
	Metrics  *metrics.Metrics
	Tracer   *trace.Tracer
	// Namespace is the operator's own, where the clusters are.
	Namespace string
	// Gate is how the operator tells OLM whether it may be upgraded.
	Gate Gate
	// Proxy is what the operator was told of a proxy.
	Proxy []corev1.EnvVar
	// Defaults are the images of a cluster whose spec names none.
	Defaults Images
}

// Images are the images that the operator was released with, from its environment.
type Images struct {
	Node, Bootstrapper, Rigger string
}

// Controller adds the reconciler of one kind to the manager.
type Controller struct {
	Kind string
	Add  func(ctx context.Context, s Shared) error
}
