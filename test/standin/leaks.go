package standin

import "go.uber.org/goleak"

// Leaks are the goroutines that libraries may leave behind when an operator ends in the middle of its work. A process that
// ends takes them along; a test in which many operators live one after the other finds them:
//   - a watch of names only never ends its filter when its reader stops first;
//   - a work queue that is shut down while it hands out an item, and nobody takes it any more, waits for ever,
//     and with it what else of the queue wants its lock;
//   - a handler of a cache that is stopped before it was filled waits for its being filled.
func Leaks() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop"),
		goleak.IgnoreAnyFunction("sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue.(*priorityqueue[...]).handleReadyItems"),
		goleak.IgnoreAnyFunction("sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue.(*priorityqueue[...]).handleAddBuffer"),
		goleak.IgnoreAnyFunction("sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue.(*priorityqueue[...]).handleWaitingItems"),
		goleak.IgnoreAnyFunction("sigs.k8s.io/controller-runtime/pkg/cache.newMultiNamespaceInformerHandlerRegistration.func1"),
	}
}
