package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Step is one thing to do. It prints itself, so that log, test and dry run say the same.
type Step interface {
	String() string
	perform(ctx context.Context, h *hands) error
}

// API is what the steps need of the admin API.
type API interface {
	UpdateLicense(ctx context.Context, text string) error
	UpdatePolicy(ctx context.Context, body *rest.ClusterPolicy) error
	UpdateCluster(ctx context.Context, body *rest.Cluster) error
	UpdateServices(ctx context.Context, body rest.ServicesConfiguration) error
	UpdateNode(ctx context.Context, uid rest.UID, body *rest.NodeUpdate) error
	UpdateMetricsConfig(ctx context.Context, body *rest.MetricsConfig) error
}

// hands are what steps act with, and where they note what they did.
type hands struct {
	rec    *v1.RedisEnterpriseCluster
	writer kube.Writer
	reader client.Reader // from the API server
	api    API           // nil while the cluster cannot be reached
	run    *Run
}

// writeVersion fills the version in the spec: one of the two things the operator ever writes there.
type writeVersion struct{ tag string }

func (s writeVersion) String() string {
	return "set spec.redisEnterpriseImageSpec.versionTag to " + s.tag
}

func (s writeVersion) perform(ctx context.Context, h *hands) error {
	before := h.rec.DeepCopy()
	after := h.rec.DeepCopy()
	if after.Spec.RedisEnterpriseImageSpec == nil {
		after.Spec.RedisEnterpriseImageSpec = &v1.ImageSpec{}
	}
	after.Spec.RedisEnterpriseImageSpec.VersionTag = s.tag
	if err := h.writer.Client.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return err
	}
	after.DeepCopyInto(h.rec)
	return nil
}

// createSecret makes the administrator's Secret. One that appeared meanwhile is kept, and read by the next run.
type createSecret struct{ secret *corev1.Secret }

func (s createSecret) String() string { return "create secret " + s.secret.Name }

func (s createSecret) perform(ctx context.Context, h *hands) error {
	secret := s.secret.DeepCopy()
	secret.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(h.rec, v1.GroupVersion.WithKind("RedisEnterpriseCluster"))}
	err := h.writer.Client.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		return outcome.Wait(v1.ReasonWaiting, soon, "secret %s has just appeared", secret.Name)
	}
	return err
}

// applyObjects makes objects as they are wished.
type applyObjects struct{ objects []client.Object }

func (s applyObjects) String() string {
	var list []string
	for _, o := range s.objects {
		list = append(list, strings.TrimPrefix(fmt.Sprintf("%T", o), "*v1.")+" "+o.GetName())
	}
	return "apply " + strings.Join(list, ", ")
}

func (s applyObjects) perform(ctx context.Context, h *hands) error {
	changes, err := h.writer.Apply(ctx, h.rec, s.objects)
	h.run.Changes = append(h.run.Changes, changes...)
	return invalidObject(err)
}

// pruneObjects removes what an earlier spec asked for.
type pruneObjects struct{ keep []client.Object }

func (s pruneObjects) String() string { return "prune what is no longer wanted" }

func (s pruneObjects) perform(ctx context.Context, h *hands) error {
	kinds := []client.ObjectList{&corev1.ServiceList{}, &corev1.ServiceAccountList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{}, &policyv1.PodDisruptionBudgetList{}}
	changes, err := h.writer.Prune(ctx, h.rec, client.MatchingLabels(names.ClusterLabels(h.rec.Name)), kinds, s.keep)
	h.run.Changes = append(h.run.Changes, changes...)
	return err
}

// recreatePod deletes a pod that holds nothing, so that it is scheduled anew with the newest template.
type recreatePod struct{ name string }

func (s recreatePod) String() string { return "delete pod " + s.name + " so that it is made anew" }

func (s recreatePod) perform(ctx context.Context, h *hands) error {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: h.rec.Namespace, Name: s.name}}
	err := h.writer.Client.Delete(ctx, pod, teardownGrace)
	if err == nil {
		h.run.Changes = append(h.run.Changes, kube.Change{Verb: kube.Deleted, Kind: "Pod", Name: client.ObjectKeyFromObject(pod)})
	}
	return client.IgnoreNotFound(err)
}

// labelMaster puts the label of the master's pod on, or takes it off.
type labelMaster struct {
	pod   *corev1.Pod
	leads bool
}

func (s labelMaster) String() string {
	if s.leads {
		return "label pod " + s.pod.Name + " as the master's"
	}
	return "take the master's label off pod " + s.pod.Name
}

func (s labelMaster) perform(ctx context.Context, h *hands) error {
	var value *string
	if s.leads {
		value = ptr.To("1")
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": s.pod.UID, "labels": map[string]*string{names.LabelMaster: value}}})
	if err != nil {
		return err
	}
	err = h.writer.Client.Patch(ctx, s.pod, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(h.writer.Manager))
	if apierrors.IsConflict(err) { // the pod was replaced meanwhile
		return nil
	}
	return client.IgnoreNotFound(err)
}

// licenseSet begins what is noted of an installed licence.
const licenseSet = "the licence of "

// putLicense installs the licence (rule REC-71).
type putLicense struct{ text, path string }

func (s putLicense) String() string { return "install the licence of " + s.path }

func (s putLicense) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdateLicense(ctx, s.text)
	if rest.IsRefused(err) {
		return outcome.Refused(s.path, "the cluster refuses the licence: %s", answer(err))
	}
	return h.did(licenseSet+s.path+" was installed", err)
}

// putPolicy changes the cluster's policy.
type putPolicy struct {
	update  *rest.ClusterPolicy
	changes []string
}

func (s putPolicy) String() string { return "policy: " + strings.Join(s.changes, ", ") }

func (s putPolicy) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdatePolicy(ctx, s.update)
	if rest.IsRefused(err) {
		return outcome.Refused(pathOf(s.changes), "the cluster refuses %s: %s", strings.Join(s.changes, ", "), answer(err))
	}
	return h.did(s.String(), err)
}

// pathOf is the spec path that a change begins with.
func pathOf(changes []string) string {
	path, _, _ := strings.Cut(changes[0], " ")
	return path
}

// putModes switches optional services.
type putModes struct {
	update  rest.ServicesConfiguration
	changes []string
}

func (s putModes) String() string { return strings.Join(s.changes, ", ") }

func (s putModes) perform(ctx context.Context, h *hands) error {
	err := h.api.UpdateServices(ctx, s.update)
	if rest.IsRefused(err) {
		return outcome.Refused("spec.redisEnterpriseServicesConfiguration", "the cluster refuses %s: %s", s, answer(err))
	}
	return h.did(s.String(), err)
}

// did notes a change of the cluster, unless it failed.
func (h *hands) did(what string, err error) error {
	if rest.IsBusy(err) {
		return outcome.Wait(v1.ReasonWaiting, soon, "the cluster is busy with another change")
	}
	if err == nil {
		h.run.Set = append(h.run.Set, what)
	}
	return err
}

// answer is what the cluster said, without the request.
func answer(err error) string {
	e, ok := rest.As(err)
	if !ok {
		return err.Error()
	}
	return strings.TrimSpace(e.Code + " " + e.Message)
}
