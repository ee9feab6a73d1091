package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
)

// resync looks at everything again; it only matters when an event was missed.
const resync = 5 * time.Minute

// key names a claim (with a namespace) or a volume (without one).
type key = cache.ObjectName

// Controller answers claims and volumes, one at a time.
type Controller struct {
	client   kubernetes.Interface
	volumes  Volumes
	queue    workqueue.TypedRateLimitingInterface[key]
	recorder record.EventRecorder

	factory      informers.SharedInformerFactory
	claimLister  corelisters.PersistentVolumeClaimLister
	volumeLister corelisters.PersistentVolumeLister
	classLister  storagelisters.StorageClassLister
}

// NewController wires the watches to the queue.
func NewController(client kubernetes.Interface, volumes Volumes) *Controller {
	factory := informers.NewSharedInformerFactory(client, resync)
	events := record.NewBroadcaster()
	events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	c := &Controller{
		client:       client,
		volumes:      volumes,
		queue:        workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[key]()),
		recorder:     events.NewRecorder(scheme.Scheme, corev1.EventSource{Component: volumes.Provisioner}),
		factory:      factory,
		claimLister:  factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumeLister: factory.Core().V1().PersistentVolumes().Lister(),
		classLister:  factory.Storage().V1().StorageClasses().Lister(),
	}
	c.watch(factory.Core().V1().PersistentVolumeClaims().Informer())
	c.watch(factory.Core().V1().PersistentVolumes().Informer())
	return c
}

func (c *Controller) watch(informer cache.SharedInformer) {
	enqueue := func(object any) {
		if name, err := cache.DeletionHandlingObjectToName(object); err == nil {
			c.queue.Add(name)
		}
	}
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{ // fails only on a stopped informer
		AddFunc:    enqueue,
		UpdateFunc: func(_, object any) { enqueue(object) },
	})
}

// Run works until the context ends.
func (c *Controller) Run(ctx context.Context) error {
	c.factory.Start(ctx.Done())
	for kind, synced := range c.factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("no list of %s", kind)
		}
	}
	slog.Info("ready", "provisioner", c.volumes.Provisioner, "folder", c.volumes.Folder)
	context.AfterFunc(ctx, c.queue.ShutDown)
	for c.next(ctx) {
	}
	c.factory.Shutdown()
	return nil
}

func (c *Controller) next(ctx context.Context) bool {
	name, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(name)
	if err := c.reconcile(ctx, name); err != nil {
		slog.Error("will try again", "object", name.String(), "error", err)
		c.queue.AddRateLimited(name)
		return true
	}
	c.queue.Forget(name)
	return true
}

func (c *Controller) reconcile(ctx context.Context, name key) error {
	if name.Namespace == "" {
		volume, err := c.volumeLister.Get(name.Name)
		if err != nil {
			return ignoreNotFound(err)
		}
		return c.dispose(ctx, volume)
	}
	claim, err := c.claimLister.PersistentVolumeClaims(name.Namespace).Get(name.Name)
	if err != nil {
		return ignoreNotFound(err)
	}
	return errors.Join(c.provision(ctx, claim), c.grow(ctx, claim))
}

// provision makes the volume a claim waits for. The folder comes first: it does
// no harm without its volume, but a volume without a folder keeps pods waiting.
func (c *Controller) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if claim.Spec.StorageClassName == nil {
		return nil
	}
	class, err := c.classLister.Get(*claim.Spec.StorageClassName)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !c.volumes.Wanted(claim, class) {
		return nil
	}
	volume := c.volumes.Build(claim, class)
	if err := c.volumes.MakeFolder(volume); err != nil {
		c.recorder.Event(claim, corev1.EventTypeWarning, reasonProvisioningFailed, err.Error())
		return err
	}
	if _, err := c.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{}); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}
	slog.Info("made", "volume", volume.Name, "claim", claim.Namespace+"/"+claim.Name)
	c.recorder.Eventf(claim, corev1.EventTypeNormal, reasonProvisioned, "made volume %s", volume.Name)
	return nil
}

// grow answers a claim that asks for more. A folder has no size, so there is
// nothing to do but to say that it is done: the volume first, then the claim.
func (c *Controller) grow(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	if !c.volumes.Grown(claim) {
		return nil
	}
	volume, err := c.volumeLister.Get(claim.Spec.VolumeName)
	if err != nil {
		return ignoreNotFound(err)
	}
	if !c.volumes.Ours(volume) {
		return nil
	}
	size := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	volume = volume.DeepCopy()
	volume.Spec.Capacity[corev1.ResourceStorage] = size
	if _, err := c.client.CoreV1().PersistentVolumes().Update(ctx, volume, metav1.UpdateOptions{}); err != nil {
		return err
	}
	claim = claim.DeepCopy()
	claim.Status.Capacity[corev1.ResourceStorage] = size
	claim.Status.AllocatedResources = nil
	claim.Status.AllocatedResourceStatuses = nil
	claim.Status.Conditions = nil // Resizing and FileSystemResizePending are the only ones there can be
	if _, err := c.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(ctx, claim, metav1.UpdateOptions{}); err != nil {
		return err
	}
	slog.Info("grown", "volume", volume.Name, "size", size.String())
	c.recorder.Eventf(claim, corev1.EventTypeNormal, reasonResized, "volume %s is now %s", volume.Name, size.String())
	return nil
}

// dispose removes a volume that nobody claims any more, data first.
func (c *Controller) dispose(ctx context.Context, volume *corev1.PersistentVolume) error {
	if !c.volumes.Disposable(volume) {
		return nil
	}
	if err := c.volumes.RemoveFolder(volume); err != nil {
		return err
	}
	if err := c.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{}); err != nil {
		return ignoreNotFound(err)
	}
	slog.Info("removed", "volume", volume.Name)
	return nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
