package proxy_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

const testGUID = "e58b4461-5a8d-4b17-8c1e-e7b5b2ad1f27"

// instance makes an endpoint that of instance id of three.
func instance(id int64) func(*proxy.Config) {
	return func(c *proxy.Config) {
		c.CRDT = &proxy.CRDT{GUID: testGUID, Instance: id, Peers: []int64{1, 2, 3}, Password: fmt.Sprintf("secret-%d", id)}
	}
}

// join makes instance own of an endpoint take in what the endpoint of a peer has, until the end of the test or a cut.
func join(t *testing.T, own *proxy.Endpoint, id int64, peer *proxy.Endpoint, peerID int64, secure *tls.Config) (l *crdb.Link, cut func()) {
	t.Helper()
	side := own.Side()
	l = crdb.NewLink(crdb.Peer{
		GUID: testGUID, Own: id, Address: peer.Addr().String(), Password: fmt.Sprintf("secret-%d", peerID), TLS: secure,
	}, side, func() {})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	cut = func() {
		cancel()
		wg.Wait()
		side.Close()
	}
	t.Cleanup(cut)
	return l, cut
}

// single is an unsharded instance.
func single(t *testing.T, id int64, change ...func(*proxy.Config)) (*proxy.Endpoint, *shard.Process) {
	t.Helper()
	p := startShard(t, nil)
	c := proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true, RESP3: true}
	for _, f := range append(change, instance(id)) {
		f(&c)
	}
	return listen(t, c, proxy.Options{}), p
}

func do(c *client, args ...string) string {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write(resp.AppendCommand(nil, args...)); err != nil {
		c.t.Errorf("%v: %v", args, err)
		return ""
	}
	v, err := c.ReadValue()
	if err != nil {
		c.t.Errorf("%v: %v", args, err)
	}
	return show(v)
}

// text is the answer as a user reads it.
func text(c *client, args ...string) string {
	v := do(c, args...)
	if v == "(nil)" {
		return ""
	}
	return strings.TrimPrefix(v, ":")
}

func wants(c *client, want string, args ...string) {
	c.t.Helper()
	if got := do(c, args...); got != want {
		c.t.Errorf("%v: got %s, want %s", args, got, want)
	}
}

func refused(c *client, why string, args ...string) {
	c.t.Helper()
	if got := do(c, args...); !strings.HasPrefix(got, "-") || !strings.Contains(got, why) {
		c.t.Errorf("%v: got %s, want an error with %q", args, got, why)
	}
}

func TestInstancesTakeInEachOthersChanges(t *testing.T) {
	a, _ := single(t, 1)
	b, _ := sharded(t, instance(2)) // the number of shards may differ
	join(t, a, 1, b, 2, nil)
	join(t, b, 2, a, 1, nil)
	ca, cb := dial(t, a.Addr().String()), dial(t, b.Addr().String())

	do(ca, "SET", "text", "of a")
	do(ca, "HSET", "hash", "field", "value")
	do(ca, "RPUSH", "list", "1", "2")
	do(cb, "SET", "other", "of b", "PX", "600000")
	do(ca, "MULTI")
	do(ca, "SET", "{tx}1", "x")
	do(ca, "INCRBY", "{tx}2", "40")
	wants(ca, "*[OK :40]", "EXEC")
	for i := range 300 {
		do(cb, "SET", fmt.Sprint("many-", i), "v")
	}
	eventually(t, "all of it is on both sides", func() bool {
		return text(ca, "DBSIZE") == text(cb, "DBSIZE") && text(ca, "DBSIZE") == "306" && text(ca, "GET", "other") == "of b" &&
			text(cb, "GET", "text") == "of a" && text(cb, "HGET", "hash", "field") == "value" && text(cb, "LLEN", "list") == "2" &&
			text(cb, "GET", "{tx}2") == "40"
	})
	if ttl := text(ca, "PTTL", "other"); len(ttl) != 6 {
		t.Errorf("the time to live that arrived is %s", ttl)
	}
	do(cb, "DEL", "text", "many-1", "many-2")
	eventually(t, "deletions arrive", func() bool { return text(ca, "EXISTS", "text", "many-1", "many-2") == "0" })
}

