package integration

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/names"
)

// domain ends all host names of the outside world.
const domain = ".apps.example.com"

// abroad is the outside world: each participant's host names lead to its own router.
var abroad = &outside{routers: map[string]*router{}}

type outside struct {
	mu      sync.Mutex
	routers map[string]*router
}

func (o *outside) add(site string, r *router) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.routers[site] = r
}

// dial finds the router by the last part of the first label: api-east and orders-db-east are both at east.
func (o *outside) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	label, ours := strings.CutSuffix(host, domain)
	if !ours {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	o.mu.Lock()
	r := o.routers[label[strings.LastIndexByte(label, '-')+1:]]
	o.mu.Unlock()
	if r == nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}
	}
	return (&net.Dialer{}).DialContext(ctx, network, r.listener.Addr().String())
}

// region is a participant: a namespace with an operator, a cluster and a way in.
type region struct {
	*scene
	site string
}

// regions makes participants, each with an operator of its own.
func regions(t *testing.T, sites ...string) []*region {
	t.Helper()
	var out []*region
	for i, site := range sites {
		r := newRouter(t)
		abroad.add(site, r)
		var s *scene
		if i == 0 {
			s = newScene(t, func(s *scene) { s.dial = abroad.dial })
		} else {
			s = out[0].beside(site)
		}
		r.namespace = s.namespace
		out = append(out, &region{s, site})
	}
	for _, r := range out {
		rec := &appv1.RedisEnterpriseCluster{ObjectMeta: r.meta("rec"), Spec: appv1.RedisEnterpriseClusterSpec{Nodes: ptr.To[int32](3),
			IngressOrRouteSpec: &appv1.IngressOrRouteSpec{Method: appv1.ExposureIngress, APIFQDNURL: "api-" + r.site + domain,
				DBFQDNSuffix: "-db-" + r.site + domain, IngressAnnotations: map[string]string{"kubernetes.io/ingress.class": "haproxy"}}}}
		r.create(rec)
	}
	for _, r := range out {
		r.ready(&appv1.RedisEnterpriseCluster{ObjectMeta: r.meta("rec")}, limitCluster)
	}
	return out
}

// knows gives a region the credentials of the others, itself among them, as the user copies them.
func (r *region) knows(others ...*region) {
	r.t.Helper()
	for _, other := range others {
		var source corev1.Secret
		if err := world.Client.Get(r.t.Context(), other.key("rec"), &source); err != nil {
			r.t.Fatal(err)
		}
		r.create(&corev1.Secret{ObjectMeta: r.meta("redis-enterprise-" + other.site), Data: map[string][]byte{
			names.UsernameKey: source.Data[names.UsernameKey], names.PasswordKey: source.Data[names.PasswordKey]}})
	}
}

// describes makes the remote clusters, on one side only.
func (r *region) describes(others ...*region) {
	r.t.Helper()
	for _, other := range others {
		remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: r.meta(other.site), Spec: appv1alpha1.RedisEnterpriseRemoteClusterSpec{
			RECName: "rec", RECNamespace: other.namespace, APIFQDNURL: "api-" + other.site + domain,
			DBFQDNSuffix: "-db-" + other.site + domain, SecretName: "redis-enterprise-" + other.site}}
		r.create(remote)
	}
}

// global is the resource of a database in a region.
func (r *region) global(name string) *appv1alpha1.RedisEnterpriseActiveActiveDatabase {
	return &appv1alpha1.RedisEnterpriseActiveActiveDatabase{ObjectMeta: r.meta(name)}
}

// settled waits until a database is there and ready.
func (r *region) settled(name string) *appv1alpha1.RedisEnterpriseActiveActiveDatabase {
	r.t.Helper()
	db := r.global(name)
	r.ready(db, limitDatabase)
	return db
}

// gone waits until nothing is left of a database: resource, Services, Ingress, database.
func (r *region) gone(name string) {
	r.t.Helper()
	r.eventually(limitDatabase, "AA-25 nothing is left of "+name+" at "+r.site, func(ctx context.Context) string {
		for _, obj := range []client.Object{r.global(name), &corev1.Service{ObjectMeta: r.meta(name)}, &corev1.Service{ObjectMeta: r.meta(name + "-headless")},
			&networkingv1.Ingress{ObjectMeta: r.meta(name)}} {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
				return fmt.Sprintf("%T %v %v", obj, err, describeGlobal(obj))
			}
		}
		return ""
	})
}

func describeGlobal(obj client.Object) string {
	db, is := obj.(*appv1alpha1.RedisEnterpriseActiveActiveDatabase)
	if !is {
		return ""
	}
	return fmt.Sprintf("%+v %v", db.Status, db.Annotations[names.AnnotationTask])
}

