package discovery_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/discovery"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type source struct {
	mu        sync.Mutex
	databases []discovery.Database
}

func (s *source) Databases() []discovery.Database {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]discovery.Database(nil), s.databases...)
}

func (s *source) Peers() []discovery.Address {
	return []discovery.Address{{Host: "127.0.0.9", Port: 8001}}
}

func (s *source) set(dbs ...discovery.Database) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.databases = dbs
}

func listen(t *testing.T, s *source) *discovery.Server {
	t.Helper()
	d, err := discovery.Listen("127.0.0.1:0", s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func sentinel(t *testing.T, d *discovery.Server) *redis.SentinelClient {
	t.Helper()
	c := redis.NewSentinelClient(&redis.Options{
		Addr: d.Addr().String(), MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestNamesBecomeAddresses(t *testing.T) {
	s := &source{}
	s.set(discovery.Database{
		Name: "db", External: discovery.Address{Host: "1.2.3.4", Port: 12000}, Internal: discovery.Address{Host: "10.0.0.1", Port: 12001},
	}, discovery.Database{Name: "homeless"})
	c := sentinel(t, listen(t, s))
	ctx := t.Context()
	for name, want := range map[string]string{"db": "1.2.3.4:12000", "db@internal": "10.0.0.1:12001"} {
		got, err := c.GetMasterAddrByName(ctx, name).Result()
		if err != nil || net.JoinHostPort(got[0], got[1]) != want {
			t.Errorf("%s: %v %v, want %s", name, got, err, want)
		}
	}
	for _, name := range []string{"nope", "homeless", "homeless@internal"} {
		if got, err := c.GetMasterAddrByName(ctx, name).Result(); !errors.Is(err, redis.Nil) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	masters, err := c.Masters(ctx).Result()
	if err != nil || len(masters) != 2 {
		t.Errorf("masters: %v %v", masters, err)
	}
	master, err := c.Master(ctx, "db").Result()
	if err != nil || master["ip"] != "1.2.3.4" || master["port"] != "12000" || master["flags"] != "master" {
		t.Errorf("master: %v %v", master, err)
	}
	peers, err := c.Sentinels(ctx, "db").Result()
	if err != nil || len(peers) != 1 || peers[0]["ip"] != "127.0.0.9" {
		t.Errorf("sentinels: %v %v", peers, err)
	}
	replicas, err := c.Replicas(ctx, "db").Result()
	if err != nil || len(replicas) != 0 {
		t.Errorf("replicas: %v %v", replicas, err)
	}
	if err := c.Ping(ctx).Err(); err != nil {
		t.Error(err)
	}
}

func TestAMoveIsAnnounced(t *testing.T) {
	s := &source{}
	at := func(port int) discovery.Database {
		return discovery.Database{Name: "db", External: discovery.Address{Host: "h", Port: port}}
	}
	s.set(at(1))
	c := sentinel(t, listen(t, s))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	sub := c.Subscribe(ctx, "+switch-master")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	s.set(at(0)) // nowhere for a moment
	s.set(at(2))
	m, err := sub.ReceiveMessage(ctx)
	if err != nil || m.Payload != "db h 1 h 2" {
		t.Errorf("%v %v", m, err)
	}
}

// TestAClientFindsItsDatabase goes the whole way with a public client.
func TestAClientFindsItsDatabase(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p, err := shard.Start(ctx, shard.Config{Dir: t.TempDir(), Address: shard.Address{Host: "127.0.0.1", Port: port}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Kill()
	e, err := proxy.Listen("127.0.0.1:0", proxy.Config{
		Backends: []proxy.Backend{{ID: "1", Addr: p.Address().String()}}, DefaultUser: true, RESP3: true,
	}, proxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	host, portText, _ := net.SplitHostPort(e.Addr().String())
	n, _ := strconv.Atoi(portText)
	s := &source{}
	s.set(discovery.Database{Name: "db", External: discovery.Address{Host: host, Port: n}})
	d := listen(t, s)
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "db", SentinelAddrs: []string{d.Addr().String()}})
	defer func() { _ = rdb.Close() }()
	if err := rdb.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := rdb.Get(ctx, "k").Result(); err != nil || got != "v" {
		t.Errorf("%q %v", got, err)
	}
}