// TestACutLinkCatchesUp also has both sides write one key while they do not hear of each other.
func TestACutLinkCatchesUp(t *testing.T) {
	a, _ := single(t, 1)
	b, _ := single(t, 2)
	ca, cb := dial(t, a.Addr().String()), dial(t, b.Addr().String())
	for i := range 1200 { // more than one batch
		do(ca, "SET", fmt.Sprint("a-", i), "v")
		do(cb, "SET", fmt.Sprint("both-", i%50), fmt.Sprint("b", i))
		do(ca, "SET", fmt.Sprint("both-", i%50), fmt.Sprint("a", i))
	}
	do(cb, "SET", "both-0", "the last word")
	do(cb, "DEL", "both-1")
	do(ca, "DEL", "nothing") // changes nothing, so it is no change
	do(cb, "SET", "nothing", "something")
	_, cut := join(t, b, 2, a, 1, nil)
	eventually(t, "b has all of a", func() bool { return text(cb, "GET", "a-1199") == "v" })
	cut()
	do(ca, "SET", "while cut", "x")
	join(t, b, 2, a, 1, nil)
	join(t, a, 1, b, 2, nil)
	eventually(t, "both hold the same", func() bool {
		return text(ca, "DBSIZE") == text(cb, "DBSIZE") && text(cb, "GET", "while cut") == "x" && text(ca, "GET", "both-0") == "the last word" &&
			text(ca, "GET", "nothing") == "something"
	})
	for i := range 50 {
		key := fmt.Sprint("both-", i)
		if x, y := text(ca, "GET", key), text(cb, "GET", key); x != y || (x == "") != (i == 1) {
			t.Errorf("%s is %q and %q", key, x, y)
		}
	}
}

// TestConcurrentWritersConverge has three instances write the same keys while links come and go.
func TestConcurrentWritersConverge(t *testing.T) {
	ends := make([]*proxy.Endpoint, 3)
	for i := range ends {
		ends[i], _ = single(t, int64(i+1))
	}
	for i := range ends {
		for j := range ends {
			if i != j && i+j != 2 { // 1 and 3 hear of each other through 2
				join(t, ends[i], int64(i+1), ends[j], int64(j+1), nil)
			}
		}
	}
	var wg sync.WaitGroup
	for _, e := range ends {
		c := dial(t, e.Addr().String())
		wg.Go(func() {
			for n := range 400 {
				key := fmt.Sprint("k", rand.IntN(20))
				switch rand.IntN(4) {
				case 0:
					do(c, "DEL", key)
				case 1:
					do(c, "SET", key, fmt.Sprint(e.Addr(), n), "PX", "600000")
				default:
					do(c, "SET", key, fmt.Sprint(e.Addr(), n))
				}
			}
		})
	}
	wg.Wait()
	clients := []*client{dial(t, ends[0].Addr().String()), dial(t, ends[1].Addr().String()), dial(t, ends[2].Addr().String())}
	state := func(c *client) string {
		var out strings.Builder
		for i := range 20 {
			fmt.Fprintln(&out, text(c, "GET", fmt.Sprint("k", i)))
		}
		return out.String()
	}
	eventually(t, "all hold the same", func() bool {
		return state(clients[0]) == state(clients[1]) && state(clients[1]) == state(clients[2])
	})
}

