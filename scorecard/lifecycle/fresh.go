package lifecycle

import (
	"context"
	"slices"
	"strings"

	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/open-redis-enterprise/operator/scorecard/report"
)

// targetsAnnotation is where OLM writes which namespaces a release serves; empty for all of them.
const targetsAnnotation = "olm.targetNamespaces"

// mode is an install mode: which namespaces an OperatorGroup names, and in which of them the database is made. Its cluster is
// in the operator's own namespace in each of them: others hold databases.
type mode struct {
	name     string
	targets  []string
	database string
}

// modes are the four, for an operator in a namespace.
func modes(operator string) []mode {
	one, other := operator+"-a", operator+"-b"
	return []mode{
		{"OwnNamespace", []string{operator}, operator},
		{"SingleNamespace", []string{one}, one},
		{"MultiNamespace", []string{one, other}, other},
		{"AllNamespaces", nil, one},
	}
}

// freshHead installs the newer release where nothing was before, in each install mode, and lets it make a cluster with a
// database.
func freshHead(ctx context.Context, s *stage) {
	s.step("nobody else serves the kinds", func(t report.T) { s.aloneInCluster(ctx, t) })
	for _, m := range modes(s.Options.Namespace + "-head") {
		s.inMode(ctx, m)
	}
	s.step("the kinds go", func(t report.T) { s.removeKinds(ctx, t) })
	s.check("nothing is left in the cluster", func(t report.T) { s.clusterIsClean(ctx, t) })
}

func (s *stage) inMode(ctx context.Context, m mode) {
	operator := s.in(s.Options.Namespace + "-head")
	work := s.in(m.database)
	var csv *v1alpha1.ClusterServiceVersion
	s.check(m.name+": the release is installed and makes a cluster and a database", func(t report.T) {
		for _, namespace := range append([]string{operator.Cluster.Namespace, m.database}, m.targets...) {
			must(t, s.In(namespace).EnsureNamespace(ctx))
		}
		operator.Out, work.Out = s.Out, s.Out
		operator.subscribe(ctx, t, s.To, m.targets...)
		operator.approve(ctx, t, s.To)
		csv = operator.installed(ctx, t, s.To)
		rec, err := operator.smallCluster()
		must(t, err)
		must(t, operator.license(ctx, rec.Name, rec.Spec.LicenseSecretName))
		must(t, operator.ApplyObject(ctx, rec))
		must(t, operator.AwaitCluster(ctx, rec.Name, clusterLimit))
		must(t, work.ApplyObject(ctx, work.Cache()))
		must(t, work.AwaitDatabase(ctx, firstDatabase, databaseLimit))
	})
	if csv != nil {
		s.check(m.name+": it serves the namespaces of the mode, and its webhooks ask about no others", func(t report.T) {
			operator.Out = s.Out
			serves(t, csv, m.targets)
			operator.webhooksAsk(ctx, t, csv, len(m.targets) == 0)
		})
	}
	s.step(m.name+": nothing of it is left", func(t report.T) {
		operator.Out, work.Out = s.Out, s.Out
		work.removeAll(ctx, t, databaseKind)
		operator.removeClusters(ctx, t)
		operator.unsubscribe(ctx, t)
		operator.operatorIsGone(ctx, t)
		operator.namespaceIsClean(ctx, t)
		for _, namespace := range append([]string{operator.Cluster.Namespace, m.database}, m.targets...) {
			must(t, s.remove(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
		}
	})
}

// serves compares the namespaces that OLM tells an operator with those of a mode.
func serves(t report.T, csv *v1alpha1.ClusterServiceVersion, targets []string) {
	t.Helper()
	told := strings.FieldsFunc(csv.Annotations[targetsAnnotation], func(r rune) bool { return r == ',' })
	if want := slices.Sorted(slices.Values(targets)); !slices.Equal(slices.Sorted(slices.Values(told)), want) {
		t.Errorf("the release serves %q, the mode %q", told, want)
	}
}
