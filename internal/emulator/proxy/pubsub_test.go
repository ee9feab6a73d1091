package proxy_test

import (
	"testing"
	"time"
)

func (c *client) next(want string) {
	c.t.Helper()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	v, err := c.ReadValue()
	if err != nil || show(v) != want {
		c.t.Errorf("got %s %v, want %s", show(v), err, want)
	}
}

func TestPublishAndSubscribe(t *testing.T) {
	for name, open := range map[string]func(*testing.T) string{
		"one shard":    func(t *testing.T) string { e, _ := unsharded(t); return e.Addr().String() },
		"three shards": func(t *testing.T) string { e, _ := sharded(t); return e.Addr().String() },
	} {
		t.Run(name, func(t *testing.T) {
			addr := open(t)
			s, p := dial(t, addr), dial(t, addr)
			expect(t, s, "UNSUBSCRIBE", "*[unsubscribe (nil) :0]")
			expect(t, s, "SUBSCRIBE a b", "*[subscribe a :1]")
			s.next("*[subscribe b :2]")
			expect(t, s, "PSUBSCRIBE a*", "*[psubscribe a* :3]")
			expect(t, p, "PUBLISH a hi", ":2")
			s.next("*[message a hi]")
			s.next("*[pmessage a* a hi]")
			expect(t, p, "PUBLISH nobody hi", ":0")
			expect(t, p, "PUBSUB NUMSUB a", "*[a :1]")
			expect(t, s, "PING", "*[pong ]")
			expect(t, s, "GET k", "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
			expect(t, s, "UNSUBSCRIBE a", "*[unsubscribe a :2]")
			expect(t, s, "PUNSUBSCRIBE", "*[punsubscribe a* :1]")
			expect(t, p, "PUBLISH a hi", ":0")
			expect(t, s, "UNSUBSCRIBE", "*[unsubscribe b :0]")
			expect(t, s, "GET k", "(nil)")
			expect(t, s, "SSUBSCRIBE sh", "*[ssubscribe sh :1]")
			expect(t, p, "SPUBLISH sh one", ":1")
			s.next("*[smessage sh one]")
			expect(t, s, "SUNSUBSCRIBE", "*[sunsubscribe sh :0]")
		})
	}
	t.Run("keyspace events come from every shard", func(t *testing.T) {
		e, _ := sharded(t)
		s, p := dial(t, e.Addr().String()), dial(t, e.Addr().String())
		expect(t, p, "CONFIG SET notify-keyspace-events KEA", "OK")
		expect(t, s, "PSUBSCRIBE __keyspace@0__:*", "*[psubscribe __keyspace@0__:* :1]")
		for _, key := range []string{keyA, keyB, keyC} {
			p.ask("SET " + key + " v")
			s.next("*[pmessage __keyspace@0__:* __keyspace@0__:" + key + " set]")
		}
	})
	t.Run("protocol 3 goes on answering commands", func(t *testing.T) {
		e, _ := unsharded(t)
		s, p := dial(t, e.Addr().String()), dial(t, e.Addr().String())
		s.ask("HELLO 3")
		expect(t, s, "SUBSCRIBE a", ">[subscribe a :1]")
		expect(t, s, "SET k v", "OK")
		expect(t, p, "PUBLISH a hi", ":1")
		s.next(">[message a hi]")
		expect(t, s, "GET k", "v")
	})
	t.Run("a client that leaves is forgotten", func(t *testing.T) {
		e, _ := unsharded(t)
		s, p := dial(t, e.Addr().String()), dial(t, e.Addr().String())
		s.ask("SUBSCRIBE a")
		if n := e.Stats().PubSubChannels; n != 1 {
			t.Errorf("%d channels", n)
		}
		_ = s.Close()
		eventually(t, "nobody hears", func() bool { return p.ask("PUBLISH a hi") == ":0" && e.Stats().PubSubChannels == 0 })
	})
}