// TestAnswersAreThoseOfTheCommand compares an instance with a database that is none.
func TestAnswersAreThoseOfTheCommand(t *testing.T) {
	a, _ := single(t, 1)
	plain, _ := unsharded(t)
	ca, cp := dial(t, a.Addr().String()), dial(t, plain.Addr().String())
	for _, line := range []string{
		"SET k v", "SET k w NX", "SET k w XX GET", "INCR k", "INCR n", "INCR n 1 2", "LPOP none", "RPUSH l 1 2 3", "LPOP l 2",
		"NOSUCH k", "SETRANGE k -1 x", "DEL k nothing", "HSET h a 1 b 2", "HDEL h c", "ZADD z 1.5 m", "ZINCRBY z 2 m", "XADD s 1-1 f v",
		"XADD s 1-1 f v", "EVAL \"return redis.call('SET',KEYS[1],ARGV[1])\" 1 e x", "EVAL \"return redis.error_reply('MY error')\" 1 e",
		"WATCH k", "SET k changed", "MULTI", "GET k", "EXEC", "WATCH k", "MULTI", "SET k in", "INCR k", "EXEC", "MULTI", "INCR", "EXEC",
		"MULTI", "GET k", "EXEC", "MSET a 1 b 2", "MGET a b c", "RENAME a a2", "RENAME none x", "SUNIONSTORE d none", "BLPOP l 1", "BLPOP none 0.05",
		"HELLO 3", "ZINCRBY z 2 m", "BLPOP none 0.05", "MULTI", "HGETALL h", "SET k v", "EXEC", "SET k w NX",
	} {
		if x, y := ca.ask(line), cp.ask(line); x != y && !strings.HasPrefix(line, "HELLO") {
			t.Errorf("%s: %s, and without Active-Active %s", line, x, y)
		}
	}
}

func TestBlockingCommandsOfAnInstance(t *testing.T) {
	a, _ := single(t, 1)
	b, _ := single(t, 2)
	join(t, a, 1, b, 2, nil)
	join(t, b, 2, a, 1, nil)
	ca, cb := dial(t, a.Addr().String()), dial(t, b.Addr().String())
	wants(ca, "(nil)", "BLPOP", "queue", "0.1")
	got := make(chan string)
	go func() { got <- text(ca, "BRPOPLPUSH", "queue", "done", "0") }()
	do(cb, "RPUSH", "queue", "from b")
	if v := <-got; v != "from b" {
		t.Errorf("it got %q", v)
	}
	eventually(t, "taking it arrives", func() bool { return text(cb, "LLEN", "done") == "1" && text(cb, "LLEN", "queue") == "0" })
}

func TestStrangersAskForChangesInVain(t *testing.T) {
	a, _ := single(t, 1)
	c := dial(t, a.Addr().String())
	refused(c, "unknown command", "CRDT.PULL", testGUID, "2")
	refused(c, "WRONGPASS", "AUTH", "admin", "guessed")
	do(c, "AUTH", "admin", "secret-1")
	refused(c, "NOPERM", "GET", "k")
	refused(c, "not a participant", "CRDT.PULL", testGUID, "9")
	refused(c, "not a participant", "CRDT.PULL", "another", "2")
	plain, _ := unsharded(t)
	c = dial(t, plain.Addr().String())
	refused(c, "unknown command", "CRDT.PULL", testGUID, "2")
	do(c, "FLUSHALL")
	c = dial(t, a.Addr().String())
	refused(c, "not supported in Active-Active", "FLUSHALL")
}

// TestAShardThatLostItsDataGetsItBack restarts one side empty.
func TestAShardThatLostItsDataGetsItBack(t *testing.T) {
	a, pa := single(t, 1)
	b, _ := single(t, 2)
	la, _ := join(t, a, 1, b, 2, nil)
	join(t, b, 2, a, 1, nil)
	ca, cb := dial(t, a.Addr().String()), dial(t, b.Addr().String())
	do(ca, "SET", "mine", "1")
	do(cb, "SET", "theirs", "2")
	eventually(t, "both are on both", func() bool { return text(ca, "DBSIZE") == "2" && text(cb, "DBSIZE") == "2" })
	pa.Kill()
	fresh := startShard(t, nil)
	c := proxy.Config{Backends: []proxy.Backend{backendOf(fresh)}, DefaultUser: true}
	c.Backends[0].Epoch = 2
	instance(1)(&c)
	if err := a.Update(c); err != nil {
		t.Fatal(err)
	}
	ca = dial(t, a.Addr().String())
	do(ca, "SET", "new", "3")
	eventually(t, "everything is back", func() bool { return text(ca, "DBSIZE") == "3" && text(cb, "DBSIZE") == "3" })
	eventually(t, "the link says so", func() bool { return la.State().Status == crdb.InSync })
	if s := la.State(); s.Received == 0 || s.Keys < 2 || time.Since(s.Updated) > 10*time.Second {
		t.Errorf("the link says %+v", s)
	}
}
