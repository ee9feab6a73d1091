package proxy_test

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
)

// Three keys on three shards: foo has slot 12182, bar 5061, hello 866... the test checks what it assumes.
const (
	keyA = "hello" // 866
	keyB = "d"     // 11298
	keyC = "a"     // 15495
)

func TestSlot(t *testing.T) {
	for key, want := range map[string]int{
		"123456789": 12739, "foo": 12182, "{foo}bar": 12182, "x{foo}": 12182, "{}foo": 9500, "foo{}{bar}": 8363,
		"foo{{bar}}zap": 4015, "": 0, keyA: 866, keyC: 15495,
	} {
		if got := proxy.Slot([]byte(key)); got != want {
			t.Errorf("slot of %q: %d, want %d", key, got, want)
		}
	}
}

func TestCommandsOverSeveralShards(t *testing.T) {
	e, shards := sharded(t)
	c := dial(t, e.Addr().String())
	const cross = "-CROSSSLOT Keys in request don't hash to the same slot"
	steps := []struct{ line, want string }{
		{"MSET hello 1 foo 2 bar 3 a 4", "OK"},
		{"MGET a nope bar foo hello", "*[4 (nil) 3 2 1]"},
		{"EXISTS hello foo bar a nope a", ":5"},
		{"TOUCH hello foo nope", ":2"},
		{"DBSIZE", ":4"},
		{"DEL hello a", ":2"},
		{"UNLINK foo bar nope", ":2"},
		{"DBSIZE", ":0"},
		{"MSETNX hello 1 foo 2", cross},
		{"RENAME hello foo", cross},
		{"SINTER hello foo", cross},
		{"SUNIONSTORE hello foo bar", cross},
		{"PFCOUNT hello foo", cross},
		{"ZUNION 2 hello foo", cross},
		{"XREAD STREAMS hello foo 0 0", cross},
		{"BLPOP hello foo 1", cross},
		{"WATCH hello foo", cross},
		{"EVAL \"return 1\" 2 hello foo", cross},
		{"SORT hello STORE foo", cross},
		{"MSET {t}a 1 {t}b 2", "OK"},
		{"RENAME {t}a {t}c", "OK"},
		{"EVAL \"return redis.call('MGET', KEYS[1], KEYS[2])\" 2 {t}b {t}c", "*[2 1]"},
		{"EVAL \"return 7\" 0", ":7"},
		{"SET hello x", "OK"}, {"LPUSH foo x", ":1"},
		{"MGET hello foo", "*[x (nil)]"},
		{"MSET hello", "-ERR wrong number of arguments for 'mset' command"},
		{"MSET hello 1 foo", "-ERR wrong number of arguments for 'mset' command"},
		{"MGET", "-ERR wrong number of arguments for 'mget' command"},
		{"SCRIPT LOAD \"return ARGV[1]\"", "098e0f0d1448c0a81dafe820f66d460eb09263da"},
		{"EVALSHA 098e0f0d1448c0a81dafe820f66d460eb09263da 1 hello x", "x"},
		{"EVALSHA 098e0f0d1448c0a81dafe820f66d460eb09263da 1 a y", "y"},
		{"SCRIPT EXISTS 098e0f0d1448c0a81dafe820f66d460eb09263da ffff", "*[:1 :0]"},
		{"SCRIPT FLUSH", "OK"},
		{"FLUSHALL", "OK"},
		{"DBSIZE", ":0"},
		{"RANDOMKEY", "(nil)"},
		{"SET a 1", "OK"},
		{"RANDOMKEY", "a"},
		{"XREAD STREAMS x", "-ERR wrong number of arguments for 'xread' command"},
		{"NOSUCH a b", "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' "},
	}
	for _, s := range steps {
		expect(t, c, s.line, s.want)
	}
	t.Run("each key is on its own shard", func(t *testing.T) {
		for i, key := range []string{keyA, "", keyC} {
			if key == "" {
				continue
			}
			c.ask("SET " + key + " here")
			v, err := shards[i].Do(testContext(t), "GET", key)
			if err != nil || v.String() != "here" {
				t.Errorf("%s is not on shard %d: %v %v", key, i, v, err)
			}
		}
	})
	t.Run("a scan visits every key once", func(t *testing.T) {
		var want []string
		c.ask("FLUSHALL")
		for i := range 500 {
			want = append(want, fmt.Sprintf("k%d", i))
			c.ask(fmt.Sprintf("SET k%d v", i))
		}
		var got []string
		for cursor := "0"; ; {
			v, err := c.Do(testContext(t), "SCAN", cursor, "COUNT", "50")
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range v.Elems[1].Elems {
				got = append(got, k.String())
			}
			if cursor = v.Elems[0].String(); cursor == "0" {
				break
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%d keys, want %d", len(got), len(want))
		}
		v, _ := c.Do(testContext(t), "KEYS", "*")
		if len(v.Elems) != 500 {
			t.Errorf("KEYS gave %d", len(v.Elems))
		}
		if info := c.ask("INFO keyspace"); !strings.Contains(info, "db0:keys=500,") {
			t.Errorf("INFO keyspace: %s", info)
		}
	})
}

func TestTransactionsOverSeveralShards(t *testing.T) {
	e, _ := sharded(t)
	c := dial(t, e.Addr().String())
	for _, s := range []struct{ line, want string }{
		{"MULTI", "OK"}, {"SET {t}a 1", "QUEUED"}, {"PING", "QUEUED"}, {"INCR {t}a", "QUEUED"}, {"EXEC", "*[OK PONG :2]"},
		{"MULTI", "OK"}, {"SET hello 1", "QUEUED"}, {"SET foo 1", "-CROSSSLOT Keys in request don't hash to the same slot"},
		{"EXEC", "-EXECABORT Transaction discarded because of previous errors."},
		{"EXISTS hello foo", ":0"},
		{"WATCH a", "OK"}, {"SET a 5", "OK"}, {"MULTI", "OK"}, {"INCR a", "QUEUED"}, {"EXEC", "(nil)"},
		{"WATCH a", "OK"}, {"MULTI", "OK"}, {"INCR a", "QUEUED"}, {"EXEC", "*[:6]"},
		{"WATCH a", "OK"}, {"WATCH hello", "-CROSSSLOT Keys in request don't hash to the same slot"}, {"UNWATCH", "OK"},
		{"WATCH a", "OK"}, {"MULTI", "OK"}, {"SET hello 1", "QUEUED"},
		{"EXEC", "-CROSSSLOT Keys in request don't hash to the same slot"},
	} {
		expect(t, c, s.line, s.want)
	}
}

func TestHashRules(t *testing.T) {
	e, _ := sharded(t, func(c *proxy.Config) { c.HashRules = []string{`user:(?<tag>\d+):.*`, `(?<tag>.*)`} })
	c := dial(t, e.Addr().String())
	expect(t, c, "MSETNX user:17:name n user:17:mail m", ":1")
	expect(t, c, "RENAME user:17:name user:18:name", "-CROSSSLOT Keys in request don't hash to the same slot")
	if _, err := proxy.Listen("127.0.0.1:0", proxy.Config{HashRules: []string{"("}}, proxy.Options{}); err == nil {
		t.Error("a rule that is no regular expression was taken")
	}
}

func TestOSSClusterAPI(t *testing.T) {
	e, _ := sharded(t, func(c *proxy.Config) {
		c.OSSCluster = true
		c.Nodes = []proxy.Node{
			{Host: "10.0.0.1", Port: 10001, Slots: []proxy.SlotRange{{0, 5460}}, Self: true},
			{Host: "10.0.0.2", Port: 10001, Slots: []proxy.SlotRange{{5461, 16383}}},
		}
	})
	c := dial(t, e.Addr().String())
	expect(t, c, "SET hello 1", "OK")
	expect(t, c, "SET foo 1", "-MOVED 12182 10.0.0.2:10001")
	expect(t, c, "MGET hello foo", "-CROSSSLOT Keys in request don't hash to the same slot")
	expect(t, c, "DBSIZE", ":1")
	expect(t, c, "CLUSTER KEYSLOT foo", ":12182")
	id := c.ask("CLUSTER MYID")
	if len(id) != 40 {
		t.Errorf("id %q", id)
	}
	if got := c.ask("CLUSTER SLOTS"); !strings.HasPrefix(got, "*[*[:0 :5460 *[10.0.0.1 :10001 "+id+"]] *[:5461 :16383 ") {
		t.Errorf("CLUSTER SLOTS: %s", got)
	}
	if got := c.ask("CLUSTER NODES"); !strings.HasPrefix(got, id+" 10.0.0.1:10001@10001 myself,master - 0 0 1 connected 0-5460\n") {
		t.Errorf("CLUSTER NODES: %s", got)
	}
	if got := c.ask("CLUSTER INFO"); !strings.Contains(got, "cluster_state:ok") {
		t.Errorf("CLUSTER INFO: %s", got)
	}
	if got := c.ask("CLUSTER SHARDS"); !strings.Contains(got, "*[slots *[:0 :5460] nodes *[*[id "+id) {
		t.Errorf("CLUSTER SHARDS: %s", got)
	}
}

// TestNET14_TopologyByNetwork: the topology and redirections name nodes as the client's network reaches them.
func TestNET14_TopologyByNetwork(t *testing.T) {
	e, _ := sharded(t, func(c *proxy.Config) {
		c.OSSCluster = true
		inside := func(host string) []proxy.HostFor {
			return []proxy.HostFor{
				{Network: netip.MustParsePrefix("0.0.0.0/0"), Host: "everywhere"},
				{Network: netip.MustParsePrefix("127.9.0.0/16"), Host: host},
			}
		}
		c.Nodes = []proxy.Node{
			{Host: "203.0.113.1", Hosts: inside("10.0.0.1")[1:], Port: 10001, Slots: []proxy.SlotRange{{0, 5460}}, Self: true},
			{Host: "203.0.113.2", Hosts: inside("10.0.0.2"), Port: 10001, Slots: []proxy.SlotRange{{5461, 16383}}},
		}
	})
	in, out := dialFrom(t, "127.9.1.1", e.Addr().String()), dialFrom(t, "127.8.1.1", e.Addr().String())
	expect(t, out, "SET foo 1", "-MOVED 12182 everywhere:10001")
	expect(t, in, "SET foo 1", "-MOVED 12182 10.0.0.2:10001")
	expect(t, in, "MULTI", "OK")
	expect(t, in, "SET foo 1", "QUEUED")
	expect(t, in, "EXEC", "-MOVED 12182 10.0.0.2:10001")
	for c, host := range map[*client]string{in: "10.0.0.1", out: "203.0.113.1"} {
		for _, ask := range []string{"CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES"} {
			if got := c.ask(ask); !strings.Contains(got, host) {
				t.Errorf("%s for a client that knows the node as %s: %s", ask, host, got)
			}
		}
	}
	if a, b := in.ask("CLUSTER MYID"), out.ask("CLUSTER MYID"); a != b {
		t.Errorf("one node is %s and %s", a, b)
	}
}

func TestRefusedCommands(t *testing.T) {
	e, _ := unsharded(t)
	c := dial(t, e.Addr().String())
	for _, line := range []string{
		"REPLICAOF no one", "SLAVEOF a 1", "SHUTDOWN", "DEBUG SLEEP 0", "BGSAVE", "BGREWRITEAOF", "SAVE", "LASTSAVE", "ROLE",
		"CLUSTER SLOTS", "CLUSTER INFO", "CONFIG RESETSTAT", "CONFIG REWRITE", "MIGRATE h 1 k 0 1", "MOVE k 1", "SWAPDB 0 1", "PSYNC ? -1", "SYNC",
		"REPLCONF a b", "FAILOVER", "MODULE LIST", "LATENCY DOCTOR", "MEMORY PURGE", "MEMORY DOCTOR", "CLIENT PAUSE 10", "CLIENT NO-EVICT on", "ACL SETUSER x",
		"ACL GETUSER default", "ACL LIST", "RESET", "MONITOR", "SCRIPT DEBUG YES",
	} {
		expect(t, c, line, "-ERR command is not allowed")
	}
	for line, want := range map[string]string{
		"CONFIG SET maxmemory 1":                   "-ERR Unsupported CONFIG parameter: maxmemory",
		"CONFIG GET requirepass":                   "-ERR Unsupported CONFIG parameter: requirepass",
		"CONFIG GET *":                             "-ERR Unsupported CONFIG parameter: *",
		"CONFIG GET list-max-listpack-size":        "*[list-max-listpack-size -2]",
		"CONFIG SET hash-max-listpack-entries 100": "OK",
		"SELECT 1":           "-ERR DB index is out of range",
		"ACL WHOAMI":         "default",
		"CLIENT TRACKING ON": "-ERR client tracking is not supported by this endpoint",
		"READONLY":           "-ERR This instance has cluster support disabled",
	} {
		expect(t, c, line, want)
	}
	info := c.ask("INFO")
	for _, bad := range []string{"slave0:", "role:slave", "config_file:/"} {
		if strings.Contains(info, bad) {
			t.Errorf("INFO shows %q", bad)
		}
	}
	if !strings.Contains(info, "\r\nrole:master\r\n") {
		t.Error("INFO does not say role:master")
	}
}

func TestClients(t *testing.T) {
	e, _ := unsharded(t)
	a, b := dial(t, e.Addr().String()), dial(t, e.Addr().String())
	id := a.ask("CLIENT ID")
	a.ask("CLIENT SETNAME first")
	a.ask("CLIENT SETINFO LIB-NAME lib")
	if got := b.ask("CLIENT LIST"); !strings.Contains(got, "name=first") || !strings.Contains(got, "lib-name=lib") ||
		strings.Count(got, "\n") != 2 {
		t.Errorf("CLIENT LIST: %s", got)
	}
	if got := b.ask("CLIENT LIST ID " + id[1:]); strings.Count(got, "\n") != 1 {
		t.Errorf("CLIENT LIST ID: %s", got)
	}
	if got := a.ask("CLIENT INFO"); !strings.HasPrefix(got, "id="+id[1:]+" ") {
		t.Errorf("CLIENT INFO: %s", got)
	}
	expect(t, b, "CLIENT KILL ID "+id[1:], ":1")
	if _, err := a.try("PING"); err == nil {
		t.Error("a killed client is still answered")
	}
	expect(t, b, "CLIENT KILL 1.2.3.4:5", "-ERR No such client")
	// Nothing is answered while replies are off; a skipped one is missing.
	if _, err := b.Write([]byte("CLIENT REPLY OFF\r\nSET q 1\r\nPING\r\nCLIENT REPLY ON\r\nCLIENT REPLY SKIP\r\nSET q 2\r\nGET q\r\n")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"OK", "2"} {
		if v, err := b.ReadValue(); err != nil || show(v) != want {
			t.Errorf("got %s %v, want %s", show(v), err, want)
		}
	}
}

func TestMaxClients(t *testing.T) {
	p := startShard(t, nil)
	e := listen(t, proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true, MaxClients: 2}, proxy.Options{})
	a, b := dial(t, e.Addr().String()), dial(t, e.Addr().String())
	a.ask("PING")
	b.ask("PING")
	nc, err := net.Dial("tcp", e.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	buf := make([]byte, 100)
	n, _ := nc.Read(buf)
	if got := string(buf[:n]); got != "-ERR max number of clients reached\r\n" {
		t.Errorf("the third client got %q", got)
	}
	_ = a.Close()
	eventually(t, "a place is free again", func() bool { return e.Stats().Clients == 1 })
	dial(t, e.Addr().String()).ask("PING")
	if got := e.Stats().Refused; got != 1 {
		t.Errorf("%d were refused", got)
	}
}

func TestStats(t *testing.T) {
	e, _ := unsharded(t)
	c := dial(t, e.Addr().String())
	for i := range 10 {
		c.ask("SET k " + strconv.Itoa(i))
	}
	c.ask("GET k")
	c.ask("PING")
	s := e.Stats()
	if s.Writes.Requests != 10 || s.Writes.Responses != 10 || s.Reads.Requests != 1 || s.Others.Requests != 1 || s.Accepted != 1 ||
		s.Clients != 1 || s.IngressBytes == 0 || s.EgressBytes == 0 || s.LastRequest.IsZero() {
		t.Errorf("%+v", s)
	}
	var total uint64
	for _, n := range s.Writes.Buckets {
		total += n
	}
	if total != 10 || s.Writes.Sum <= 0 {
		t.Errorf("latency: %v %v", s.Writes.Buckets, s.Writes.Sum)
	}
}
