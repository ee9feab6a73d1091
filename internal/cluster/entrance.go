package cluster

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/outcome"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
)

// Entrance is the way to the admin API from outside of Kubernetes: what was asked for, and what is known of it.
type Entrance struct {
	Settings ingress.Settings
	// Missing are kinds that the method needs and this Kubernetes does not serve.
	Missing []schema.GroupVersionKind
	// Built tells whether all objects exist.
	Built bool
	// Result is what was found at the other end.
	Result reach.Result
}

// wanted tells whether anybody asked.
func (e Entrance) wanted() bool { return e.Settings.Method != "" }

// entranceOf reads the wish. A wish that is refused is none: the rules have said so.
func entranceOf(rec *v1.RedisEnterpriseCluster) ingress.Settings {
	settings, err := ingress.SettingsOf(rec)
	if err != nil {
		return ingress.Settings{}
	}
	return settings
}

// entranceObjects are the objects of the method, or nothing where they cannot be.
func entranceObjects(in Inputs) []client.Object {
	settings := entranceOf(in.REC)
	if len(in.Kinds.Missing(ingress.Kinds(settings.Method)...)) > 0 {
		return nil
	}
	return ingress.Objects(settings, ingress.APIEntry(settings, in.REC))
}

// observeEntrance looks at the objects, and takes what is known of the other end. It waits for nothing: who looks there
// does so on its own time, and wakes the cluster when it finds something new.
func (k *Kind) observeEntrance(ctx context.Context, in Inputs, o *Observed) {
	e := &o.Entrance
	e.Settings = entranceOf(in.REC)
	kinds := ingress.Kinds(e.Settings.Method)
	key := client.ObjectKeyFromObject(in.REC)
	k.awaitKinds(key, kinds...)
	e.Missing = in.Kinds.Missing(kinds...)
	e.Result.Finding = reach.NotYet
	addresses, built := k.entranceAddresses(ctx, in, e.Settings)
	if e.Built = built; !built || k.Reach == nil {
		k.forgetEntrance(key)
		return
	}
	ca := authorities(o.Board)
	if !o.Formed || len(ca) == 0 {
		return // the objects lead nowhere yet
	}
	e.Result = k.Reach.Ensure(key, reach.Target{ //nolint:contextcheck // the looks outlive this run
		Way: string(e.Settings.Method), Host: e.Settings.APIHost, Addresses: addresses,
		CA: ca, ServerName: names.FQDN(in.REC.Name, in.REC.Namespace)})
}

// awaitKinds says which kinds the way in to a cluster needs; none for a cluster that needs no way in any more.
func (k *Kind) awaitKinds(key client.ObjectKey, kinds ...schema.GroupVersionKind) {
	if k.Offer != nil {
		k.Offer.Await("ways in to "+key.String(), kinds...)
	}
}

// forgetEntrance ends the looks at the other end.
func (k *Kind) forgetEntrance(key client.ObjectKey) {
	if k.Reach != nil {
		k.Reach.Remove(key)
	}
}

// entranceAddresses are the addresses that the objects say they are reached at, and whether all of them exist.
func (k *Kind) entranceAddresses(ctx context.Context, in Inputs, settings ingress.Settings) (addresses []string, built bool) {
	for _, object := range entranceObjects(in) {
		if err := k.Client.Get(ctx, client.ObjectKeyFromObject(object), object); err != nil {
			if client.IgnoreNotFound(err) != nil {
				log.FromContext(ctx).Info("a way in from outside was not read", "name", object.GetName(), "error", err.Error())
			}
			return nil, false
		}
		addresses, built = append(addresses, ingress.Addresses(object)...), true
	}
	if built && settings.Method == ingress.Gateway {
		addresses = append(addresses, k.gatewayAddresses(ctx, settings)...)
	}
	return addresses, built
}

// gatewayAddresses are those of the user's Gateway. They are a help, so it is none of our business when it may not be
// read: it can be in any namespace.
func (k *Kind) gatewayAddresses(ctx context.Context, settings ingress.Settings) []string {
	parts := strings.Split(settings.Gateway, "/")
	if len(parts) < 2 {
		return nil
	}
	gateway := &gatewayv1.Gateway{}
	if err := k.Reader.Get(ctx, client.ObjectKey{Namespace: parts[0], Name: parts[1]}, gateway); err != nil {
		log.FromContext(ctx).V(1).Info("the Gateway was not read", "gateway", settings.Gateway, "error", err.Error())
		return nil
	}
	return ingress.Addresses(gateway)
}

// reportEntrance writes the condition IngressReady and the method in effect (rule NET-9): the one through which the
// cluster has been reached.
func reportEntrance(rec *v1.RedisEnterpriseCluster, run Run) {
	if run.Observed == nil || !run.Validated {
		return
	}
	e := run.Observed.Entrance
	rec.Status.IngressOrRouteMethodStatus = ""
	if !e.wanted() {
		meta.RemoveStatusCondition(&rec.Status.Conditions, v1.ConditionIngressReady)
		return
	}
	condition := metav1.Condition{Type: v1.ConditionIngressReady, Status: metav1.ConditionFalse, ObservedGeneration: rec.Generation}
	condition.Reason, condition.Message = e.words(run.EntranceProblem)
	if condition.Reason == v1.ReasonReached {
		condition.Status = metav1.ConditionTrue
		rec.Status.IngressOrRouteMethodStatus = string(e.Settings.Method)
	}
	meta.SetStatusCondition(&rec.Status.Conditions, condition)
}

// words say how far the way in is, and what to do.
func (e Entrance) words(problem *outcome.Waiting) (reason, message string) {
	switch {
	case len(e.Missing) > 0:
		return v1.ReasonKindNotServed, notServed(e)
	case problem != nil:
		return problem.Reason, problem.Message
	case !e.Built:
		return v1.ReasonWaiting, "the objects are being made"
	case e.Result.Finding == reach.NotYet:
		return v1.ReasonWaiting, e.Settings.APIHost + " has not been tried yet"
	}
	return reasons[e.Result.Finding], e.Result.Message
}

var reasons = map[reach.Finding]string{
	reach.Reached:     v1.ReasonReached,
	reach.Unresolved:  v1.ReasonHostUnresolved,
	reach.Unreachable: v1.ReasonHostUnreachable,
	reach.Foreign:     v1.ReasonForeignCertificate,
}

func notServed(e Entrance) string {
	var list []string
	for _, kind := range e.Missing {
		list = append(list, platform.KindName(kind))
	}
	return fmt.Sprintf("%s asks for method %s, and this Kubernetes does not serve %s; install it, which is noticed by itself, or choose another method",
		e.Settings.Path, e.Settings.Method, strings.Join(list, " and "))
}

// entranceEvents tell when the way in has opened, and when a person must do something about it.
func entranceEvents(before, rec *v1.RedisEnterpriseCluster) []kube.Event {
	was := meta.FindStatusCondition(before.Status.Conditions, v1.ConditionIngressReady)
	is := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionIngressReady)
	if is == nil || was != nil && was.Reason == is.Reason {
		return nil
	}
	switch is.Reason {
	case v1.ReasonWaiting:
		return nil
	case v1.ReasonReached:
		return []kube.Event{kube.Normal(names.EventIngressReady, "reached from outside by "+rec.Status.IngressOrRouteMethodStatus)}
	}
	return []kube.Event{kube.Warning(names.EventIngressNotReady, is.Message)}
}
