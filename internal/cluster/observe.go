package cluster

import (
	"cmp"
	"context"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// readingLimit is how long a run waits for a reading of the cluster.
const readingLimit = 5 * time.Second

// Observed is one look at what there is. Absent things are nil.
type Observed struct {
	Set    *appsv1.StatefulSet
	Rigger *appsv1.Deployment
	// Pods of the nodes and their volume claims, in the order of their numbers.
	Pods   []corev1.Pod
	Claims []corev1.PersistentVolumeClaim
	// Refusal is why Kubernetes does not create the first pod that is missing; empty when it does, or does not say.
	Refusal string
	// Services of the operator that exist, by name.
	Services map[string]*corev1.Service
	// Balancers are the load balancers for cluster-aware clients outside, by the number of the pod; see ofCluster.
	Balancers map[int]*corev1.Service
	// Board is the bulletin board; nil while there is none.
	Board board.Data
	// Formed is true once a cluster has been seen. It never goes back.
	Formed bool
	// Snapshot is the newest reading of the cluster, nil while there is no link to it.
	Snapshot *link.Snapshot
	// Entrance is the way in from outside.
	Entrance Entrance
	// Modes are the optional services of the cluster, read only when the spec has an opinion on them.
	Modes rest.ServicesConfiguration
	// TLS are the cluster's settings, read only where a profile has an opinion on its TLS, or had one.
	TLS *rest.Cluster
	// Metrics is what is known of them.
	Metrics MetricsSeen
}

// reached tells whether the cluster answered at the last reading.
func (o *Observed) reached() bool { return o.Snapshot != nil && o.Snapshot.Up() }

// pod returns the node pod with a number, or nil.
func (o *Observed) pod(rec string, ordinal int32) *corev1.Pod {
	for i := range o.Pods {
		if o.Pods[i].Name == names.Pod(rec, int(ordinal)) {
			return &o.Pods[i]
		}
	}
	return nil
}

// observe looks at everything once. It changes nothing but the target of the operator's own link.
func (k *Kind) observe(ctx context.Context, in Inputs) (*Observed, error) {
	o := &Observed{Services: map[string]*corev1.Service{}}
	if err := k.observeKubernetes(ctx, in.REC, o, k.Client); err != nil {
		return nil, err
	}
	if mustBeCertain(in.REC, o) {
		if err := k.observeKubernetes(ctx, in.REC, o, k.Reader); err != nil {
			return nil, err
		}
	}
	if err := k.observeBalancers(ctx, in.REC, o); err != nil {
		return nil, err
	}
	k.observeRefusal(ctx, o)
	o.Formed = formed(in.REC) || o.Board.Formed() || joinedOnce(o.Board) || formedByAnother(in.REC, o)
	k.observeCluster(ctx, in, o)
	k.observeEntrance(ctx, in, o)
	k.observeMetrics(ctx, in, o)
	return o, nil
}

// mustBeCertain tells whether what follows cannot be undone, so that it must not be decided from a cache: a pod is about to
// be replaced, or the StatefulSet of a cluster that has data, or left some, seems to be absent.
func mustBeCertain(rec *v1.RedisEnterpriseCluster, o *Observed) bool {
	if o.Set == nil {
		return formed(rec) || len(o.Claims) > 0
	}
	return !settled(o)
}

// joinedOnce tells whether a node has said that it is in the cluster: then there is one.
func joinedOnce(b board.Data) bool {
	for _, report := range b.Reports() {
		if report.State == rest.BootstrapCompleted {
			return true
		}
	}
	return false
}

func (k *Kind) observeKubernetes(ctx context.Context, rec *v1.RedisEnterpriseCluster, o *Observed, reader client.Reader) error {
	var err error
	if o.Set, err = get(ctx, reader, rec.Namespace, rec.Name, &appsv1.StatefulSet{}); err != nil {
		return err
	}
	if o.Rigger, err = get(ctx, reader, rec.Namespace, names.Rigger(rec.Name), &appsv1.Deployment{}); err != nil {
		return err
	}
	for _, name := range []string{rec.Name, names.UI(rec.Name), names.Metrics(rec.Name), names.MetricsLeader(rec.Name)} {
		service, err := get(ctx, reader, rec.Namespace, name, &corev1.Service{})
		if err != nil {
			return err
		}
		if service != nil {
			o.Services[name] = service
		}
	}
	notes, err := get(ctx, reader, rec.Namespace, names.Board(rec.Name), &corev1.ConfigMap{})
	if err != nil {
		return err
	}
	o.Board = nil
	if notes != nil {
		o.Board = board.Data{}
		if notes.Data != nil {
			o.Board = notes.Data
		}
	}
	if o.Pods, err = k.nodePods(ctx, rec, reader); err != nil {
		return err
	}
	var claims corev1.PersistentVolumeClaimList
	if err := reader.List(ctx, &claims, client.InNamespace(rec.Namespace), client.MatchingLabels(names.ClusterLabels(rec.Name))); err != nil {
		return err
	}
	o.Claims = claims.Items
	return nil
}

func (k *Kind) nodePods(ctx context.Context, rec *v1.RedisEnterpriseCluster, reader client.Reader) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := reader.List(ctx, &pods, client.InNamespace(rec.Namespace), client.MatchingLabels(names.NodeLabels(rec.Name))); err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool {
		_, ok := names.Ordinal(rec.Name, p.Name)
		return !ok
	})
	slices.SortFunc(list, func(a, b corev1.Pod) int { return cmp.Compare(ordinal(rec.Name, &a), ordinal(rec.Name, &b)) })
	return list, nil
}