// ask sends commands to the database as a client inside Kubernetes does, and returns the last answer.
func (r *region) ask(name, password string, commands ...string) (string, error) {
	way := &router{namespace: r.namespace, ctx: r.t.Context()}
	target, err := way.target(name + "-db-" + r.site + domain)
	if err != nil {
		return "", err
	}
	conn, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if password != "" {
		commands = append([]string{"AUTH " + password}, commands...)
	}
	reader, last := bufio.NewReader(conn), ""
	for _, command := range commands {
		if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
			return "", err
		}
		line, err := reader.ReadString('\n')
		if err == nil && strings.HasPrefix(line, "$") && line != "$-1\r\n" {
			line, err = reader.ReadString('\n')
		}
		if err != nil {
			return "", err
		}
		if last = strings.TrimSpace(line); strings.HasPrefix(last, "-") {
			return last, fmt.Errorf("%s: %s", strings.Fields(command)[0], last)
		}
	}
	return last, nil
}

// answers waits until a command is answered with a text.
func (r *region) answers(name, password, command, want string) {
	r.t.Helper()
	r.eventually(limitWord, command+" at "+r.site, func(context.Context) string {
		got, err := r.ask(name, password, command)
		if err != nil {
			return err.Error()
		}
		if got != want {
			return fmt.Sprintf("%q", got)
		}
		return ""
	})
}

// says waits until the spec of a database satisfies a condition.
func (r *region) says(name, what string, right func(*appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec) bool) {
	r.t.Helper()
	r.eventually(limitWord, what+" at "+r.site, func(ctx context.Context) string {
		db := r.global(name)
		if err := world.Client.Get(ctx, client.ObjectKeyFromObject(db), db); err != nil {
			return err.Error()
		}
		if !right(&db.Spec) {
			return fmt.Sprintf("%+v; %+v", db.Spec, db.Status)
		}
		return ""
	})
}

func participating(sites ...string) []appv1alpha1.ParticipatingCluster {
	var out []appv1alpha1.ParticipatingCluster
	for _, site := range sites {
		out = append(out, appv1alpha1.ParticipatingCluster{Name: site})
	}
	return out
}

// TestAA3_OneDatabaseOnTwoClusters applies a database on one side and lives with it on both.
func TestAA3_OneDatabaseOnTwoClusters(t *testing.T) {
	all := regions(t, "east", "west")
	east, west := all[0], all[1]
	for _, r := range all {
		r.knows(all...)
	}
	east.describes(all...)
	db := east.global("orders")
	db.Spec = appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{ParticipatingClusters: participating("east", "west"),
		GlobalConfigurations: &appv1alpha1.GlobalConfigurations{MemorySize: "100MB", ShardCount: ptr.To(1), Tags: map[string]string{"team": "shop"}}}
	east.create(db)

	here := east.settled("orders")
	there := west.settled("orders")
	t.Run("RERC-7 AA-22 AA-23 AA-24 both sides tell the same", func(t *testing.T) {
		for _, one := range []*appv1alpha1.RedisEnterpriseActiveActiveDatabase{here, there} {
			s := one.Status
			if s.Status != appv1alpha1.ActiveActiveActive || s.SpecStatus != appv1.SpecValid || s.ReplicationStatus != appv1alpha1.ReplicationUp ||
				s.GUID != here.Status.GUID || s.GUID == "" || len(s.ParticipatingClusters) != 2 || s.RedisEnterpriseCluster != "rec" ||
				!meta.IsStatusConditionTrue(s.Conditions, appv1alpha1.ConditionReplicating) {
				t.Errorf("%s: %+v", one.Namespace, s)
			}
			for _, p := range s.ParticipatingClusters {
				if p.ID == 0 || p.ReplicationStatus != appv1alpha1.ReplicationUp {
					t.Errorf("%+v", p)
				}
			}
		}
		if here.Status.LastTaskUID == "" || there.Annotations[names.AnnotationDiscovered] != here.Status.GUID {
			t.Errorf("%s, %v", here.Status.LastTaskUID, there.Annotations)
		}
	})
	t.Run("what is written on either side arrives on the other", func(*testing.T) {
		east.answers("orders", "", "SET a 1", "+OK")
		west.answers("orders", "", "GET a", "1")
		west.answers("orders", "", "SET b 2", "+OK")
		east.answers("orders", "", "GET b", "2")
	})
	t.Run("at rest nothing is written", func(*testing.T) {
		east.quietFor(3 * time.Second)
		west.quietFor(3 * time.Second)
	})
	t.Run("AA-9 an edit on either side reaches the other", func(*testing.T) {
		edit(west.scene, there, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.MemorySize = "200MB"
		})
		east.says("orders", "AA-9 memory", func(s *appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec) bool {
			return s.GlobalConfigurations.MemorySize == "200MB"
		})
		edit(east.scene, here, func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.GlobalConfigurations.Persistence = appv1alpha1.PersistenceAOFEverySecond
		})
		west.says("orders", "AA-9 persistence", func(s *appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec) bool {
			return s.GlobalConfigurations.Persistence == appv1alpha1.PersistenceAOFEverySecond && s.GlobalConfigurations.MemorySize == "200MB"
		})
		east.settled("orders")
		west.settled("orders")
	})
	t.Run("another operator goes on", func(*testing.T) {
		east.restart()
		east.settled("orders")
		east.quietFor(3 * time.Second)
	})
	t.Run("AA-25 deleted on one side, it is gone on both", func(*testing.T) {
		if err := world.Client.Delete(t.Context(), there); err != nil {
			t.Fatal(err)
		}
		west.gone("orders")
		east.gone("orders")
	})
}

