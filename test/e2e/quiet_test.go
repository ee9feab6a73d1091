//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// quiet watches a converged cluster: the operator, the rigger and the bootstrappers must not write anything.
func quiet(t *testing.T, s *suite) {
	ctx := t.Context()
	must(t, s.AwaitCluster(ctx, rec, heal))
	must(t, s.AwaitDatabase(ctx, shardedDB, heal))
	must(t, s.AwaitDatabase(ctx, singleDB, heal))
	t.Run("REC-12 reads of the cluster do not grow with its databases", s.readsDoNotGrow)
	t.Run("a label on a database causes no write in the cluster", s.labelIsNoWrite)
	t.Run("REC-12 nothing is written", func(t *testing.T) {
		changes := s.watchEverything(t)
		before := s.writes(t)
		t.Logf("watching for %s", *quietFor)
		select {
		case <-ctx.Done():
		case <-time.After(*quietFor):
		}
		for what, count := range s.writes(t) {
			if more := count - before[what]; more > 0 {
				t.Errorf("%d requests: %s", more, what)
			}
		}
		for _, change := range changes() {
			t.Error(change)
		}
	})
}

// labelIsNoWrite: each write to the cluster's configuration changes its state id.
func (s *suite) labelIsNoWrite(t *testing.T) {
	ctx := t.Context()
	api, err := s.API(ctx, rec)
	must(t, err)
	defer api.Close()
	stateID := func() int64 {
		_, err := api.GetCluster(ctx)
		must(t, err)
		return api.StateID()
	}
	before := stateID()
	if before == 0 {
		t.Fatal("the cluster does not tell its state id")
	}
	var db appv1alpha1.RedisEnterpriseDatabase
	must(t, s.Get(ctx, s.Key(shardedDB), &db))
	must(t, s.MergePatch(ctx, &db, fmt.Sprintf(`{"metadata":{"labels":{"e2e":"%d"}}}`, time.Now().Unix())))
	for range 5 { // longer than the poller's idle pause
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
		if now := stateID(); now != before {
			t.Fatalf("the state id went from %d to %d", before, now)
		}
	}
}

// readsDoNotGrow compares how often the operator asks the cluster with two databases and with eight.
func (s *suite) readsDoNotGrow(t *testing.T) {
	ctx := t.Context()
	s.readsIn(t, settle)
	few := s.readsIn(t, readWindow)
	for i := range 6 {
		db := s.Cache()
		db.Name = fmt.Sprintf("e2e-more-%d", i)
		must(t, s.ApplyObject(ctx, db))
		t.Cleanup(func() { s.remove(t, db) })
	}
	for i := range 6 {
		must(t, s.AwaitDatabase(ctx, fmt.Sprintf("e2e-more-%d", i), heal))
	}
	s.readsIn(t, settle)
	many := s.readsIn(t, readWindow)
	t.Logf("%d reads in %s with 2 databases, %d with 8", few, readWindow, many)
	// One more round of the poller may fall into a window; a read per database and round would be far more.
	if few == 0 || float64(many) > 1.35*float64(few) {
		t.Errorf("%d reads in %s with 2 databases, but %d with 8", few, readWindow, many)
	}
}

const (
	readWindow = 30 * time.Second
	settle     = 8 * time.Second // until the poller is back to its idle pace
)

// readsIn counts the reads of all replicas of the operator in some time.
func (s *suite) readsIn(t *testing.T, window time.Duration) int {
	t.Helper()
	before := s.reads(t)
	select {
	case <-t.Context().Done():
	case <-time.After(window):
	}
	return s.reads(t) - before
}

var adminRequests = regexp.MustCompile(`(?m)^redis_enterprise_operator_admin_api_requests_total\{.*method="GET".*\} (\S+)$`)

func (s *suite) reads(t *testing.T) int {
	t.Helper()
	pods, err := s.Core.CoreV1().Pods(s.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "name=" + operator})
	must(t, err)
	total := 0.0
	for _, pod := range pods.Items {
		text, err := s.Core.CoreV1().RESTClient().Get().Namespace(s.Namespace).Resource("pods").
			Name(fmt.Sprintf("%s:%d", pod.Name, names.OperatorMetric)).SubResource("proxy").Suffix("metrics").DoRaw(t.Context())
		must(t, err)
		for _, match := range adminRequests.FindAllSubmatch(text, -1) {
			count, err := strconv.ParseFloat(string(match[1]), 64)
			must(t, err)
			total += count
		}
	}
	return int(total)
}

