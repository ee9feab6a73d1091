// Package remotecluster checks RedisEnterpriseRemoteClusters. This version of the operator accepts them, says what is
// wrong with them and whether they stand for a cluster of its own, and does not connect to them yet.
package remotecluster

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
)

// ReasonNotActedOn is the reason of Ready and Stalled: the resource is known and nothing is done about it yet.
const ReasonNotActedOn = "NotActedOn"

// Kind reconciles RedisEnterpriseRemoteClusters.
type Kind struct {
	// Client reads from the cache.
	Client client.Client
	// Namespace is the operator's own.
	Namespace string
}

// New returns an empty resource.
func (k *Kind) New() *v1alpha1.RedisEnterpriseRemoteCluster {
	return &v1alpha1.RedisEnterpriseRemoteCluster{}
}

// Run is what a pass found.
type Run struct {
	// Local is true when the resource stands for a cluster of this operator (RERC-3).
	Local bool
	// Looked is false when that could not be found out.
	Looked bool
}

// Run judges the resource by the rules that the webhook has.
func (k *Kind) Run(ctx context.Context, remote *v1alpha1.RedisEnterpriseRemoteCluster) (Run, error) {
	var run Run
	if !remote.DeletionTimestamp.IsZero() {
		return run, nil
	}
	var others v1alpha1.RedisEnterpriseRemoteClusterList
	if err := k.Client.List(ctx, &others, client.InNamespace(remote.Namespace)); err != nil {
		return run, fmt.Errorf("list remote clusters: %w", err)
	}
	local, err := k.local(ctx, remote)
	if err != nil {
		return run, err
	}
	run = Run{Local: local, Looked: true}
	if errs := append(Validate(remote), Unique(remote, others.Items)...); len(errs) > 0 {
		return run, errs[0]
	}
	return run, &outcome.Rejected{Reason: ReasonNotActedOn, Message: "remote clusters are checked, and not connected to, by this version of the operator"}
}

func (k *Kind) local(ctx context.Context, remote *v1alpha1.RedisEnterpriseRemoteCluster) (bool, error) {
	if remote.Spec.RECNamespace != k.Namespace {
		return false, nil
	}
	err := k.Client.Get(ctx, types.NamespacedName{Namespace: k.Namespace, Name: remote.Spec.RECName}, &appv1.RedisEnterpriseCluster{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// Report writes the status and tells of a new finding once.
func (k *Kind) Report(before, remote *v1alpha1.RedisEnterpriseRemoteCluster, run Run, err error, _ time.Time) []kube.Event {
	if !remote.DeletionTimestamp.IsZero() {
		return nil
	}
	verdict := outcome.Of(err)
	status := &remote.Status
	verdict.SetConditions(&status.Conditions, remote.Generation)
	if run.Looked {
		status.Local = run.Local
	}
	if verdict.Kind != outcome.KindRejected {
		return nil
	}
	event := kube.Warning(names.EventNotActedOn, verdict.Message)
	status.SpecStatus = appv1.SpecValid
	if verdict.Reason != ReasonNotActedOn {
		event = kube.Warning(names.EventInvalidConfiguration, verdict.Message)
		status.SpecStatus = appv1.SpecInvalid
	}
	was := meta.FindStatusCondition(before.Status.Conditions, appv1.ConditionReady)
	if was != nil && was.Message == verdict.Message {
		return nil
	}
	return []kube.Event{event}
}
