package activeactive

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	v1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
	"github.com/open-redis-enterprise/operator/internal/kube"
	"github.com/open-redis-enterprise/operator/internal/link"
	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	domain = ".apps.example.com"
	dbPort = 12000
)

var admin = rest.Credentials{Username: "admin@example.com", Password: "correct horse"}

// world is several participants, each with a Kubernetes of its own and an emulated cluster of one node.
type world struct {
	t     *testing.T
	mu    sync.Mutex
	nodes map[string]string // address of the node, by site
	cut   map[string]bool   // sites that nobody reaches from outside
	ports map[string]int    // of the database, by site, where it is not dbPort
	open  map[string][]net.Conn
}

// site is one participant.
type site struct {
	*world
	name   string
	client client.WithWatch
	links  *link.Registry
	kind   *Kind
	spoilt *faults.Set
	events []kube.Event
	writes int
	later  time.Duration // by how much the operator's clock is ahead
	home   string        // where the database is, if not beside the cluster
	// webhook is asked about what the operator writes into the database's spec; nil for none.
	webhook func(context.Context, client.Client, *v1alpha1.RedisEnterpriseActiveActiveDatabase) error
}

// newWorld makes participants that know each other's credentials. Only the first has remote clusters.
func newWorld(t *testing.T, sites ...string) (*world, []*site) {
	t.Helper()
	w := &world{t: t, nodes: map[string]string{}, cut: map[string]bool{}, open: map[string][]net.Conn{}}
	var out []*site
	for _, name := range sites {
		s := &site{world: w, name: name, spoilt: new(faults.Set)}
		s.start()
		out = append(out, s)
	}
	for _, s := range out {
		for _, other := range sites {
			s.make(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace(), Name: "redis-enterprise-" + other},
				Data: map[string][]byte{names.UsernameKey: []byte(admin.Username), names.PasswordKey: []byte(admin.Password)}})
		}
	}
	for _, other := range sites {
		out[0].make(&v1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: metav1.ObjectMeta{Namespace: out[0].namespace(), Name: other}, Spec: v1alpha1.RedisEnterpriseRemoteClusterSpec{
			RECName: "rec", RECNamespace: "ns-" + other, APIFQDNURL: "api-" + other + domain, DBFQDNSuffix: "-db-" + other + domain}})
	}
	return w, out
}

func (s *site) namespace() string { return "ns-" + s.name }
func (s *site) fqdn() string      { return names.FQDN("rec", s.namespace()) }

func (s *site) key() types.NamespacedName {
	return types.NamespacedName{Namespace: cmp.Or(s.home, s.namespace()), Name: "orders"}
}

// dial is the outside: the host names of a site lead to its node.
func (w *world) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if label, ours := strings.CutSuffix(host, domain); ours {
		name := label[strings.LastIndexByte(label, '-')+1:]
		w.mu.Lock()
		node, cut, own := w.nodes[name], w.cut[name], w.ports[name]
		w.mu.Unlock()
		if cut || node == "" {
			return nil, fmt.Errorf("no route to %s", host)
		}
		port := 9443
		if !strings.HasPrefix(label, "api-") {
			port = cmp.Or(own, dbPort)
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, fmt.Sprintf("%s:%d", node, port))
		if err == nil {
			w.mu.Lock()
			w.open[name] = append(w.open[name], conn)
			w.mu.Unlock()
		}
		return conn, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// severed makes a site unreachable from outside, or heals that.
func (w *world) severed(name string, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut[name] = cut
	for _, conn := range w.open[name] {
		_ = conn.Close() // it may be closed already
	}
	w.open[name] = nil
}

func freshHost(t *testing.T) string {
	t.Helper()
	for range 200 {
		host := fmt.Sprintf("127.%d.%d.%d", 160+rand.IntN(30), rand.IntN(250), 1+rand.IntN(250))
		l, err := net.Listen("tcp", host+":9443")
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return host
	}
	t.Fatal("no free loopback address")
	return ""
}

// start forms the cluster of a site and makes its Kubernetes.
func (s *site) start() {
	t := s.t
	t.Helper()
	host := freshHost(t)
	node, err := emulator.New(emulator.Config{Addr: host, Dir: t.TempDir(), Faults: s.spoilt, OperationDelay: 10 * time.Millisecond, PeerPatience: time.Second, Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Kill(); err != nil {
			t.Error(err)
		}
	})
	if err := node.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.nodes[s.name] = host
	local := rest.New(rest.Options{Addresses: func() []string { return []string{host} }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	defer local.Close()
	account := &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}
	if err := local.At(host).StartBootstrap(t.Context(), rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: s.fqdn()}, Credentials: account}); err != nil {
		t.Fatal(err)
	}
	var certs map[string]string
	s.until("the cluster of "+s.name, func() (string, bool) {
		certs, err = local.At(host).GetCertificates(t.Context())
		return fmt.Sprint(err), err == nil && certs["api_cert"] != ""
	})
	s.links = link.NewRegistry(link.Options{Busy: 50 * time.Millisecond, Idle: 100 * time.Millisecond})
	t.Cleanup(s.links.Close)
	s.links.Ensure(types.NamespacedName{Namespace: s.namespace(), Name: "rec"}, link.Target{Addresses: []string{host}, ServerName: s.fqdn(), CA: []byte(certs["api_cert"]), Credentials: admin})
	s.kubernetes()
}