// ours are the resources that our programs have rights to write.
var ours = map[string]bool{
	"redisenterpriseclusters": true, "redisenterprisedatabases": true, "redisenterpriseremoteclusters": true,
	"redisenterpriseactiveactivedatabases": true, "statefulsets": true, "deployments": true, "services": true, "secrets": true,
	"configmaps": true, "serviceaccounts": true, "pods": true, "persistentvolumeclaims": true, "events": true,
	"poddisruptionbudgets": true, "roles": true, "rolebindings": true, "validatingwebhookconfigurations": true,
}

var requestTotal = regexp.MustCompile(`^apiserver_request_total\{(.*)\} (\S+)$`)

// writes counts the writing requests that the API server has answered, those that changed nothing included. Other users
// of the Kubernetes cluster are counted too: the suite wants it for itself.
func (s *suite) writes(t *testing.T) map[string]int {
	t.Helper()
	text, err := s.Core.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
	must(t, err)
	counts := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		match := requestTotal.FindStringSubmatch(lines.Text())
		if match == nil {
			continue
		}
		label := labelsOf(match[1])
		reads := []string{"GET", "LIST", "WATCH", "CONNECT"}
		// A pod's log, port-forward and token are asked for by this suite and the kubelet.
		if slices.Contains(reads, label["verb"]) || !ours[label["resource"]] || slices.Contains([]string{"token", "portforward", "exec", "proxy"}, label["subresource"]) {
			continue
		}
		count, err := strconv.ParseFloat(match[2], 64)
		must(t, err)
		counts[strings.TrimSuffix(label["verb"]+" "+label["resource"]+"/"+label["subresource"], "/")] += int(count)
	}
	must(t, lines.Err())
	if len(counts) == 0 {
		t.Fatal("the API server counts no writes at all")
	}
	return counts
}

var labelPair = regexp.MustCompile(`(\w+)="([^"]*)"`)

func labelsOf(text string) map[string]string {
	labels := map[string]string{}
	for _, pair := range labelPair.FindAllStringSubmatch(text, -1) {
		labels[pair[1]] = pair[2]
	}
	return labels
}

// unwatched are leases, which are renewed all the time, and events, whose requests are counted.
var unwatched = []string{"leases", "events", "endpoints"}

// watchEverything returns what has changed in the namespace, apart from leases, since it was called.
func (s *suite) watchEverything(t *testing.T) func() []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.Namespace, nil)
	var mu sync.Mutex
	var changes []string
	note := func(verb string, obj any) {
		if object, ok := obj.(*unstructured.Unstructured); ok {
			mu.Lock()
			defer mu.Unlock()
			changes = append(changes, fmt.Sprintf("%s %s/%s by %s", verb, object.GetKind(), object.GetName(), lastManager(object)))
		}
	}
	for _, resource := range s.watchable(t) {
		_, err := factory.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(obj any, first bool) {
				if !first {
					note("created", obj)
				}
			},
			UpdateFunc: func(_, obj any) { note("changed", obj) },
			DeleteFunc: func(obj any) { note("deleted", obj) },
		})
		must(t, err)
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	t.Cleanup(func() {
		cancel()
		factory.Shutdown()
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(changes)
	}
}

func (s *suite) watchable(t *testing.T) []schema.GroupVersionResource {
	t.Helper()
	lists, err := s.Core.Discovery().ServerPreferredNamespacedResources()
	must(t, err)
	var all []schema.GroupVersionResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		must(t, err)
		for _, resource := range list.APIResources {
			if slices.Contains(resource.Verbs, "watch") && !slices.Contains(unwatched, resource.Name) {
				all = append(all, gv.WithResource(resource.Name))
			}
		}
	}
	return all
}

func lastManager(object *unstructured.Unstructured) string {
	var last metav1.ManagedFieldsEntry
	for _, entry := range object.GetManagedFields() {
		if entry.Time != nil && (last.Time == nil || entry.Time.After(last.Time.Time)) {
			last = entry
		}
	}
	return last.Manager
}
