package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// unknown is the version of an object whose last write may or may not have arrived.
const unknown = ""

// written remembers the version of each object as this program wrote it last, until the cache has caught up with it. A
// run that is repeated at once would otherwise find the status of before its own write, see no difference to what it is
// about to report, and leave what it wrote first for good: no watch wakes the loop for its own status.
type written struct {
	mu       sync.Mutex
	versions map[types.NamespacedName]string
}

// Remember notes how a run left the object: at another version than it was read, or, after a write that failed, at one
// that nobody knows.
func (w *written) Remember(key types.NamespacedName, read string, obj client.Object, failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.versions == nil {
		w.versions = map[types.NamespacedName]string{}
	}
	switch left := obj.GetResourceVersion(); {
	case failed:
		w.versions[key] = unknown
	case left != read:
		w.versions[key] = left
	default:
		delete(w.versions, key)
	}
}

// Ahead reports whether the object was written by this program since the given version.
func (w *written) Ahead(key types.NamespacedName, version string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	left, remembered := w.versions[key]
	if !remembered {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(version, left)
	return err != nil || order < 0 // an unknown version cannot be compared
}

// Forget drops what is remembered of an object that is gone.
func (w *written) Forget(key types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.versions, key)
}
