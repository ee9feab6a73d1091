package link

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// emulated is a cluster of three emulated nodes.
type emulated struct {
	nodes  map[string]*emulator.Node
	hosts  []string
	target Target
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		if ok && err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s did not happen; last error: %v", what, err)
		}
	}
}

func newEmulated(t *testing.T) *emulated {
	t.Helper()
	const fqdn = "rec.ns.svc.cluster.local"
	admin := rest.Credentials{Username: "admin@example.com", Password: "correct horse"}
	e := &emulated{nodes: map[string]*emulator.Node{}}
	for range 3 {
		host := freshHost(t)
		node, err := emulator.New(emulator.Config{Addr: host, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler),
			OperationDelay: 50 * time.Millisecond, FailureTimeout: time.Second})
		must(t, err)
		must(t, node.Launch(t.Context()))
		e.nodes[host] = node
		e.hosts = append(e.hosts, host)
		t.Cleanup(func() {
			if node := e.nodes[host]; node != nil {
				must(t, node.Kill())
			}
		})
	}
	local := rest.New(rest.Options{Addresses: func() []string { return e.hosts }, TrustLoopback: true, Credentials: func() rest.Credentials { return admin }})
	defer local.Close()
	account := &rest.BootstrapCredential{Username: admin.Username, Password: admin.Password}
	for i, host := range e.hosts {
		b := rest.Bootstrap{Action: rest.CreateCluster, Cluster: &rest.BootstrapCluster{Name: fqdn}, Credentials: account}
		if i > 0 {
			b.Action, b.Cluster = rest.JoinCluster, &rest.BootstrapCluster{Nodes: e.hosts[:1]}
		}
		must(t, local.At(host).StartBootstrap(t.Context(), b))
		until(t, "the node in the cluster", func(ctx context.Context) (bool, error) {
			nodes, err := local.ListNodes(ctx)
			return slices.ContainsFunc(nodes, func(n rest.Node) bool { return n.Addr == host && n.Status == rest.NodeActive }), err
		})
	}
	certs, err := local.GetCertificates(t.Context())
	must(t, err)
	e.target = Target{Addresses: e.hosts, ServerName: fqdn, CA: []byte(certs["api_cert"]), Credentials: admin}
	return e
}

func freshHost(t *testing.T) string {
	t.Helper()
	for range 100 {
		host := fmt.Sprintf("127.%d.%d.%d", 100+rand.IntN(20), rand.IntN(250), 1+rand.IntN(250))
		if l, err := net.Listen("tcp", host+":9443"); err == nil {
			must(t, l.Close())
			return host
		}
	}
	t.Fatal("no free loopback address")
	return ""
}

// TestALinkOutlivesTheLeader follows a database through its creation, and a cluster through the death of its leader.
func TestALinkOutlivesTheLeader(t *testing.T) {
	e := newEmulated(t)
	r := NewRegistry(Options{Busy: 100 * time.Millisecond, Idle: 500 * time.Millisecond})
	defer r.Close()
	var mu sync.Mutex
	var changed []string
	nodeChanges := 0
	defer r.Subscribe(func(c Change) {
		mu.Lock()
		defer mu.Unlock()
		changed = append(changed, c.Names...)
		if c.Nodes {
			nodeChanges++
		}
	})()
	l := r.Ensure(key, e.target)
	s, err := l.Observe(t.Context())
	must(t, err)
	if len(s.Nodes) != 3 || s.Master() == nil || s.Busy() || s.License == nil || s.StateID == 0 {
		t.Fatalf("%d nodes, master %v, busy %v", len(s.Nodes), s.Master(), s.Busy())
	}

	made, err := l.Client().CreateBDB(t.Context(), &rest.BDB{Name: rest.Ptr("followed"), MemorySize: rest.Ptr(rest.Int(100 << 20)), Replication: rest.Ptr(true)})
	must(t, err)
	s, err = l.Observe(t.Context())
	must(t, err)
	if s.BDB(*made.UID) == nil || s.BDBNamed("followed") == nil {
		t.Fatal("the own create is not in the next snapshot")
	}
	until(t, "an active database in the snapshot", func(context.Context) (bool, error) {
		b := l.Latest().BDB(*made.UID)
		return b != nil && rest.Value(b.Status) == rest.BDBActive && len(l.Latest().ShardsOf(*made.UID)) == 2, nil
	})
	until(t, "word of the database", func(context.Context) (bool, error) {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(changed, "followed"), nil
	})

	leader := l.Latest().Master()
	mu.Lock()
	nodeChanges = 0
	mu.Unlock()
	must(t, e.nodes[leader.Addr].Kill())
	delete(e.nodes, leader.Addr)
	died := time.Now()
	until(t, "another leader in the snapshot", func(context.Context) (bool, error) {
		s := l.Latest()
		m := s.Master()
		n := s.Node(leader.UID)
		return s.Up() && m != nil && m.UID != leader.UID && n != nil && n.Status == rest.NodeDown, nil
	})
	if took := time.Since(died); took > 20*time.Second {
		t.Errorf("that took %s", took)
	}
	until(t, "a write after the change of leader", func(ctx context.Context) (bool, error) {
		_, err := l.Client().UpdateBDB(ctx, *made.UID, &rest.BDB{EvictionPolicy: rest.Ptr("noeviction")})
		return err == nil, err
	})
	mu.Lock()
	defer mu.Unlock()
	if nodeChanges == 0 {
		t.Error("nobody was told of the nodes")
	}
}
