// Package standin runs the pods of a test cluster that has an API server and the real controllers, but no node: a
// Redis Enterprise pod becomes an emulator node on a loopback address of its own with a real bootstrapper beside it, and
// a services rigger pod becomes a rigger, all inside this process.
package standin

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/open-redis-enterprise/operator/internal/emulator"
)

// NodeName is the name of the one Node object.
const NodeName = "standin"

// Kubelet runs pods. Set the exported fields before Run.
type Kubelet struct {
	// Config reaches the API server as an administrator; pods act as their own service accounts through it.
	Config *rest.Config
	// Dir keeps the volumes; they live as long as their claims.
	Dir string
	// Tune may change the configuration of an emulator node before it starts: delays, faults, request counters.
	Tune func(pod *corev1.Pod, config *emulator.Config)
	Log  *slog.Logger

	client kubernetes.Interface
	mu     sync.Mutex
	pods   map[types.UID]*pod
	wg     sync.WaitGroup
}

// network is shared by all stand-ins of a process, so that no two pods ever get the same address.
var network atomic.Uint32

// nextAddress hands out loopback addresses. Processes that test at the same time use different networks.
func nextAddress() string {
	n := network.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 16+os.Getpid()%200, 1+n/250%250, 1+n%250)
}

// Run starts and stops pods as the API server says, until ctx ends; then it stops all of them.
func (k *Kubelet) Run(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(k.Config)
	if err != nil {
		return err
	}
	k.client, k.pods = client, map[types.UID]*pod{}
	if k.Log == nil {
		k.Log = slog.New(slog.DiscardHandler)
	}
	if err := k.register(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it ended before it began
		}
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Pods().Informer()
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { k.see(ctx, obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { k.see(ctx, obj.(*corev1.Pod)) },
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			k.gone(obj.(*corev1.Pod))
		},
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	k.wg.Wait()
	return nil
}

// register makes the Node object that pods are bound to.
func (k *Kubelet) register(ctx context.Context) error {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: NodeName, Labels: map[string]string{corev1.LabelHostname: NodeName}}}
	_, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	node, err = k.client.CoreV1().Nodes().Get(ctx, NodeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	node.Status.Capacity = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi")}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "StandIn", LastHeartbeatTime: metav1.Now()}}
	_, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

func (k *Kubelet) see(ctx context.Context, seen *corev1.Pod) {
	if ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.pods[seen.UID]
	if known == nil {
		if seen.DeletionTimestamp != nil && seen.Spec.NodeName == "" {
			return
		}
		life, end := context.WithCancel(ctx)
		known = &pod{kubelet: k, object: seen.DeepCopy(), end: end, ending: make(chan struct{}), killed: make(chan struct{})}
		k.pods[seen.UID] = known
		k.wg.Go(func() { known.live(life) })
	}
	if seen.DeletionTimestamp != nil {
		known.stop()
	}
}

// gone ends a pod that is no longer in the API server, without any grace.
func (k *Kubelet) gone(seen *corev1.Pod) {
	k.mu.Lock()
	known := k.pods[seen.UID]
	delete(k.pods, seen.UID)
	k.mu.Unlock()
	if known != nil {
		known.end()
	}
}

// KillNode ends the containers of a pod as if its machine had died, and force-deletes the pod, as the loss of a machine
// ends after its eviction.
func (k *Kubelet) KillNode(ctx context.Context, name types.NamespacedName) error {
	p := k.find(name)
	if p == nil {
		return fmt.Errorf("pod %s does not run here", name)
	}
	p.kill()
	now := int64(0)
	return k.client.CoreV1().Pods(name.Namespace).Delete(ctx, name.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
}

// Node returns the emulator that runs as the pod, or nil.
func (k *Kubelet) Node(name types.NamespacedName) *emulator.Node {
	if p := k.find(name); p != nil {
		return p.node()
	}
	return nil
}

func (k *Kubelet) find(name types.NamespacedName) *pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.pods {
		if p.object.Namespace == name.Namespace && p.object.Name == name.Name {
			return p
		}
	}
	return nil
}

// poll is how often a stand-in pod looks at its probes and Secrets.
const poll = 200 * time.Millisecond
