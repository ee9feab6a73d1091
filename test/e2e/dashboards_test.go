//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/config/grafana"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// choices stand for what a person chooses at the head of a dashboard.
var choices = strings.NewReplacer("$__rate_interval", "2m", "$cluster", ".*", "$node", ".*", "$db", ".*", "$namespace", ".*")

// silent are panels that have nothing to show on the suite's cluster, with the reason.
var silent = map[string]string{
	globalDashboard: "no database has a source in another cluster; the step active-active looks at them",
}

// globalDashboard is about Active-Active databases, and firstCopy its panel for which the emulator has no figures.
const (
	globalDashboard = "Redis Enterprise / Active-Active"
	firstCopy       = globalDashboard + " / First copy"
)

// asked is one query of a dashboard.
type asked struct{ name, expression string }

// monitor installs the operator with what a Prometheus needs of it: config/overlays/monitoring, as a user would.
func (s *suite) monitor(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	text, err := exec.CommandContext(ctx, setting("KUBECTL", "kubectl"), "kustomize", "../../config/overlays/monitoring").Output()
	must(t, err)
	deployment, err := s.Core.AppsV1().Deployments(s.Namespace).Get(ctx, operator, metav1.GetOptions{})
	must(t, err)
	image := deployment.Spec.Template.Spec.Containers[0].Image
	must(t, s.ApplyYAML(ctx, []byte(strings.ReplaceAll(string(text), releasedImage, image))))
	must(t, s.AwaitDeployment(ctx, operator, heal))
}

// releasedImage is the image that config/default names.
const releasedImage = "quay.io/open-redis-enterprise/operator:1.1.0"

// dashboardsHaveData evaluates each query of each dashboard, until all but the silent ones give something.
func (p prometheus) dashboardsHaveData(t *testing.T, s *suite) {
	queries := queriesOf(t)
	if len(queries) < 100 {
		t.Fatalf("only %d queries", len(queries))
	}
	s.meddle(t)
	refused := s.Cache()
	refused.Name, refused.Spec.MemorySize = "e2e-refused", "12XB"
	var waiting []asked
	must(t, p.Await(t.Context(), fmt.Sprintf("%d queries", len(queries)), 2*scraped, func() (bool, string, error) {
		if err := s.Create(t.Context(), refused.DeepCopy(), client.DryRunAll); err == nil {
			return false, "", errors.New("the webhook is asleep")
		}
		waiting = nil
		for _, q := range queries {
			samples, err := p.query(t.Context(), choices.Replace(q.expression))
			if err != nil {
				return false, "", fmt.Errorf("%s: %w\n%s", q.name, err, q.expression)
			}
			if len(samples) == 0 {
				waiting = append(waiting, q)
			}
		}
		missing := slices.DeleteFunc(slices.Clone(waiting), func(q asked) bool { return reason(q.name) != "" })
		queries = waiting // those that have answered need not be asked again
		return len(missing) == 0, fmt.Sprintf("%d give nothing yet: %s", len(missing), namesOf(missing)), nil
	}))
	for _, q := range waiting {
		t.Logf("nothing to show in %s: %s", q.name, reason(q.name))
	}
}

// globalDashboardHasData is the same for the one about Active-Active databases.
func (p prometheus) globalDashboardHasData(t *testing.T) {
	queries := slices.DeleteFunc(queriesOf(t), func(q asked) bool { return !strings.HasPrefix(q.name, globalDashboard) || q.name == firstCopy })
	if len(queries) < 10 {
		t.Fatalf("only %d queries", len(queries))
	}
	must(t, p.Await(t.Context(), fmt.Sprintf("%d queries", len(queries)), scraped, func() (bool, string, error) {
		var missing []asked
		for _, q := range queries {
			samples, err := p.query(t.Context(), choices.Replace(q.expression))
			if err != nil {
				return false, "", fmt.Errorf("%s: %w\n%s", q.name, err, q.expression)
			}
			if len(samples) == 0 {
				missing = append(missing, q)
			}
		}
		return len(missing) == 0, fmt.Sprintf("%d give nothing yet: %s", len(missing), namesOf(missing)), nil
	}))
}

// meddle changes a Service of the cluster by hand, so that there is something to put back, and waits until that is done.
func (s *suite) meddle(t *testing.T) {
	t.Helper()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: names.UI(rec)}}
	must(t, s.MergePatch(t.Context(), service, fmt.Sprintf(
		`{"spec":{"ports":[{"name":%q,"port":%d,"targetPort":1,"protocol":"TCP"}]}}`, names.UIPortName, names.UIPort)))
	must(t, s.Await(t.Context(), "service/"+service.Name, heal, func() (bool, string, error) {
		if err := s.Get(t.Context(), s.Key(service.Name), service); err != nil {
			return false, "", err
		}
		leads := service.Spec.Ports[0].TargetPort
		return leads.IntValue() == names.UIPort, "leads to port " + leads.String(), nil
	}))
}

func reason(name string) string {
	for start, why := range silent {
		if strings.HasPrefix(name, start) {
			return why
		}
	}
	return ""
}

func namesOf(queries []asked) string {
	var list []string
	for _, q := range queries {
		list = append(list, q.name)
	}
	return strings.Join(slices.Compact(list), ", ")
}

// queriesOf reads the dashboards as they are shipped.
func queriesOf(t *testing.T) []asked {
	t.Helper()
	files, err := grafana.Files.ReadDir(".")
	must(t, err)
	var all []asked
	for _, file := range files {
		raw, err := grafana.Files.ReadFile(file.Name())
		must(t, err)
		var dashboard struct {
			Title  string
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		must(t, json.Unmarshal(raw, &dashboard))
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				all = append(all, asked{dashboard.Title + " / " + panel.Title, target.Expr})
			}
		}
	}
	return all
}