// TestAA14_ParticipantsAndPasswords lets a third cluster join and one leave, and changes the password.
func TestAA14_ParticipantsAndPasswords(t *testing.T) {
	all := regions(t, "north", "south", "middle")
	north, south, middle := all[0], all[1], all[2]
	common := func(r *region, password string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: r.meta("common"), Data: map[string][]byte{names.PasswordKey: []byte(password)}}
	}
	for _, r := range all {
		r.knows(all...)
	}
	north.create(common(north, "first"))
	north.describes(all...)
	db := north.global("carts")
	db.Spec = appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec{ParticipatingClusters: participating("north", "south"),
		GlobalConfigurations: &appv1alpha1.GlobalConfigurations{DatabaseSecretName: "common"}}
	north.create(db)
	north.settled("carts")

	secretIs := func(r *region, want appv1.SpecStatus) {
		t.Helper()
		r.eventually(limitDatabase, fmt.Sprintf("AA-12 the Secret at %s is %s", r.site, want), func(ctx context.Context) string {
			db := r.global("carts")
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(db), db); err != nil {
				return err.Error()
			}
			if s := db.Status.SecretsStatus; len(s) != 1 || s[0].Status != want {
				return fmt.Sprintf("%+v", db.Status)
			}
			return ""
		})
	}
	t.Run("AA-12 a participant without the Secret says so, and one that gets it is ready", func(*testing.T) {
		secretIs(south, appv1.SpecInvalid)
		south.create(common(south, "first"))
		secretIs(south, appv1.SpecValid)
		south.settled("carts")
		north.answers("carts", "first", "SET a 1", "+OK")
		south.answers("carts", "first", "GET a", "1")
	})
	t.Run("AA-14 a third cluster joins", func(*testing.T) {
		middle.create(common(middle, "first"))
		edit(north.scene, north.global("carts"), func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.ParticipatingClusters = participating("north", "south", "middle")
		})
		for _, r := range all {
			r.says("carts", "AA-14 three participants", func(s *appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec) bool {
				return len(s.ParticipatingClusters) == 3
			})
			r.settled("carts")
		}
		middle.answers("carts", "first", "GET a", "1")
	})
	t.Run("AA-12 another password, beginning on one side", func(*testing.T) {
		for _, r := range []*region{middle, north, south} {
			edit(r.scene, common(r, ""), func(secret *corev1.Secret) { secret.Data[names.PasswordKey] = []byte("second") })
		}
		for _, r := range all {
			r.answers("carts", "second", "GET a", "1")
			secretIs(r, appv1.SpecValid)
			r.settled("carts")
		}
	})
	t.Run("AA-14 one leaves, and nothing of it stays", func(*testing.T) {
		edit(middle.scene, middle.global("carts"), func(db *appv1alpha1.RedisEnterpriseActiveActiveDatabase) {
			db.Spec.ParticipatingClusters = participating("north", "middle")
		})
		south.gone("carts")
		for _, r := range []*region{north, middle} {
			r.says("carts", "AA-14 two participants", func(s *appv1alpha1.RedisEnterpriseActiveActiveDatabaseSpec) bool {
				return len(s.ParticipatingClusters) == 2
			})
			r.settled("carts")
		}
		north.answers("carts", "second", "SET b 2", "+OK")
		middle.answers("carts", "second", "GET b", "2")
	})
	t.Run("a cluster with a part is not let go before it", func(t *testing.T) {
		rec := &appv1.RedisEnterpriseCluster{ObjectMeta: middle.meta("rec")}
		if err := world.Client.Delete(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		middle.eventually(limitWord, "REC waits for the database", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); err != nil {
				return err.Error()
			}
			if c := meta.FindStatusCondition(rec.Status.Conditions, appv1.ConditionReady); c == nil || !strings.Contains(c.Message, "carts") {
				return fmt.Sprint(c)
			}
			return ""
		})
		if err := world.Client.Delete(t.Context(), middle.global("carts")); err != nil {
			t.Fatal(err)
		}
		middle.gone("carts")
		// A namespace without pods of ours is not let go by the operator before its account is gone, so nothing may be left that waits for it.
		for _, r := range all {
			remote := &appv1alpha1.RedisEnterpriseRemoteCluster{ObjectMeta: middle.meta(r.site)}
			if err := world.Client.Delete(t.Context(), remote); err != nil {
				t.Fatal(err)
			}
			middle.eventually(limitWord, "remote cluster "+r.site+" is gone", func(ctx context.Context) string {
				if err := world.Client.Get(ctx, client.ObjectKeyFromObject(remote), remote); !apierrors.IsNotFound(err) {
					return fmt.Sprint(remote.Status.Conditions, err)
				}
				return ""
			})
		}
		middle.eventually(limitCluster, "REC is gone", func(ctx context.Context) string {
			if err := world.Client.Get(ctx, client.ObjectKeyFromObject(rec), rec); !apierrors.IsNotFound(err) {
				return fmt.Sprint(err)
			}
			return ""
		})
	})
}
