package rigger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Lister reads all databases of the cluster in one call.
type Lister interface {
	ListBDBs(ctx context.Context, fields ...string) ([]rest.BDB, error)
}

// fields are all that the rigger asks of a database.
var fields = []string{"uid", "name", "internal", "port", "endpoints", "tags", "crdt"}

// Rigger keeps Services and pod labels equal to where the endpoints are, and the ways in from outside equal to the
// databases that want one.
type Rigger struct {
	Settings Settings
	API      Lister
	Client   client.Client         // reads come from a cache of the cluster's own objects, writes go to the API server
	Live     client.Reader         // the API server, asked before something is made that the cache does not show
	Kinds    func() platform.Kinds // the optional kinds that are served now; nil for none
	Owner    client.Object         // the REC, for owner references
	Every    time.Duration         // between two looks at the endpoints; one second unless set
	Log      *slog.Logger
	Events   record.EventRecorder // tells on Owner of databases that are left out; nil for the log alone

	lastGood atomic.Int64
	told     []string          // databases without Services that the log has named
	failed   string            // what the log has said last of looks that failed
	others   map[string]others // objects that somebody else has, by kind and name
}

// others is an object of somebody else, and until when that is believed without asking again.
type others struct {
	taken *kube.Taken
	until time.Time
}

// askAgain is how long an object of somebody else is believed to be there still.
const askAgain = 30 * time.Second

// Run follows the endpoints until ctx ends. A failed look changes nothing: Services stay as they are.
func (r *Rigger) Run(ctx context.Context) error {
	every := r.Every
	if every == 0 {
		every = time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := r.Once(ctx); ctx.Err() == nil {
			r.fail(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Once looks and acts one time. Ways in from outside come last, and what goes wrong with them holds nothing else up.
func (r *Rigger) Once(ctx context.Context) error {
	list, err := r.API.ListBDBs(ctx, fields...)
	if err != nil {
		return fmt.Errorf("databases not read: %w", err)
	}
	taken, err := r.taken(ctx)
	if err != nil {
		return err
	}
	dbs, left := Databases(r.Settings, list, taken)
	others, err := r.services(ctx, dbs)
	if err != nil {
		return err
	}
	left = append(left, others...)
	r.lastGood.Store(time.Now().UnixNano())
	objects, closed := Ways(r.Settings, dbs)
	if missing := r.kinds().Missing(ingress.Kinds(r.Settings.Ingress.Method)...); len(missing) > 0 {
		r.tell(append(left, "nothing leads in from outside: this Kubernetes does not have "+platform.KindName(missing[0])))
		return nil
	}
	r.tell(append(left, closed...))
	return r.ways(ctx, objects)
}

// taken are the names of the Services that the operator made for the cluster.
func (r *Rigger) taken(ctx context.Context) (map[string]bool, error) {
	var services corev1.ServiceList
	if err := r.Client.List(ctx, &services, client.InNamespace(r.Settings.Namespace), r.mine()); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, service := range services.Items {
		taken[service.Name] = service.Annotations[names.AnnotationManager] == names.ManagerOperator
	}
	return taken, nil
}

// services brings pod labels and Services up to date, and says which of them are somebody else's. One that Kubernetes
// refuses must not keep the others from being made or removed.
func (r *Rigger) services(ctx context.Context, dbs []Database) (left []string, err error) {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(r.Settings.Namespace), client.MatchingLabels(names.NodeLabels(r.Settings.Cluster))); err != nil {
		return nil, err
	}
	for _, change := range Labels(pods.Items, dbs) {
		if err := r.label(ctx, change); err != nil {
			return nil, err
		}
	}
	var problems []error
	wished := Services(r.Settings, dbs)
	for _, service := range wished {
		err := r.apply(ctx, service)
		var taken *kube.Taken
		if errors.As(err, &taken) {
			left = append(left, taken.Error())
			continue
		}
		problems = append(problems, err)
	}
	changes, err := r.writer().Prune(ctx, r.Owner, r.mine(), []client.ObjectList{&corev1.ServiceList{}}, wished)
	r.log(changes)
	return left, errors.Join(append(problems, err)...)
}

// apply makes one object as it is wished, unless somebody else has it.
func (r *Rigger) apply(ctx context.Context, wished client.Object) error {
	key := fmt.Sprintf("%T %s", wished, wished.GetName())
	if theirs, known := r.others[key]; known && time.Now().Before(theirs.until) {
		return theirs.taken
	}
	delete(r.others, key)
	changes, err := r.writer().Apply(ctx, r.Owner, []client.Object{wished})
	r.log(changes)
	var taken *kube.Taken
	if errors.As(err, &taken) {
		if r.others == nil {
			r.others = map[string]others{}
		}
		r.others[key] = others{taken, time.Now().Add(askAgain)}
	}
	return err
}

// ways brings what leads in from outside up to date. One object that Kubernetes refuses, such as a host name that
// somebody else has, must not keep the others from being made or removed.
func (r *Rigger) ways(ctx context.Context, wished []client.Object) error {
	var problems []error
	for _, obj := range wished {
		problems = append(problems, r.apply(ctx, obj))
	}
	for _, list := range ingress.Lists(ingress.Kinds(r.Settings.Ingress.Method)) {
		changes, err := r.writer().Prune(ctx, r.Owner, r.mine(), []client.ObjectList{list}, wished)
		r.log(changes)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

func (r *Rigger) writer() kube.Writer {
	return kube.Writer{Client: r.Client, Manager: names.ManagerRigger, Live: r.Live}
}

func (r *Rigger) mine() client.MatchingLabels { return names.ClusterLabels(r.Settings.Cluster) }

func (r *Rigger) kinds() platform.Kinds {
	if r.Kinds == nil {
		return platform.Kinds{}
	}
	return r.Kinds()
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
		r.Log.Info("object", "verb", c.Verb, "kind", c.Kind, "name", c.Name.Name)
	}
}

// fail logs what went wrong once, not at each look, and that it has ended.
func (r *Rigger) fail(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == r.failed:
	case err != nil:
		r.Log.Warn("not brought up to date", "error", err)
	default:
		r.Log.Info("up to date again")
	}
	r.failed = text
}

// tell says which databases do not get what others get, once and not at each look.
func (r *Rigger) tell(left []string) {
	if slices.Equal(left, r.told) {
		return
	}
	before := r.told
	r.told = left
	for _, why := range left {
		r.Log.Warn("left out", "database", why)
		if r.Events != nil && !slices.Contains(before, why) {
			r.Events.Event(r.Owner, corev1.EventTypeWarning, names.EventLeftOut, why)
		}
	}
}
