//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/open-redis-enterprise/operator/internal/names"
)

var (
	clusters  = schema.GroupVersionResource{Group: "app.redislabs.com", Version: "v1", Resource: "redisenterpriseclusters"}
	databases = schema.GroupVersionResource{Group: "app.redislabs.com", Version: "v1alpha1", Resource: "redisenterprisedatabases"}
)

// podWatch checks with every change that no more than one node pod is away.
type podWatch struct {
	mu     sync.Mutex
	want   int
	pods   map[string]bool // ready, by name
	broken []string
	stop   func()
}

// watchPods begins to watch; all pods have to be ready at that moment.
func (s *suite) watchPods(t *testing.T, want int) *podWatch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &podWatch{want: want, pods: map[string]bool{}}
	factory := informers.NewSharedInformerFactoryWithOptions(s.Core, 0, informers.WithNamespace(s.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.LabelSelector = labels.SelectorFromSet(names.NodeLabels(rec)).String()
		}))
	informer := factory.Core().V1().Pods().Informer()
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { w.see(obj.(*corev1.Pod), true) },
		UpdateFunc: func(_, obj any) { w.see(obj.(*corev1.Pod), true) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			w.see(obj.(*corev1.Pod), false)
		},
	})
	must(t, err)
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		t.Fatal("the pods cannot be watched")
	}
	w.stop = sync.OnceFunc(func() {
		cancel()
		factory.Shutdown()
	})
	t.Cleanup(w.stop)
	w.mu.Lock()
	defer w.mu.Unlock()
	if away := w.away(); len(w.pods) != want || len(away) > 0 {
		t.Fatalf("there should be %d ready node pods, but there are %d, and not ready: %v", want, len(w.pods), away)
	}
	return w
}

func (w *podWatch) see(pod *corev1.Pod, exists bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pods[pod.Name] = exists && isReady(pod)
	if len(w.pods) < w.want {
		return // the first listing
	}
	if away := w.away(); len(away) > 1 {
		w.broken = append(w.broken, fmt.Sprintf("%v are not ready at the same time", away))
	}
}

func (w *podWatch) away() []string {
	var away []string
	for name, ready := range w.pods {
		if !ready {
			away = append(away, name)
		}
	}
	slices.Sort(away)
	return away
}

// check fails the test when two pods were away at once.
func (w *podWatch) check(t *testing.T) {
	t.Helper()
	w.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, sentence := range w.broken {
		t.Error(sentence)
	}
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// stateWatch remembers the values that a field of one object takes.
type stateWatch struct {
	mu   sync.Mutex
	seen []string
	stop func()
}

// watchState remembers status.<field> of an object.
func (s *suite) watchState(t *testing.T, resource schema.GroupVersionResource, name, field string) *stateWatch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &stateWatch{}
	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(s.dynamic, 0, s.Namespace, func(o *metav1.ListOptions) {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", name).String()
	})
	informer := factory.ForResource(resource).Informer()
	see := func(obj any) {
		if u, ok := obj.(*unstructured.Unstructured); ok {
			value, _, _ := unstructured.NestedString(u.Object, "status", field)
			w.see(value)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, obj any) { see(obj) }})
	must(t, err)
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		t.Fatalf("%s cannot be watched", name)
	}
	w.stop = sync.OnceFunc(func() {
		cancel()
		factory.Shutdown()
	})
	t.Cleanup(w.stop)
	return w
}

func (w *stateWatch) see(value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.seen); value != "" && (n == 0 || w.seen[n-1] != value) {
		w.seen = append(w.seen, value)
	}
}

// values are all that were seen so far, in order.
func (w *stateWatch) values() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}
