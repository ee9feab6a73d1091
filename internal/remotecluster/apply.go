package remotecluster

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/log"

	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// Step is one thing to do. It prints as what it does.
type Step interface {
	fmt.Stringer
	do(ctx context.Context, k *Kind, remote *v1alpha1.RedisEnterpriseRemoteCluster) error
	// event tells people of the step once it is done; nil when they need not know.
	event() *kube.Event
}

// guard puts the finalizer on the resource.
type guard struct{}

func (guard) String() string     { return "put the finalizer on the resource" }
func (guard) event() *kube.Event { return nil }
func (guard) do(ctx context.Context, k *Kind, remote *v1alpha1.RedisEnterpriseRemoteCluster) error {
	return kube.AddFinalizer(ctx, k.Client, remote, names.RemoteClusterFinalizer)
}

// release takes it off.
type release struct{}

func (release) String() string     { return "take the finalizer off the resource" }
func (release) event() *kube.Event { return nil }
func (release) do(ctx context.Context, k *Kind, remote *v1alpha1.RedisEnterpriseRemoteCluster) error {
	return kube.RemoveFinalizer(ctx, k.Client, remote, names.RemoteClusterFinalizer)
}

// pin notes the certificate of the first contact. It comes before any credentials are sent, so that a crash between the
// two makes no second first contact.
type pin struct{ host, fingerprint string }

func (s pin) String() string { return "trust certificate " + s.fingerprint + " at " + s.host }
func (s pin) event() *kube.Event {
	e := kube.Normal(names.EventCertificatePinned, fmt.Sprintf("%s was reached for the first time; certificate %s is trusted there from now on, and no other", s.host, s.fingerprint))
	return &e
}
func (s pin) do(ctx context.Context, k *Kind, remote *v1alpha1.RedisEnterpriseRemoteCluster) error {
	return kube.Annotate(ctx, k.Client, remote, names.AnnotationCertificate, s.fingerprint)
}

// apply performs steps in order and stops at the first that fails.
func (k *Kind) apply(ctx context.Context, remote *v1alpha1.RedisEnterpriseRemoteCluster, steps []Step, run *Run) error {
	for _, step := range steps {
		if err := step.do(ctx, k, remote); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
		log.FromContext(ctx).V(1).Info("done", "step", step.String())
		run.Done = append(run.Done, step)
	}
	return nil
}
