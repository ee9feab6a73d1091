package cluster

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	"github.com/open-redis-enterprise/operator/internal/board"
	"github.com/open-redis-enterprise/operator/internal/ingress"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/platform"
	"github.com/open-redis-enterprise/operator/internal/reach"
	"github.com/open-redis-enterprise/operator/internal/rest"

	corev1 "k8s.io/api/core/v1"
)

// supply is a Kubernetes that serves some of the optional kinds.
type supply struct {
	kinds   platform.Kinds
	awaited []schema.GroupVersionKind
}

func (o *supply) Kinds() platform.Kinds { return o.kinds }
func (o *supply) Await(_ string, kinds ...schema.GroupVersionKind) {
	o.awaited = kinds
}

const apiHost = "api-rec.example.com"

func way(method v1.ExposureMethod) func(*v1.RedisEnterpriseCluster) {
	return func(r *v1.RedisEnterpriseCluster) {
		r.Spec.IngressOrRouteSpec = &v1.IngressOrRouteSpec{Method: method, APIFQDNURL: apiHost, DBFQDNSuffix: "-db.example.com",
			IngressAnnotations: map[string]string{ingress.ClassAnnotation: "haproxy"}}
	}
}

// step runs once and gives the condition IngressReady.
func (b *bench) step() (*v1.RedisEnterpriseCluster, metav1.Condition) {
	b.t.Helper()
	rec, err := b.run()
	if err != nil {
		b.t.Fatal(err)
	}
	if !meta.IsStatusConditionTrue(rec.Status.Conditions, v1.ConditionReady) {
		b.t.Errorf("the cluster is not ready: %+v", rec.Status.Conditions)
	}
	if c := meta.FindStatusCondition(rec.Status.Conditions, v1.ConditionIngressReady); c != nil {
		return rec, *c
	}
	return rec, metav1.Condition{}
}

func (b *bench) absent(name string, into client.Object) {
	b.t.Helper()
	if err := b.get(name, into); !apierrors.IsNotFound(err) {
		b.t.Errorf("%T %s: %v", into, name, err)
	}
}

// outside is a network in which one name leads to a server with the cluster's certificate.
func (b *bench) outside() {
	b.t.Helper()
	server := httptest.NewTLSServer(nil)
	b.t.Cleanup(server.Close)
	server.TLS.MinVersion = tls.VersionTLS12
	notes := &corev1.ConfigMap{}
	if err := b.get("rec-bulletin-board", notes); err != nil {
		b.t.Fatal(err)
	}
	own := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	report, _ := board.Data(notes.Data).Report("rec-0")
	report.Certificate = own
	notes.Data[board.Key("rec-0")] = report.String()
	if err := b.client.Update(b.t.Context(), notes); err != nil {
		b.t.Fatal(err)
	}
	b.kind.Reach = reach.New(reach.Options{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != apiHost+":443" {
			return nil, &net.DNSError{Name: address, Err: "no such host"}
		}
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}})
	b.t.Cleanup(b.kind.Reach.Close)
}

func TestNET3_TheWayInFollowsTheMethod(t *testing.T) {
	b := running(t)
	served := &supply{kinds: platform.KindsOf(platform.Route)}
	b.kind.Offer = served
	b.outside()

	t.Run("NET-2 nothing is made for nobody", func(*testing.T) {
		if _, c := b.step(); c.Type != "" {
			t.Errorf("%+v", c)
		}
		b.absent("rec", &networkingv1.Ingress{})
	})
	t.Run("NET-4 an Ingress is made and the handshake is told of", func(*testing.T) {
		b.edit(way(v1.ExposureIngress))
		rec, c := b.step()
		if c.Status != metav1.ConditionFalse || c.Reason != v1.ReasonWaiting || rec.Status.IngressOrRouteMethodStatus != "" {
			t.Errorf("before anybody has looked: %+v, %q", c, rec.Status.IngressOrRouteMethodStatus)
		}
		object := &networkingv1.Ingress{}
		if err := b.get("rec", object); err != nil || !metav1.IsControlledBy(object, rec) || object.Labels[names.LabelCluster] != "rec" {
			t.Fatalf("%v, %+v", err, object)
		}
		b.reached("ingress")
	})
	t.Run("NET-6 another method leaves nothing behind", func(*testing.T) {
		b.databaseWay("orders")
		b.edit(way(v1.ExposureOpenShiftRoute))
		b.step()
		b.absent("rec", &networkingv1.Ingress{})
		b.absent("orders", &networkingv1.Ingress{})
		if err := b.get("rec", &routev1.Route{}); err != nil {
			t.Error(err)
		}
		b.reached("openShiftRoute")
	})
	t.Run("a kind that is not served is told and blocks nothing", func(*testing.T) {
		b.edit(way(v1.ExposureIstio))
		rec, c := b.step()
		if c.Status != metav1.ConditionFalse || c.Reason != v1.ReasonKindNotServed || !strings.Contains(c.Message, "VirtualService (networking.istio.io/v1)") {
			t.Errorf("%+v", c)
		}
		if rec.Status.IngressOrRouteMethodStatus != "" {
			t.Errorf("method %q", rec.Status.IngressOrRouteMethodStatus)
		}
		if !slices.Contains(served.awaited, platform.VirtualService) {
			t.Errorf("awaited: %v", served.awaited)
		}
		b.absent("rec", &routev1.Route{})
	})
	t.Run("no block, no way in", func(*testing.T) {
		b.edit(way(v1.ExposureOpenShiftRoute))
		b.step()
		b.reached("openShiftRoute")
		b.edit(func(r *v1.RedisEnterpriseCluster) { r.Spec.IngressOrRouteSpec = nil })
		rec, c := b.step()
		if c.Type != "" || rec.Status.IngressOrRouteMethodStatus != "" || len(served.awaited) > 0 {
			t.Errorf("%+v, %q, %v", c, rec.Status.IngressOrRouteMethodStatus, served.awaited)
		}
		b.absent("rec", &routev1.Route{})
	})
}