func (s *site) kubernetes() {
	count := func() { s.writes++ }
	s.client = fake.NewClientBuilder().WithScheme(schemeOf(s.t)).WithObjects(s.cluster()).
		WithStatusSubresource(&v1alpha1.RedisEnterpriseActiveActiveDatabase{}, &v1alpha1.RedisEnterpriseRemoteCluster{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
				if o.GetUID() == "" {
					o.SetUID(types.UID(fmt.Sprint("uid-", s.name, "-", o.GetName(), "-", s.writes)))
				}
				o.SetGeneration(1)
				count()
				if remote, is := o.(*v1alpha1.RedisEnterpriseRemoteCluster); is {
					remote.Status.Status = v1alpha1.RemoteClusterActive
				}
				return c.Create(ctx, o, opts...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
				count()
				if db, is := o.(*v1alpha1.RedisEnterpriseActiveActiveDatabase); is && s.webhook != nil {
					if err := s.webhook(ctx, c, db); err != nil {
						return err
					}
				}
				return c.Patch(ctx, o, p, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
				count()
				return c.SubResource(sub).Patch(ctx, o, p, opts...)
			},
		}).Build()
	s.operator()
}

// reviewed asks the webhook, which passes what leaves spec and settings as they are, and answers as the API server does.
func (s *site) reviewed(ctx context.Context, c client.Client, db *v1alpha1.RedisEnterpriseActiveActiveDatabase) error {
	old := &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
	if err := c.Get(ctx, client.ObjectKeyFromObject(db), old); err != nil || equality.Semantic.DeepEqual(old.Spec, db.Spec) {
		return err
	}
	verdict := Reviewer{Cached: c, Live: c, Links: s.links, Namespace: s.namespace()}.review(ctx, old, db)
	if len(verdict.Denials) == 0 {
		return nil
	}
	return denied(strings.Join(verdict.Denials, "; "))
}

func denied(why string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusUnprocessableEntity, Reason: metav1.StatusReasonInvalid, Message: why}}
}

// operator starts another one, which remembers nothing.
func (s *site) operator() {
	pulse := NewPulse(nil)
	s.t.Cleanup(pulse.Close)
	s.kind = &Kind{Client: s.client, Live: s.client, Links: s.links, Pulse: pulse, Namespace: s.namespace(), Now: func() time.Time { return time.Now().Add(s.later) }}
}

func (s *site) cluster() *appv1.RedisEnterpriseCluster {
	rec := &appv1.RedisEnterpriseCluster{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace(), Name: "rec", UID: "rec-uid"}}
	rec.Spec.IngressOrRouteSpec = &appv1.IngressOrRouteSpec{Method: appv1.ExposureOpenShiftRoute, APIFQDNURL: "api-" + s.name + domain, DBFQDNSuffix: "-db-" + s.name + domain}
	rec.Status.State = appv1.ClusterRunning
	rec.Status.Conditions = []metav1.Condition{{Type: appv1.ConditionBootstrapComplete, Status: metav1.ConditionTrue, Reason: appv1.ReasonBootstrapped}}
	return rec
}

