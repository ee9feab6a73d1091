//go:build e2e

package e2e

import (
	"context"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/test/scenario"
)

// bootstrap begins from nothing, whatever an earlier run left behind.
func bootstrap(t *testing.T, s *suite) {
	ctx := t.Context()
	s.clean(t)
	must(t, s.EnsureNamespace(ctx))
	states := s.watchState(t, clusters, rec, "state")
	must(t, s.Prepare(ctx, s.node))
	t.Run("REC-27 the states on the way are the documented ones", func(t *testing.T) { bootStates(t, states.values()) })
	t.Run("REC-30 the printer columns are filled", func(t *testing.T) {
		s.columnsAreFilled(t, clusters, rec)
		s.columnsAreFilled(t, databases, shardedDB)
		s.columnsAreFilled(t, databases, singleDB)
	})
	t.Run("REC-15 both containers of each node pod run", func(t *testing.T) { s.podsRun(t, 3) })
	t.Run("REDB-10 the password's Secret has the documented keys", func(t *testing.T) {
		var secret corev1.Secret
		must(t, s.Get(ctx, s.Key(names.DatabaseSecret(shardedDB)), &secret))
		for _, key := range []string{names.PasswordKey, names.PortKey, names.ServiceNamesKey} {
			if len(secret.Data[key]) == 0 {
				t.Errorf("key %s is empty", key)
			}
		}
	})
}

// bootStates: which of them a watcher sees depends on its luck, but they come in this order and none goes back.
func bootStates(t *testing.T, seen []string) {
	order := []string{string(appv1.ClusterPendingCreation), string(appv1.ClusterBootstrappingFirstPod), string(appv1.ClusterInitializing), string(appv1.ClusterRunning)}
	at := -1
	for _, state := range seen {
		next := slices.Index(order, state)
		if next <= at {
			t.Errorf("state %s is out of place in %v", state, seen)
		}
		at = next
	}
	for _, state := range order[1:] {
		if !slices.Contains(seen, state) {
			t.Errorf("state %s was never there: %v", state, seen)
		}
	}
}

// columnsAreFilled asks for the table that kubectl get prints.
func (s *suite) columnsAreFilled(t *testing.T, resource schema.GroupVersionResource, name string) {
	t.Helper()
	var table metav1.Table
	err := s.Core.Discovery().RESTClient().Get().
		AbsPath("/apis", resource.Group, resource.Version, "namespaces", s.Namespace, resource.Resource, name).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Into(&table)
	must(t, err)
	if len(table.Rows) != 1 {
		t.Fatalf("%s: %d rows", name, len(table.Rows))
	}
	for i, column := range table.ColumnDefinitions {
		if cell := table.Rows[0].Cells[i]; cell == nil || cell == "" || cell == "<none>" {
			t.Errorf("%s: column %s is empty", name, column.Name)
		}
	}
}

func (s *suite) podsRun(t *testing.T, want int) {
	t.Helper()
	pods, err := s.NodePods(t.Context(), rec)
	must(t, err)
	if len(pods) != want {
		t.Errorf("%d node pods instead of %d", len(pods), want)
	}
	for _, pod := range pods {
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready || status.State.Running == nil {
				t.Errorf("pod %s: container %s does not run", pod.Name, status.Name)
			}
		}
		if len(pod.Status.ContainerStatuses) != 2 {
			t.Errorf("pod %s has %d containers", pod.Name, len(pod.Status.ContainerStatuses))
		}
	}
}

// service reaches both databases from a pod, by the names of their Services.
func service(t *testing.T, s *suite) {
	for _, database := range []string{shardedDB, singleDB} {
		t.Run("RIG-3 "+database, func(t *testing.T) {
			must(t, s.Ping(t.Context(), scenario.WriterOptions{Name: "e2e-ping", Database: database, Image: s.node}, 30*time.Second))
			var headless corev1.Service
			must(t, s.Get(t.Context(), s.Key(names.DatabaseHeadless(database)), &headless))
			if headless.Spec.ClusterIP != corev1.ClusterIPNone {
				t.Errorf("%s has the address %s", headless.Name, headless.Spec.ClusterIP)
			}
		})
	}
}

// writer starts a client that writes until the step ends it.
func (s *suite) writer(t *testing.T, name, database string) *scenario.Writer {
	t.Helper()
	w, err := s.StartWriter(t.Context(), scenario.WriterOptions{Name: name, Database: database, Image: s.node, Rate: 2000})
	must(t, err)
	t.Cleanup(func() {
		if err := s.RemovePod(context.WithoutCancel(t.Context()), name); err != nil {
			t.Error(err)
		}
	})
	return w
}

// nothingLost ends a writer; every acknowledged write must still be there, and no interruption longer than the limit.
func nothingLost(t *testing.T, w *scenario.Writer, limit time.Duration) {
	t.Helper()
	report, err := w.Finish(t.Context())
	must(t, err)
	t.Logf("acknowledged %d, lost %d, longest interruption %.1f s, unavailable %.1f s in all", report.Acknowledged, report.Lost,
		report.LongestUnavailableSeconds, report.TotalUnavailableSeconds)
	if report.Acknowledged == 0 {
		t.Error("nothing was written")
	}
	if report.Lost > 0 {
		t.Errorf("%d acknowledged writes are lost: %v", report.Lost, report.LostKeys)
	}
	if report.LongestUnavailableSeconds > limit.Seconds() {
		t.Errorf("the database was away for %.1f s, longer than %s", report.LongestUnavailableSeconds, limit)
	}
}