// reached waits for the method in the status, and for silence after it.
func (b *bench) reached(method string) {
	b.t.Helper()
	news := make(chan types.NamespacedName, 10)
	defer b.kind.Reach.Subscribe(func(key types.NamespacedName) { news <- key })()
	rec, c := b.step()
	if c.Reason == v1.ReasonWaiting { // it has not been looked yet, or not been read
		if rec, c = b.step(); c.Reason == v1.ReasonWaiting {
			<-news
			rec, c = b.step()
		}
	}
	if c.Status != metav1.ConditionTrue || c.Reason != v1.ReasonReached || rec.Status.IngressOrRouteMethodStatus != method {
		b.t.Errorf("%+v, %q", c, rec.Status.IngressOrRouteMethodStatus)
	}
	b.forget()
	b.step()
	if len(b.writes) > 0 {
		b.t.Errorf("NET-9 written at rest: %v", b.writes)
	}
}

// databaseWay makes what the services rigger would for a database.
func (b *bench) databaseWay(name string) {
	b.t.Helper()
	rec := &v1.RedisEnterpriseCluster{}
	if err := b.get("rec", rec); err != nil {
		b.t.Fatal(err)
	}
	settings := entranceOf(rec)
	entry := ingress.APIEntry(settings, rec)
	entry.Name, entry.Host, entry.Service = name, name+"-db.example.com", name
	writer := kube.Writer{Client: b.client, Manager: names.ManagerRigger}
	if _, err := writer.Apply(b.t.Context(), rec, ingress.Objects(settings, entry)); err != nil {
		b.t.Fatal(err)
	}
}

func TestNET3_AWayInThatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*v1.RedisEnterpriseCluster)
		says   string
	}{
		"NET-3 both blocks": {func(r *v1.RedisEnterpriseCluster) {
			r.Spec.ActiveActive = &v1.ActiveActive{Method: v1.ExposureIngress, APIIngressURL: apiHost, DBIngressSuffix: "-db.example.com"}
		}, "spec.activeActive"},
		"NET-3 a label that is too long": {func(r *v1.RedisEnterpriseCluster) {
			r.Spec.IngressOrRouteSpec.APIFQDNURL = strings.Repeat("a", 64) + ".example.com"
		}, "64 characters"},
		"NET-3 a suffix that is too long": {func(r *v1.RedisEnterpriseCluster) {
			r.Spec.IngressOrRouteSpec.DBFQDNSuffix = "-" + strings.Repeat("b", 63) + ".example.com"
		}, "spec.ingressOrRouteSpec.dbFqdnSuffix"},
		"NET-4 no class": {func(r *v1.RedisEnterpriseCluster) { r.Spec.IngressOrRouteSpec.IngressAnnotations = nil }, ingress.ClassAnnotation},
	} {
		t.Run(name, func(t *testing.T) {
			b := running(t)
			b.edit(way(v1.ExposureIngress))
			b.edit(c.change)
			rec, err := b.run()
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v", err)
			}
			if rec.Status.SpecStatus != v1.SpecInvalid || !strings.Contains(said(rec, v1.ConditionStalled), c.says) {
				t.Errorf("%s: %s", rec.Status.SpecStatus, said(rec, v1.ConditionStalled))
			}
			b.absent("rec", &networkingv1.Ingress{})
			if found := Validate(nil, rec); len(found) != 1 || found[0].Error() != said(rec, v1.ConditionStalled) {
				t.Errorf("admission says %v", found)
			}
		})
	}
}

// TestNET3_EveryNodeAnswersWhatComesFromOutside: what stands in between leads to each node in turn, and only the leader answers by itself.
func TestNET3_EveryNodeAnswersWhatComesFromOutside(t *testing.T) {
	wanted := Entrance{Settings: ingress.Settings{Method: ingress.Ingress}}
	reading := func(on bool) *link.Snapshot {
		return &link.Snapshot{Cluster: &rest.Cluster{HandleRedirects: &on}}
	}
	for _, c := range []struct {
		name string
		o    Observed
		want int
	}{
		{"switched on once there is a way in", Observed{Entrance: wanted, Snapshot: reading(false)}, 1},
		{"a cluster that does not tell is told", Observed{Entrance: wanted, Snapshot: &link.Snapshot{Cluster: &rest.Cluster{}}}, 1},
		{"it is on already", Observed{Entrance: wanted, Snapshot: reading(true)}, 0},
		{"nobody asked for a way in", Observed{Snapshot: reading(false)}, 0},
		{"and nothing is switched off", Observed{Snapshot: reading(true)}, 0},
		{"nothing is known of the cluster yet", Observed{Entrance: wanted, Snapshot: &link.Snapshot{}}, 0},
		{"it cannot be asked", Observed{Entrance: wanted}, 0},
	} {
		if got := carrySteps(&c.o); len(got) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	asked := &redirecting{}
	run := &Run{}
	if err := (carryOn{}).perform(t.Context(), &hands{api: asked, run: run}); err != nil || len(run.Set) != 1 {
		t.Errorf("%v, told %v", err, run.Set)
	}
	if asked.body == nil || !rest.Value(asked.body.HandleRedirects) {
		t.Errorf("asked for %+v", asked.body)
	}
}

// redirecting remembers what was asked of it.
type redirecting struct {
	API
	body *rest.Cluster
}

func (r *redirecting) UpdateCluster(_ context.Context, body *rest.Cluster) error {
	r.body = body
	return nil
}
