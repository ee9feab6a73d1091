package command

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/yaml"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

func TestMNS2_NamespacesOfTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		name, watch, more, label string
		want                     []string
		selects                  string
	}{
		{"its own", "redis", "", "", []string{"redis"}, ""},
		{"several of OLM", "a, b,,a", "", "", []string{"a", "b"}, ""},
		{"its own and those with databases", "redis", "shop, bank", "", []string{"redis", "shop", "bank"}, ""},
		{"those with a label", "redis", "", "team", []string{"redis"}, "team"},
		{"the list wins over the label", "redis", "shop", "team", []string{"redis", "shop"}, ""},
		{"all of them, and none less", "", "shop", "team", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var o ManagerOptions
			o.readEnvironment(func(key string) string {
				return map[string]string{"WATCH_NAMESPACE": c.watch, "REDB_NAMESPACES": c.more, "REDB_NAMESPACES_LABEL": c.label}[key]
			})
			if !slices.Equal(o.Watch, c.want) || o.Label != c.selects {
				t.Errorf("%v, and those with %q", o.Watch, o.Label)
			}
		})
	}
}

func TestMetricsAreProtectedByFlagOrVariable(t *testing.T) {
	for _, c := range []struct {
		flag bool
		text string
		want bool
	}{{false, "", false}, {true, "", true}, {false, "true", true}, {false, "1", true}, {false, "false", false}, {true, "false", true}, {false, "on", true}} {
		o := ManagerOptions{MetricsSecure: c.flag}
		o.readEnvironment(func(key string) string { return map[string]string{"METRICS_SECURE": c.text}[key] })
		if o.MetricsSecure != c.want {
			t.Errorf("flag %t, variable %q: %t", c.flag, c.text, o.MetricsSecure)
		}
		if o.metricsServer(&serving{}).SecureServing != c.want {
			t.Errorf("flag %t, variable %q: served otherwise", c.flag, c.text)
		}
	}
}

// asked answers for namespaces; those that are not there are refused.
func asked(answers map[string]string) asker {
	return func(_ context.Context, namespace string) (string, error) {
		missing, there := answers[namespace]
		switch {
		case !there:
			return "list redisenterprisedatabases", nil
		case missing == "silence":
			return "", errors.New("no answer")
		}
		return missing, nil
	}
}

func TestMNS5_NamespacesThatMayNotBeReadAreLeftOut(t *testing.T) {
	ask := asked(map[string]string{"shop": "", "bank": "watch secrets", "quiet": "silence"})
	served, left := servable(t.Context(), "redis", []string{"redis", "shop", "bank", "gone", "quiet"}, ask, logr.Discard())
	if !slices.Equal(served, []string{"redis", "shop", "quiet"}) || !maps.Equal(left, map[string]string{"bank": "watch secrets", "gone": "list redisenterprisedatabases"}) {
		t.Errorf("served %v, left %v", served, left)
	}
}

func TestMNS5_TheProgramEndsWhenANamespaceCanBeTakenIn(t *testing.T) {
	events := record.NewFakeRecorder(10)
	answers, asks := map[string]string{"bank": "watch secrets"}, 0
	ctx, end := context.WithTimeout(t.Context(), 10*time.Second)
	defer end()
	ended := 0
	l := leftOut{own: "redis", left: map[string]string{"bank": "watch secrets"}, every: time.Millisecond, events: events, log: logr.Discard(), end: func() { ended++ },
		ask: func(ctx context.Context, namespace string) (string, error) {
			if asks++; asks == 3 {
				answers["bank"] = ""
			}
			return asked(answers)(ctx, namespace)
		}}
	if err := l.Start(ctx); err != nil || ended != 1 || asks != 3 || l.NeedLeaderElection() {
		t.Errorf("%v after %d questions, ended %d times", err, asks, ended)
	}
	if told := <-events.Events; !strings.HasPrefix(told, "Warning "+names.EventNamespaceLeftOut+" databases in namespace bank are not served: the operator may not watch secrets there") {
		t.Errorf("%s", told)
	}
}

func TestMNS1_TheRoleForOtherNamespacesIsEnough(t *testing.T) {
	raw, err := os.ReadFile("../../config/overlays/databases-elsewhere/redb_role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(raw), "\n---\n")
	var role rbacv1.Role
	var binding rbacv1.RoleBinding
	if err := errors.Join(yaml.UnmarshalStrict([]byte(parts[0]), &role), yaml.UnmarshalStrict([]byte(parts[1]), &binding)); err != nil {
		t.Fatal(err)
	}
	if role.Name != "redb-role" || binding.RoleRef.Name != role.Name || binding.Subjects[0].Name != names.Owner {
		t.Errorf("%s, %+v", role.Name, binding)
	}
	for _, need := range neededElsewhere() {
		if !slices.ContainsFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
			return slices.Contains(r.APIGroups, need.Group) && slices.Contains(r.Resources, need.Resource) && slices.Contains(r.Verbs, need.Verb)
		}) {
			t.Errorf("it may not %s %s", need.Verb, need.Resource)
		}
	}
}

func TestMNS7_OnlyDatabasesAndTheirSecretsAreReadElsewhere(t *testing.T) {
	options := cacheOptions(ManagerOptions{Namespace: "redis", Watch: []string{"redis", "shop"}})
	if len(options.DefaultNamespaces) != 2 {
		t.Errorf("%v", options.DefaultNamespaces)
	}
	seen := 0
	for kind, by := range options.ByObject {
		_, secret := kind.(*corev1.Secret)
		if _, cluster := kind.(*appv1.RedisEnterpriseCluster); cluster {
			seen++
		}
		if _, own := by.Namespaces["redis"]; !secret && (len(by.Namespaces) != 1 || !own) || secret && by.Namespaces != nil {
			t.Errorf("%T is read in %v", kind, by.Namespaces)
		}
	}
	if seen != 1 {
		t.Error("clusters are read everywhere")
	}
}
