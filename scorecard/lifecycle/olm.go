package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// What OLM's objects are called in every namespace of the suite.
const (
	source     = "redis-scorecard"
	deployment = "redis-enterprise-operator"
)

// Limits of what OLM does; unpacking a bundle starts a Job.
const (
	catalogLimit = 3 * time.Minute
	planLimit    = 5 * time.Minute
	csvLimit     = 6 * time.Minute
	goneLimit    = 3 * time.Minute
)

// subscribe asks for a release and waits until OLM wants an approval. targets are the namespaces that the operator
// serves; none means all of them.
func (s *stage) subscribe(ctx context.Context, t report.T, version string, targets ...string) {
	t.Helper()
	must(t, s.EnsureNamespace(ctx))
	must(t, s.ApplyObject(ctx, s.catalogSource()))
	must(t, s.Await(ctx, "catalogsource/"+source, catalogLimit, func() (bool, string, error) {
		var c v1alpha1.CatalogSource
		if err := s.Get(ctx, s.Key(source), &c); err != nil {
			return notYet(err)
		}
		if c.Status.GRPCConnectionState == nil {
			return false, "not connected", nil
		}
		state := c.Status.GRPCConnectionState.LastObservedState
		return state == "READY", state, nil
	}))
	must(t, s.ApplyObject(ctx, &operatorsv1.OperatorGroup{
		ObjectMeta: metav1.ObjectMeta{Name: source, Namespace: s.Cluster.Namespace},
		Spec:       operatorsv1.OperatorGroupSpec{TargetNamespaces: targets, UpgradeStrategy: operatorsv1.UpgradeStrategyDefault},
	}))
	must(t, s.ApplyObject(ctx, &v1alpha1.Subscription{
		ObjectMeta: metav1.ObjectMeta{Name: s.Package, Namespace: s.Cluster.Namespace},
		Spec: &v1alpha1.SubscriptionSpec{
			CatalogSource: source, CatalogSourceNamespace: s.Cluster.Namespace, Package: s.Package, Channel: s.Channel,
			StartingCSV: s.csv(version), InstallPlanApproval: v1alpha1.ApprovalManual,
		},
	}))
}

func (s *stage) catalogSource() *v1alpha1.CatalogSource {
	c := &v1alpha1.CatalogSource{
		ObjectMeta: metav1.ObjectMeta{Name: source, Namespace: s.Cluster.Namespace},
		Spec:       v1alpha1.CatalogSourceSpec{SourceType: v1alpha1.SourceTypeGrpc, Image: s.CatalogImage, Address: s.CatalogAddress},
	}
	if s.CatalogImage != "" {
		c.Spec.GrpcPodConfig = &v1alpha1.GrpcPodConfig{SecurityContextConfig: v1alpha1.Restricted}
	}
	return c
}

// planned waits until a plan that brings a release wants an approval; OLM unpacks the bundle before that, which takes its time.
// It approves nothing.
func (s *stage) planned(ctx context.Context, t report.T, version string) {
	t.Helper()
	must(t, s.Await(ctx, "installplan of "+version, planLimit, func() (bool, string, error) {
		plan, err := s.plan(ctx, version)
		switch {
		case err != nil:
			return notYet(err)
		case plan == nil:
			return false, "none brings it", nil
		}
		return plan.Status.Phase == v1alpha1.InstallPlanPhaseRequiresApproval, string(plan.Status.Phase), nil
	}))
}

// approve waits for the plan that brings a release, and approves it. A release that is there has been approved.
func (s *stage) approve(ctx context.Context, t report.T, version string) {
	t.Helper()
	must(t, s.Await(ctx, "installplan of "+version, planLimit, func() (bool, string, error) {
		there := s.Get(ctx, s.Key(s.csv(version)), &v1alpha1.ClusterServiceVersion{})
		if there == nil {
			return true, "carried out", nil
		}
		plan, err := s.plan(ctx, version)
		switch {
		case !apierrors.IsNotFound(there):
			return notYet(there)
		case err != nil:
			return notYet(err)
		case plan == nil:
			return false, "none brings it", nil
		case plan.Spec.Approved:
			return true, "approved", nil
		case plan.Status.Phase != v1alpha1.InstallPlanPhaseRequiresApproval:
			return false, string(plan.Status.Phase), nil
		}
		return true, "approved", s.MergePatch(ctx, plan, `{"spec":{"approved":true}}`)
	}))
}

// plan is the newest one that brings a release, or nil. One that was carried out belongs to an earlier installation.
func (s *stage) plan(ctx context.Context, version string) (*v1alpha1.InstallPlan, error) {
	var plans v1alpha1.InstallPlanList
	if err := s.List(ctx, &plans, client.InNamespace(s.Cluster.Namespace)); err != nil {
		return nil, err
	}
	var newest *v1alpha1.InstallPlan
	for i, p := range plans.Items {
		if p.Status.Phase == v1alpha1.InstallPlanPhaseComplete || !slices.Contains(p.Spec.ClusterServiceVersionNames, s.csv(version)) {
			continue
		}
		if newest == nil || p.Spec.Generation > newest.Spec.Generation {
			newest = &plans.Items[i]
		}
	}
	return newest, nil
}

// installed waits until a release has been installed and its Deployment is available.
func (s *stage) installed(ctx context.Context, t report.T, version string) *v1alpha1.ClusterServiceVersion {
	t.Helper()
	var csv v1alpha1.ClusterServiceVersion
	must(t, s.Await(ctx, "csv/"+s.csv(version), csvLimit, func() (bool, string, error) {
		if err := s.Get(ctx, s.Key(s.csv(version)), &csv); err != nil {
			return notYet(err)
		}
		return csv.Status.Phase == v1alpha1.CSVPhaseSucceeded, describe(&csv), nil
	}))
	must(t, s.AwaitDeployment(ctx, deployment, csvLimit))
	return &csv
}

