package bootstrapper

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// goneFor is how long the board must be absent before its absence means that the cluster is being deleted: the
// operator puts back a board that somebody removed by hand, and does so within a second or two.
const goneFor = 5 * time.Second

// KubeBoard is the bulletin board in a ConfigMap, kept current by a watch on that one object.
type KubeBoard struct {
	client    kubernetes.Interface
	namespace string
	name      string
	pod       string
	now       atomic.Pointer[corev1.ConfigMap]
	absent    atomic.Int64 // Unix nanoseconds since when it has been absent; 0 while it is there
}

// NewKubeBoard makes the board of cluster rec as pod sees it. Start must be called before it shows anything.
func NewKubeBoard(client kubernetes.Interface, namespace, rec, pod string) *KubeBoard {
	return &KubeBoard{client: client, namespace: namespace, name: names.Board(rec), pod: pod}
}

// Start watches the board until ctx ends.
func (b *KubeBoard) Start(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(b.client, 0,
		informers.WithNamespace(b.namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("metadata.name", b.name).String()
		}))
	informer := factory.Core().V1().ConfigMaps().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    b.keep,
		UpdateFunc: func(_, obj any) { b.keep(obj) },
		DeleteFunc: func(any) { b.now.Store(nil) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	return nil
}

func (b *KubeBoard) keep(obj any) {
	if cm, ok := obj.(*corev1.ConfigMap); ok {
		b.now.Store(cm)
	}
}

// Read returns the board as last seen.
func (b *KubeBoard) Read() board.Data {
	cm := b.now.Load()
	if cm == nil {
		return nil
	}
	if cm.Data == nil {
		return board.Data{}
	}
	return cm.Data
}

// Gone reports whether the cluster is being deleted: its namespace is terminating (pods go first there, and nobody will
// take over what a drain would move), or the API server has said for some seconds that the board does not exist, or that
// we have no business asking any more (our account is being deleted too).
func (b *KubeBoard) Gone(ctx context.Context) bool {
	ns, err := b.client.CoreV1().Namespaces().Get(ctx, b.namespace, metav1.GetOptions{})
	if err == nil && ns.DeletionTimestamp != nil {
		return true
	}
	_, err = b.client.CoreV1().ConfigMaps(b.namespace).Get(ctx, b.name, metav1.GetOptions{})
	if !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) && !apierrors.IsUnauthorized(err) {
		b.absent.Store(0)
		return false
	}
	now := time.Now()
	b.absent.CompareAndSwap(0, now.UnixNano())
	return now.Sub(time.Unix(0, b.absent.Load())) >= goneFor
}

// PodEnding reports whether our pod has a deletion time; a pod that is gone altogether counts as ending.
func (b *KubeBoard) PodEnding(ctx context.Context) (bool, error) {
	pod, err := b.client.CoreV1().Pods(b.namespace).Get(ctx, b.pod, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return pod.DeletionTimestamp != nil, nil
}

// Publish writes this pod's entry and touches nothing else on the board.
func (b *KubeBoard) Publish(ctx context.Context, r board.Report) error {
	patch, err := json.Marshal(map[string]any{"data": map[string]string{board.Key(b.pod): r.String()}})
	if err != nil {
		return err
	}
	_, err = b.client.CoreV1().ConfigMaps(b.namespace).Patch(ctx, b.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "bootstrapper"})
	return err
}
