package cluster

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// entranceSteps make the way in and remove what an earlier spec asked for. They come late: nothing waits for them.
func entranceSteps(in Inputs) []Step {
	method := entranceOf(in.REC).Method
	objects := entranceObjects(in)
	var steps []Step
	if len(objects) > 0 {
		steps = append(steps, openEntrance{objects})
	}
	return append(steps, pruneEntrances{keep: objects, kinds: in.Kinds.Usable(ingress.AllKinds()...), others: in.Kinds.Usable(ingress.OtherKinds(method)...)})
}

// carrySteps let every node answer what comes from outside (rule NET-3). Out there the leader has no address of its own: whoever stands in
// between leads to each node in turn, and a redirect would name an address inside. It is switched on and never off, since others
// may have come to rely on it.
func carrySteps(o *Observed) []Step {
	if !o.Entrance.wanted() || o.Snapshot == nil || o.Snapshot.Cluster == nil || rest.Value(o.Snapshot.Cluster.HandleRedirects) {
		return nil
	}
	return []Step{carryOn{}}
}

// carryOn changes the cluster.
type carryOn struct{}

func (carryOn) String() string {
	return "handle_redirects: false → true, for those who come from outside"
}

func (s carryOn) perform(ctx context.Context, h *hands) error {
	return h.did(s.String(), h.api.UpdateCluster(ctx, &rest.Cluster{HandleRedirects: ptr.To(true)}))
}

// openEntrance makes the objects that lead in. That it may not, or that a kind has just vanished, keeps the cluster from
// nothing: the condition tells.
type openEntrance struct{ objects []client.Object }

func (s openEntrance) String() string {
	return "apply what leads in: " + strings.TrimPrefix(applyObjects(s).String(), "apply ")
}

func (s openEntrance) perform(ctx context.Context, h *hands) error {
	err := applyObjects(s).perform(ctx, h)
	switch {
	case absent(err):
		h.run.EntranceProblem = outcome.Wait(v1.ReasonKindNotServed, later, "this Kubernetes has just ceased to serve the objects of the method; they are made when it serves them again")
		return nil
	case apierrors.IsForbidden(err):
		h.run.EntranceProblem = outcome.Wait(v1.ReasonNotAllowed, later, "the operator's Role does not let it make the objects of the method: %v", err)
		return nil
	}
	return err
}

// absent tells whether an error is that of a kind that is not served.
func absent(err error) bool { return meta.IsNoMatchError(err) || apierrors.IsNotFound(err) }

// pruneEntrances removes the API's way in where it is no longer wanted, and all of what other methods have left. The
// objects of databases go with the method as well: the services rigger has no rights to other kinds than its own.
type pruneEntrances struct {
	keep          []client.Object
	kinds, others []schema.GroupVersionKind
}

func (s pruneEntrances) String() string { return "prune ways in that are no longer wanted" }

func (s pruneEntrances) perform(ctx context.Context, h *hands) error {
	rigger := kube.Writer{Client: h.writer.Client, Manager: names.ManagerRigger}
	if err := s.prune(ctx, h, h.writer, s.kinds, s.keep); err != nil {
		return err
	}
	return s.prune(ctx, h, rigger, s.others, nil)
}

// prune goes kind by kind: one that has just vanished, or that may not be read because nobody ever asked for it, is no
// reason to leave the others.
func (s pruneEntrances) prune(ctx context.Context, h *hands, writer kube.Writer, kinds []schema.GroupVersionKind, keep []client.Object) error {
	for _, list := range ingress.Lists(kinds) {
		changes, err := writer.Prune(ctx, h.rec, client.MatchingLabels(names.ClusterLabels(h.rec.Name)), []client.ObjectList{list}, keep)
		h.run.Changes = append(h.run.Changes, changes...)
		if err != nil && !absent(err) && !apierrors.IsForbidden(err) {
			return err
		}
	}
	return nil
}
