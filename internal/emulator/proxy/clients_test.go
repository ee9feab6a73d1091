package proxy_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
)

// TestPublicClient uses a widespread client the way applications do.
func TestPublicClient(t *testing.T) {
	for _, version := range []int{2, 3} {
		t.Run(fmt.Sprintf("protocol %d", version), func(t *testing.T) {
			e, _ := sharded(t, func(c *proxy.Config) { c.Passwords = []string{"pw"} })
			rdb := redis.NewClient(&redis.Options{Addr: e.Addr().String(), Password: "pw", Protocol: version, ClientName: "app"})
			defer func() { _ = rdb.Close() }()
			useAsApplication(t, rdb)
		})
	}
}

func useAsApplication(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	ctx := testContext(t)
	if _, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range 300 {
			p.Set(ctx, fmt.Sprintf("key%d", i), i, time.Hour)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n, err := rdb.Get(ctx, "key299").Int(); err != nil || n != 299 {
		t.Errorf("GET: %d %v", n, err)
	}
	replies, err := rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, "{u1}h", "f", "v")
		p.HGetAll(ctx, "{u1}h")
		return nil
	})
	if err != nil || len(replies) != 2 || replies[1].(*redis.MapStringStringCmd).Val()["f"] != "v" {
		t.Errorf("transaction: %v %v", replies, err)
	}
	err = rdb.Watch(ctx, func(tx *redis.Tx) error {
		if err := rdb.Set(ctx, "key1", "changed", 0).Err(); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Incr(ctx, "key1").Err() })
		return err
	}, "key1")
	if !errors.Is(err, redis.TxFailedErr) {
		t.Errorf("optimistic locking: %v", err)
	}
	script := redis.NewScript(`return redis.call("INCRBY", KEYS[1], ARGV[1])`)
	for want := int64(5); want <= 10; want += 5 {
		if n, err := script.Run(ctx, rdb, []string{"counter"}, 5).Int64(); err != nil || n != want {
			t.Errorf("script: %d %v", n, err)
		}
	}
	sub := rdb.Subscribe(ctx, "news")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Publish(ctx, "news", "hello").Err(); err != nil {
		t.Fatal(err)
	}
	if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
		t.Errorf("message: %v %v", m, err)
	}
	if err := rdb.XGroupCreateMkStream(ctx, "stream", "g", "$").Err(); err != nil {
		t.Error(err)
	}
	if err := rdb.XAdd(ctx, &redis.XAddArgs{Stream: "stream", Values: []string{"f", "v"}}).Err(); err != nil {
		t.Error(err)
	}
	got, err := rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{"stream", ">"}, Block: time.Second}).Result()
	if err != nil || len(got) != 1 || len(got[0].Messages) != 1 {
		t.Errorf("stream: %v %v", got, err)
	}
}

// TestPublicClusterClient spreads a database over two endpoints that announce each other.
func TestPublicClusterClient(t *testing.T) {
	p, q := startShard(t, nil), startShard(t, nil)
	low, high := proxy.SlotRange{First: 0, Last: 8191}, proxy.SlotRange{First: 8192, Last: 16383}
	c := proxy.Config{
		Sharded: true, OSSCluster: true, DefaultUser: true, RESP3: true,
		Backends: []proxy.Backend{backendOf(p, low), backendOf(q, high)},
	}
	ends := []*proxy.Endpoint{listen(t, c, proxy.Options{}), listen(t, c, proxy.Options{})}
	for self, e := range ends {
		c.Nodes = nil
		for i, slots := range []proxy.SlotRange{low, high} {
			at := ends[i].Addr().(*net.TCPAddr)
			c.Nodes = append(c.Nodes, proxy.Node{Host: at.IP.String(), Port: at.Port, Slots: []proxy.SlotRange{slots}, Self: i == self})
		}
		if err := e.Update(c); err != nil {
			t.Fatal(err)
		}
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{ends[0].Addr().String()}})
	defer func() { _ = rdb.Close() }()
	useAsApplication(t, rdb)
	for i, e := range ends {
		if s := e.Stats(); s.Writes.Requests < 50 {
			t.Errorf("endpoint %d served only %d writes", i, s.Writes.Requests)
		}
	}
	v, err := p.Do(testContext(t), "DBSIZE")
	if err != nil || v.Int < 50 || v.Int > 250 {
		t.Errorf("the first shard has %d keys, %v", v.Int, err)
	}
}

func TestHasher(t *testing.T) {
	slot, err := proxy.Hasher([]string{`.*\{(?<tag>.*)\}.*`, `(?<tag>.*)`})
	if err != nil {
		t.Fatal(err)
	}
	var slots []int
	for _, key := range []string{"foo", "x{foo}y"} {
		slots = append(slots, slot([]byte(key)))
	}
	if !slices.Equal(slots, []int{12182, 12182}) {
		t.Errorf("%v", slots)
	}
}
