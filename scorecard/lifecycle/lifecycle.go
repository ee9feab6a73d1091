package lifecycle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	scorecard "github.com/operator-framework/api/pkg/apis/scorecard/v1alpha3"
	operatorsv1 "github.com/operator-framework/api/pkg/operators/v1"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	operatorsv2 "github.com/operator-framework/api/pkg/operators/v2"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/open-redis-enterprise/operator/scorecard/report"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

// Prefix is what the name of each test of the suite begins with.
const Prefix = "lifecycle-"

// stages are the tests of the suite redis-lifecycle, in their order.
var stages = []struct {
	name string
	run  func(context.Context, *stage)
}{
	{"install", install},
	{"reconcile", reconcile},
	{"upgrade-gate", upgradeGate},
	{"upgrade", upgrade},
	{"override", override},
	{"uninstall", uninstall},
	{"readopt", readopt},
	{"teardown", teardown},
	{"fresh-head", freshHead},
}

// Stages lists the names of the stages in their order.
func Stages() []string {
	var names []string
	for _, s := range stages {
		names = append(names, s.name)
	}
	return names
}

// Run runs one stage. Each step of it has a result of its own; what follows a
// failed step is left out where it needs it.
func Run(ctx context.Context, o Options, name string) scorecard.TestStatus {
	name = strings.TrimPrefix(name, Prefix)
	i := slices.Index(Stages(), name)
	if i < 0 {
		return problem(name, fmt.Errorf("there is no such stage; there are %s", strings.Join(Stages(), ", ")))
	}
	o, err := o.complete()
	if err != nil {
		return problem(name, err)
	}
	cluster, err := connect(o)
	if err != nil {
		return problem(name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	s := &stage{Cluster: cluster, Options: o, name: name, found: &findings{}}
	stages[i].run(ctx, s)
	return scorecard.TestStatus{Results: s.found.results}
}

// problem is the result of a stage that could not begin: an error of the test, not of what it tests.
func problem(name string, err error) scorecard.TestStatus {
	status := report.Status(Prefix+name, func(t report.T) { t.Fatal(err) })
	status.Results[0].State = scorecard.ErrorState
	return status
}

// connect reaches the cluster; its client knows OLM's kinds too.
func connect(o Options) (*scenario.Cluster, error) {
	config := rest.CopyConfig(o.Config)
	config.WarningHandler = rest.NoWarnings{} // of the API server: they would be printed among the results
	cluster, err := scenario.New(config, o.Namespace, o.Progress)
	if err != nil {
		return nil, err
	}
	for _, add := range []func(*runtime.Scheme) error{v1alpha1.AddToScheme, operatorsv1.AddToScheme, operatorsv2.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(cluster.Scheme()); err != nil {
			return nil, err
		}
	}
	return cluster, nil
}

// stage is a stage under way: a cluster, seen from the namespace of the operator, and what was found so far.
type stage struct {
	*scenario.Cluster
	Options
	name  string
	found *findings
}

// findings are the results of a stage so far. After a step that failed it has stopped.
type findings struct {
	results []scorecard.TestResult
	stopped bool
}

// step does what the following steps need: when it fails they are left out.
func (s *stage) step(name string, do func(report.T)) {
	if !s.check(name, do) {
		s.found.stopped = true
	}
}

// check does what the following steps do without.
func (s *stage) check(name string, do func(report.T)) bool {
	if s.found.stopped {
		return false
	}
	s.say("== %s: %s", s.name, name)
	result := report.Result(Prefix+s.name+": "+name, func(t report.T) {
		s.Out = io.MultiWriter(s.Progress, lines{t})
		do(t)
	})
	s.Out = s.Progress
	s.say("   %s %s", result.State, strings.Join(result.Errors, "; "))
	s.found.results = append(s.found.results, result)
	return result.State == scorecard.PassState
}

func (s *stage) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.Progress, format+"\n", args...) // progress is not worth a failure
}

// in is the same stage in another namespace. What it finds is found by both.
func (s *stage) in(namespace string) *stage {
	other := *s
	other.Cluster = s.In(namespace)
	return &other
}

// lines writes what is printed into the log of a result.
type lines struct{ report.T }

func (l lines) Write(text []byte) (int, error) {
	l.Logf("%s", strings.TrimSuffix(string(text), "\n"))
	return len(text), nil
}

// must ends the step that needs what has failed.
func must(t report.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notYet is what a look returns that could not see: it looks again.
func notYet(err error) (bool, string, error) { return false, err.Error(), nil }