// describe says where OLM is with a release, and what it lacks.
func describe(csv *v1alpha1.ClusterServiceVersion) string {
	text := fmt.Sprintf("%s (%s) %s", csv.Status.Phase, csv.Status.Reason, csv.Status.Message)
	if csv.Status.Reason == v1alpha1.CSVReasonRequirementsNotMet {
		text += ": " + strings.Join(unmet(csv), ", ")
	}
	return text
}

// unmet lists what a release asked for and does not have.
func unmet(csv *v1alpha1.ClusterServiceVersion) []string {
	var out []string
	for _, r := range csv.Status.RequirementStatus {
		if r.Status != v1alpha1.RequirementStatusReasonPresent && r.Status != v1alpha1.DependentStatusReasonSatisfied {
			out = append(out, fmt.Sprintf("%s %s: %s %s", r.Kind, r.Name, r.Status, r.Message))
		}
	}
	return out
}

// heldBack waits until OLM lets a release wait because the running one may not be replaced.
func (s *stage) heldBack(ctx context.Context, t report.T, version string) {
	t.Helper()
	must(t, s.Await(ctx, "csv/"+s.csv(version), csvLimit, func() (bool, string, error) {
		var csv v1alpha1.ClusterServiceVersion
		if err := s.Get(ctx, s.Key(s.csv(version)), &csv); err != nil {
			return notYet(err)
		}
		if csv.Status.Phase == v1alpha1.CSVPhaseSucceeded {
			return false, "", fmt.Errorf("the upgrade was not held back")
		}
		held := csv.Status.Phase == v1alpha1.CSVPhasePending && csv.Status.Reason == v1alpha1.CSVReasonOperatorConditionNotUpgradeable
		return held, describe(&csv), nil
	}))
}

// upgradeable is what the operator of a release says of itself; nil when it says nothing.
func (s *stage) upgradeable(ctx context.Context, version string) (*metav1.Condition, error) {
	var condition operatorsv2.OperatorCondition
	if err := s.Get(ctx, s.Key(s.csv(version)), &condition); err != nil {
		return nil, err
	}
	return meta.FindStatusCondition(condition.Spec.Conditions, operatorsv2.Upgradeable), nil
}

// awaitUpgradeable waits until the operator says so, with a reason and a sentence.
func (s *stage) awaitUpgradeable(ctx context.Context, t report.T, version string, want metav1.ConditionStatus, limit time.Duration) {
	t.Helper()
	var last *metav1.Condition
	must(t, s.Await(ctx, "operatorcondition/"+s.csv(version), limit, func() (bool, string, error) {
		found, err := s.upgradeable(ctx, version)
		switch {
		case err != nil:
			return notYet(err)
		case found == nil:
			return false, "says nothing", nil
		}
		last = found
		return found.Status == want, fmt.Sprintf("Upgradeable=%s (%s) %s", found.Status, found.Reason, found.Message), nil
	}))
	if last.Reason == "" || last.Message == "" {
		t.Errorf("Upgradeable is %s without reason or sentence: %+v", want, last)
	}
}

// setCondition writes a condition into one of the two lists of an OperatorCondition: conditions are the operator's,
// overrides those of an administrator.
func (s *stage) setCondition(ctx context.Context, t report.T, version string, list func(*operatorsv2.OperatorCondition) *[]metav1.Condition, status metav1.ConditionStatus) {
	t.Helper()
	must(t, s.Await(ctx, "operatorcondition/"+s.csv(version), time.Minute, func() (bool, string, error) {
		var condition operatorsv2.OperatorCondition
		if err := s.Get(ctx, s.Key(s.csv(version)), &condition); err != nil {
			return notYet(err)
		}
		meta.SetStatusCondition(list(&condition), metav1.Condition{Type: operatorsv2.Upgradeable, Status: status, Reason: "Scorecard", Message: "set by the scorecard"})
		if err := s.Update(ctx, &condition); err != nil {
			return notYet(err)
		}
		return true, "written", nil
	}))
}

func conditions(c *operatorsv2.OperatorCondition) *[]metav1.Condition { return &c.Spec.Conditions }

func overrides(c *operatorsv2.OperatorCondition) *[]metav1.Condition { return &c.Spec.Overrides }

// unsubscribe removes the operator as a user does: the Subscription, then the release that is installed.
func (s *stage) unsubscribe(ctx context.Context, t report.T) {
	t.Helper()
	must(t, s.remove(ctx, &v1alpha1.Subscription{ObjectMeta: metav1.ObjectMeta{Name: s.Package, Namespace: s.Cluster.Namespace}}))
	var all v1alpha1.ClusterServiceVersionList
	must(t, s.List(ctx, &all, client.InNamespace(s.Cluster.Namespace)))
	for i := range all.Items {
		if csv := &all.Items[i]; isOurs(csv.Name, s.Package) && !csv.IsCopied() {
			must(t, s.remove(ctx, csv))
		}
	}
}

// remove deletes an object and waits until it is gone; it may be gone already.
func (s *stage) remove(ctx context.Context, object client.Object) error {
	if err := s.Delete(ctx, object); err != nil {
		return client.IgnoreNotFound(err)
	}
	return s.AwaitGone(ctx, object, goneLimit)
}