func schemeOf(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, appv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *site) make(obj client.Object) {
	s.t.Helper()
	if err := s.client.Create(s.t.Context(), obj); err != nil {
		s.t.Fatal(err)
	}
}

// until passes time until a condition holds.
func (w *world) until(what string, ok func() (string, bool)) {
	w.t.Helper()
	last := ""
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var done bool
		if last, done = ok(); done {
			return
		}
	}
	w.t.Fatalf("never: %s: %s", what, last)
}

// db reads the resource; nil when there is none.
func (s *site) db() *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	s.t.Helper()
	db := &v1alpha1.RedisEnterpriseActiveActiveDatabase{}
	err := s.client.Get(s.t.Context(), s.key(), db)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return db
}

// pass does what the controller does, once.
func (s *site) pass() error {
	s.t.Helper()
	db := s.db()
	if db == nil {
		return s.kind.Discover(s.t.Context(), s.key())
	}
	run, err := s.kind.Run(s.t.Context(), db)
	if apierrors.IsConflict(err) {
		return err
	}
	before := db.DeepCopy()
	s.events = append(s.events, s.kind.Report(before, db, run, err, s.kind.now())...)
	if _, perr := kube.PatchStatus(s.t.Context(), s.client, before, db); perr != nil && !apierrors.IsConflict(perr) && !apierrors.IsNotFound(perr) {
		s.t.Fatal(perr)
	}
	return err
}

// edit changes the resource the way a user does.
func (s *site) edit(change func(*v1alpha1.RedisEnterpriseActiveActiveDatabase)) {
	s.t.Helper()
	db := s.db()
	change(db)
	db.Generation++
	if err := s.client.Update(s.t.Context(), db); err != nil {
		s.t.Fatal(err)
	}
}

// together passes at all sites until what is asked holds at each of them.
func together(what string, sites []*site, ok func(s *site, end error) (string, bool)) {
	sites[0].t.Helper()
	sites[0].until(what, func() (string, bool) {
		all, texts := true, []string{}
		for _, s := range sites {
			end := s.pass()
			text, done := ok(s, end)
			all = all && done
			texts = append(texts, fmt.Sprintf("%s: %s (%v)", s.name, text, end))
		}
		return strings.Join(texts, "\n"), all
	})
}

// settled passes until every site is done.
func settled(sites ...*site) {
	sites[0].t.Helper()
	together("all are ready", sites, func(s *site, end error) (string, bool) {
		db := s.db()
		if db == nil {
			return "no resource", false
		}
		return fmt.Sprintf("%s %s", db.Status.Status, db.Annotations[names.AnnotationTask]), end == nil
	})
}

// crdb is the common configuration as the cluster of a site has it.
func (s *site) crdb() *rest.CRDB {
	s.t.Helper()
	list, err := s.api().ListCRDBs(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func (s *site) api() *rest.Client {
	return s.links.Get(types.NamespacedName{Namespace: s.namespace(), Name: "rec"}).Client()
}

// told looks for an event.
func (s *site) told(reason, text string) bool {
	for _, e := range s.events {
		if e.Reason == reason && strings.Contains(e.Message, text) {
			return true
		}
	}
	return false
}

// orders is the resource that most tests begin with.
func (s *site) orders(global *v1alpha1.GlobalConfigurations, participants ...string) *v1alpha1.RedisEnterpriseActiveActiveDatabase {
	db := &v1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: metav1.ObjectMeta{Namespace: s.key().Namespace, Name: "orders"}}
	if global == nil {
		global = &v1alpha1.GlobalConfigurations{}
	}
	global.DatabasePort = rest.Ptr(dbPort)
	db.Spec.GlobalConfigurations = global
	for _, p := range participants {
		db.Spec.ParticipatingClusters = append(db.Spec.ParticipatingClusters, v1alpha1.ParticipatingCluster{Name: p})
	}
	return db
}