func ordinal(rec string, pod *corev1.Pod) int32 {
	n, _ := names.Ordinal(rec, pod.Name)
	return int32(n) //nolint:gosec // a pod's number
}

// get reads one object; absent is nil, not an error.
func get[T client.Object](ctx context.Context, reader client.Reader, namespace, name string, into T) (T, error) {
	err := reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		var none T
		return none, nil
	}
	return into, err
}

// observeCluster reads the cluster through its link, if it can be reached at all.
func (k *Kind) observeCluster(ctx context.Context, in Inputs, o *Observed) {
	l := k.connect(in, o) //nolint:contextcheck // a link outlives the run that makes it
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readingLimit)
	defer cancel()
	look := l.Observe
	if o.Set != nil && !settled(o) {
		look = l.Refresh
	}
	snapshot, err := look(ctx)
	if err != nil {
		snapshot = l.Latest()
		if snapshot.Err == nil { // the reading did not end in time
			late := *snapshot
			late.Err = err
			snapshot = &late
		}
	}
	o.Snapshot = snapshot
	if in.REC.Spec.RedisEnterpriseServicesConfiguration != nil && o.reached() {
		modes, err := l.Client().GetServices(ctx)
		if err == nil {
			o.Modes = modes
		} else {
			log.FromContext(ctx).Info("optional services of the cluster not read; the next run asks again", "error", err.Error())
		}
	}
	if followsTLS(in, o) && o.reached() {
		if o.TLS, err = l.Client().GetCluster(ctx); err != nil {
			o.TLS = nil
			log.FromContext(ctx).Info("TLS settings of the cluster not read; the next run asks again", "error", err.Error())
		}
	}
}

// connect brings the link up to date with addresses, certificates and credentials; nil while there is nothing to
// connect to.
func (k *Kind) connect(in Inputs, o *Observed) *link.Link {
	key := client.ObjectKeyFromObject(in.REC)
	target := link.Target{
		Addresses:   addresses(o),
		ServerName:  names.FQDN(in.REC.Name, in.REC.Namespace),
		CA:          authorities(o.Board),
		Credentials: rest.Credentials{Username: in.Credentials.Username, Password: in.Credentials.Password},
	}
	if !o.Formed || !in.Credentials.known() || len(target.Addresses) == 0 || len(target.CA) == 0 {
		return k.Links.Get(key)
	}
	return k.Links.Ensure(key, target)
}

// addresses are where the nodes answer now: those of pods whose node is in the cluster, as the pod itself has said.
func addresses(o *Observed) []string {
	var members, others []string
	for i := range o.Pods {
		pod := &o.Pods[i]
		ip := pod.Status.PodIP
		if ip == "" {
			continue
		}
		report, ok := o.Board.Report(pod.Name)
		if ok && report.State == rest.BootstrapCompleted && report.Address == ip || !ok && takenOver(o.Set) {
			members = append(members, ip)
		} else {
			others = append(others, ip)
		}
	}
	if len(members) > 0 {
		return members
	}
	return others
}

// authorities joins the certificates that the bootstrappers have read from beside their nodes, in the order of the pods, and
// the one that a person has vouched for.
func authorities(b board.Data) []byte {
	reports := b.Reports()
	var pods []string
	for pod := range reports {
		pods = append(pods, pod)
	}
	slices.Sort(pods)
	var pem []byte
	for _, pod := range pods {
		pem = append(pem, reports[pod].Certificate...)
	}
	return append(pem, b[names.BoardTrusted]...)
}
