package rigger

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Lister reads all databases of the cluster in one call.
type Lister interface {
	ListBDBs(ctx context.Context, fields ...string) ([]rest.BDB, error)
}

// fields are all that the rigger asks of a database.
var fields = []string{"uid", "name", "internal", "endpoints", "tags"}

// Rigger keeps Services and pod labels equal to where the endpoints are.
type Rigger struct {
	Settings Settings
	API      Lister
	Client   client.Client // reads come from a cache, writes go to the API server
	Owner    client.Object // the REC, for owner references
	Every    time.Duration // between two looks at the endpoints; one second unless set
	Log      *slog.Logger

	lastGood atomic.Int64
	told     []string // databases without Services that the log has named
}

// Run follows the endpoints until ctx ends. A failed look changes nothing: Services stay as they are.
func (r *Rigger) Run(ctx context.Context) error {
	every := r.Every
	if every == 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := r.Once(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("services not brought up to date", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Once looks and acts one time.
func (r *Rigger) Once(ctx context.Context) error {
	list, err := r.API.ListBDBs(ctx, fields...)
	if err != nil {
		return fmt.Errorf("databases not read: %w", err)
	}
	dbs, left := Databases(list)
	r.tell(left)
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(r.Settings.Namespace), client.MatchingLabels(names.NodeLabels(r.Settings.Cluster))); err != nil {
		return err
	}
	for _, change := range Labels(pods.Items, dbs) {
		if err := r.label(ctx, change); err != nil {
			return err
		}
	}
	writer := kube.Writer{Client: r.Client, Manager: names.ManagerRigger}
	wished := Services(r.Settings, dbs)
	changes, err := writer.Apply(ctx, r.Owner, wished)
	r.log(changes)
	if err != nil {
		return err
	}
	changes, err = writer.Prune(ctx, r.Owner, client.MatchingLabels(names.ClusterLabels(r.Settings.Cluster)), []client.ObjectList{&corev1.ServiceList{}}, wished)
	r.log(changes)
	if err == nil {
		r.lastGood.Store(time.Now().UnixNano())
	}
	return err
}

// Healthy reports whether a look has succeeded within the last minute.
func (r *Rigger) Healthy() error {
	last := r.lastGood.Load()
	if last == 0 {
		return fmt.Errorf("the databases have not been read yet")
	}
	if age := time.Since(time.Unix(0, last)); age > time.Minute {
		return fmt.Errorf("the services were last brought up to date %s ago", age.Round(time.Second))
	}
	return nil
}

func (r *Rigger) label(ctx context.Context, change LabelChange) error {
	labels := map[string]any{}
	for key, value := range change.Add {
		labels[key] = value
	}
	for _, key := range change.Remove {
		labels[key] = nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	if err != nil {
		return err
	}
	pod := &corev1.Pod{}
	pod.Namespace, pod.Name = r.Settings.Namespace, change.Pod
	err = r.Client.Patch(ctx, pod, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(names.ManagerRigger))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("label pod %s: %w", change.Pod, err)
	}
	r.Log.Info("endpoints moved", "pod", change.Pod, "gained", change.Add, "lost", change.Remove)
	return nil
}

func (r *Rigger) log(changes []kube.Change) {
	for _, c := range changes {
		r.Log.Info("service", "verb", c.Verb, "name", c.Name.Name)
	}
}

// tell logs databases that get no Services once, not at each look.
func (r *Rigger) tell(left []string) {
	if slices.Equal(left, r.told) {
		return
	}
	r.told = left
	for _, why := range left {
		r.Log.Warn("no services for a database", "database", why)
	}
}
