package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// pair is a master with a replica, and an endpoint in front of the master.
type pair struct {
	t               *testing.T
	master, replica *shard.Process
	e               *proxy.Endpoint
	config          proxy.Config
}

func newPair(t *testing.T, o proxy.Options) *pair {
	t.Helper()
	p := &pair{t: t, master: startShard(t, nil)}
	at := p.master.Address()
	p.replica = startShard(t, &at)
	p.inSync()
	b := backendOf(p.master)
	b.RequiredAcks = 1
	p.config = proxy.Config{Backends: []proxy.Backend{b}, DefaultUser: true, RESP3: true}
	p.e = listen(t, p.config, o)
	return p
}

func (p *pair) inSync() {
	p.t.Helper()
	eventually(p.t, "the replica follows", func() bool {
		s, err := p.replica.State(testContext(p.t))
		return err == nil && s.InSync()
	})
	eventually(p.t, "the master counts its replica", func() bool {
		s, err := p.master.State(testContext(p.t))
		return err == nil && len(s.Replicas) == 1 && s.Replicas[0].Online
	})
}

// update replaces the only backend.
func (p *pair) update(b proxy.Backend) {
	p.t.Helper()
	c := p.config
	c.Backends = []proxy.Backend{b}
	if err := p.e.Update(c); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) client() *client { return dial(p.t, p.e.Addr().String()) }

// answer is what came back for a line, or the error that ended the connection.
type answer struct {
	text string
	err  error
}

func later(c *client, line string) <-chan answer {
	ch := make(chan answer, 1)
	go func() {
		text, err := c.try(line)
		ch <- answer{text, err}
	}()
	return ch
}

// stays checks that no answer comes within a time that is long for a command that is not held back.
func stays(t *testing.T, ch <-chan answer) {
	t.Helper()
	select {
	case a := <-ch:
		t.Fatalf("answered %q (%v) without its replica", a.text, a.err)
	case <-time.After(300 * time.Millisecond):
	}
}

func TestWritesWaitForTheReplica(t *testing.T) {
	writes := map[string]string{
		"SET k v": "OK",
		"EVAL \"return redis.call('INCR', KEYS[1])\" 1 n": ":1",
		"BLPOP list 5":                  "*[list x]",
		"XADD s 1-1 f v":                "1-1",
		"XGROUP CREATE gs g $ MKSTREAM": "OK",
		"FLUSHALL":                      "OK",
	}
	for line, want := range writes {
		t.Run(line, func(t *testing.T) {
			p := newPair(t, proxy.Options{})
			c, r := p.client(), p.client()
			c.ask("RPUSH list x")
			if err := p.replica.Freeze(); err != nil {
				t.Fatal(err)
			}
			w := later(c, line)
			stays(t, w)
			r.ask("GET other") // reads go on
			if err := p.replica.Thaw(); err != nil {
				t.Fatal(err)
			}
			if a := <-w; a.err != nil || a.text != want {
				t.Fatalf("after the replica came back: %q %v", a.text, a.err)
			}
		})
	}
	t.Run("a transaction and a pipeline", func(t *testing.T) {
		p := newPair(t, proxy.Options{})
		c, d := p.client(), p.client()
		c.ask("MULTI")
		c.ask("SET a 1")
		if err := p.replica.Freeze(); err != nil {
			t.Fatal(err)
		}
		w := later(c, "EXEC")
		stays(t, w)
		if _, err := d.Write([]byte("GET a\r\nSET b 1\r\nGET b\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := p.replica.Thaw(); err != nil {
			t.Fatal(err)
		}
		if a := <-w; a.err != nil || a.text != "*[OK]" {
			t.Fatalf("%q %v", a.text, a.err)
		}
		for _, want := range []string{"1", "OK", "1"} {
			if v, err := d.ReadValue(); err != nil || show(v) != want {
				t.Errorf("pipeline: %s %v, want %s", show(v), err, want)
			}
		}
	})
}

func TestGivingUpTheReplicaReleasesWrites(t *testing.T) {
	p := newPair(t, proxy.Options{AckPoll: 20 * time.Millisecond})
	c := p.client()
	if err := p.replica.Freeze(); err != nil {
		t.Fatal(err)
	}
	w := later(c, "SET k v")
	stays(t, w)
	b := p.config.Backends[0]
	b.RequiredAcks = 0
	p.update(b)
	if a := <-w; a.err != nil || a.text != "OK" {
		t.Fatalf("%q %v", a.text, a.err)
	}
}

func TestARemovedShardAcknowledgesNothing(t *testing.T) {
	t.Run("a write that waits for its replica", func(t *testing.T) {
		p := newPair(t, proxy.Options{})
		c := p.client()
		if err := p.replica.Freeze(); err != nil {
			t.Fatal(err)
		}
		w := later(c, "SET k v")
		stays(t, w)
		other := startShard(t, nil)
		p.update(backendOf(other))
		if a := <-w; a.err == nil {
			t.Fatalf("answered %q", a.text)
		}
	})
	t.Run("the same address in a later life", func(t *testing.T) {
		p := newPair(t, proxy.Options{})
		c := p.client()
		if err := p.replica.Freeze(); err != nil {
			t.Fatal(err)
		}
		w := later(c, "SET k v")
		stays(t, w)
		b := p.config.Backends[0]
		b.Epoch, b.RequiredAcks = 1, 0
		p.update(b)
		if a := <-w; a.err == nil {
			t.Fatalf("answered %q", a.text)
		}
	})
	t.Run("a master that was demoted meanwhile", func(t *testing.T) {
		p := newPair(t, proxy.Options{AckPoll: 20 * time.Millisecond})
		c := p.client()
		if err := p.replica.Freeze(); err != nil {
			t.Fatal(err)
		}
		w := later(c, "SET k v")
		stays(t, w)
		if err := p.master.ReplicaOf(testContext(t), startShard(t, nil).Address()); err != nil {
			t.Fatal(err)
		}
		if a := <-w; a.err == nil {
			t.Fatalf("answered %q", a.text)
		}
	})
	t.Run("a frozen shard does not hold its clients for ever", func(t *testing.T) {
		p := newPair(t, proxy.Options{})
		c, r := p.client(), p.client()
		c.ask("SET k v")
		r.ask("GET k")
		if err := p.master.Freeze(); err != nil {
			t.Fatal(err)
		}
		w, g := later(c, "SET k w"), later(r, "GET k")
		stays(t, w)
		if err := p.replica.Promote(testContext(t)); err != nil {
			t.Fatal(err)
		}
		p.update(backendOf(p.replica))
		if a := <-w; a.err == nil {
			t.Fatalf("the write was answered %q", a.text)
		}
		if a := <-g; a.err != nil || a.text != "v" {
			t.Fatalf("the read was not asked again: %q %v", a.text, a.err)
		}
	})
}

func TestUnsentCommandsWaitForAShard(t *testing.T) {
	p := newPair(t, proxy.Options{})
	c := p.client()
	c.ask("SET k v")
	p.master.Kill()
	fresh := p.client()
	w := later(fresh, "SET k w")
	stays(t, w)
	if err := p.replica.Promote(testContext(t)); err != nil {
		t.Fatal(err)
	}
	p.update(backendOf(p.replica))
	if a := <-w; a.err != nil || a.text != "OK" {
		t.Fatalf("%q %v", a.text, a.err)
	}
	expect(t, c, "GET k", "w") // Update cut the idle connection to the dead shard, not the client
	impatient := listen(t, proxy.Config{DefaultUser: true}, proxy.Options{Patience: 100 * time.Millisecond})
	if text, err := dial(t, impatient.Addr().String()).try("GET k"); err == nil {
		t.Errorf("without any shard: %q", text)
	}
}

func TestARestartBetweenCommandsIsNotNoticed(t *testing.T) {
	p := startShard(t, nil)
	e := listen(t, proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true}, proxy.Options{})
	c := dial(t, e.Addr().String())
	c.ask("SET k v")
	p.Kill()
	again, err := shard.Start(testContext(t), shard.Config{Dir: t.TempDir(), Password: "internal", Address: p.Address()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Kill)
	expect(t, c, "SET k w", "OK")
}

// switchOver moves the mastership without loss, the way an engine does it.
func (p *pair) switchOver(ctx context.Context) error {
	release, err := p.e.Hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	state, err := p.master.State(ctx)
	if err != nil {
		return err
	}
	if err := p.replica.CaughtUp(ctx, state.Offset); err != nil {
		return err
	}
	if err := p.replica.Promote(ctx); err != nil {
		return err
	}
	if err := p.master.ReplicaOf(ctx, p.replica.Address()); err != nil {
		return err
	}
	p.master, p.replica = p.replica, p.master
	b := backendOf(p.master)
	b.RequiredAcks = 1
	p.update(b)
	return nil
}

func TestSwitchOverIsNotNoticed(t *testing.T) {
	p := newPair(t, proxy.Options{})
	setup := p.client()
	setup.ask("SET counter 0")
	tx, watching := p.client(), p.client()
	tx.ask("MULTI")
	tx.ask("INCR intx")
	watching.ask("WATCH counter")
	blocked := p.client()
	pop := later(blocked, "BLPOP queue 30")
	eventually(t, "a client is blocked", func() bool {
		info, err := p.master.Info(testContext(t), "clients")
		return err == nil && info["blocked_clients"] == "1"
	})
	var stop atomic.Bool
	var acknowledged [4]int
	var workers sync.WaitGroup
	for w := range acknowledged {
		c := p.client()
		workers.Go(func() {
			for !stop.Load() {
				if got, err := c.try(fmt.Sprintf("INCR w%d", w)); err != nil || got != ":"+strconv.Itoa(acknowledged[w]+1) {
					t.Errorf("worker %d: %q %v after %d", w, got, err, acknowledged[w])
					return
				}
				acknowledged[w]++
			}
		})
	}
	for i := range 4 {
		if err := p.switchOver(testContext(t)); err != nil {
			t.Errorf("switch %d: %v", i, err)
			break
		}
		p.inSync()
	}
	stop.Store(true)
	workers.Wait()
	for w, n := range acknowledged {
		if n == 0 {
			t.Errorf("worker %d never got through", w)
		}
		expect(t, setup, fmt.Sprintf("GET w%d", w), strconv.Itoa(n))
	}
	expect(t, tx, "EXEC", "*[:1]")
	expect(t, watching, "MULTI", "OK")
	expect(t, watching, "INCR counter", "QUEUED")
	expect(t, watching, "EXEC", "(nil)")
	setup.ask("LPUSH queue item")
	if a := <-pop; a.err != nil || a.text != "*[queue item]" {
		t.Errorf("the blocked client got %q %v", a.text, a.err)
	}
}

func TestHoldGivesUpWithItsContext(t *testing.T) {
	p := newPair(t, proxy.Options{})
	c := p.client()
	if err := p.replica.Freeze(); err != nil {
		t.Fatal(err)
	}
	w := later(c, "SET k v")
	stays(t, w)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.e.Hold(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	expect(t, p.client(), "GET other", "(nil)")
}

func TestDrain(t *testing.T) {
	e, _ := unsharded(t)
	c := dial(t, e.Addr().String())
	c.ask("SET k v")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := e.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("with a client: %v", err)
	}
	if text, err := c.try("GET k"); err == nil {
		t.Errorf("after draining: %q", text)
	}
	idle, _ := unsharded(t)
	if err := idle.Drain(testContext(t)); err != nil {
		t.Errorf("without clients: %v", err)
	}
	if _, err := resp.Dial(testContext(t), idle.Addr().String(), ""); err == nil {
		t.Error("a drained endpoint takes connections")
	}
}

func TestBlockedClientThatLeavesTakesNothing(t *testing.T) {
	e, p := unsharded(t)
	c := dial(t, e.Addr().String())
	if _, err := c.Write([]byte("BLPOP q 0\r\n")); err != nil {
		t.Fatal(err)
	}
	blocked := func(n string) func() bool {
		return func() bool {
			info, err := p.Info(testContext(t), "clients")
			return err == nil && info["blocked_clients"] == n
		}
	}
	eventually(t, "blocked", blocked("1"))
	_ = c.Close()
	eventually(t, "no longer blocked", blocked("0"))
	d := dial(t, e.Addr().String())
	expect(t, d, "RPUSH q x", ":1")
	expect(t, d, "LLEN q", ":1")
	t.Run("one that is woken by another client", func(t *testing.T) {
		c := dial(t, e.Addr().String())
		id := c.ask("CLIENT ID")
		w := later(c, "BLPOP nothing 0")
		eventually(t, "unblocked", func() bool { return d.ask("CLIENT UNBLOCK "+id[1:]+" ERROR") == ":1" })
		if a := <-w; a.err != nil || a.text != "-UNBLOCKED client unblocked via CLIENT UNBLOCK" {
			t.Errorf("%q %v", a.text, a.err)
		}
	})
}

// TestRandomFailovers kills masters under writers; it runs longer when asked to.
func TestRandomFailovers(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("PROXY_FAILOVERS")); err == nil {
		rounds = n
	}
	p := newPair(t, proxy.Options{})
	var stop atomic.Bool
	var acknowledged [3]int
	var workers sync.WaitGroup
	for w := range acknowledged {
		workers.Go(func() {
			var c *resp.Conn
			defer func() {
				if c != nil {
					_ = c.Close()
				}
			}()
			for n := 1; !stop.Load(); {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				var err error
				if c == nil {
					c, err = resp.Dial(ctx, p.e.Addr().String(), "")
				}
				if err == nil {
					_, err = c.Do(ctx, "SET", fmt.Sprintf("w%d:%d", w, n), strconv.Itoa(n))
				}
				cancel()
				if err == nil {
					acknowledged[w] = n
					n++
				} else if c != nil {
					_ = c.Close()
					c = nil
				}
			}
		})
	}
	for range rounds {
		before := acknowledgedBy(p)
		eventually(t, "writes go on", func() bool { return acknowledgedBy(p) > before+100 })
		p.master.Kill()
		if err := p.replica.Promote(testContext(t)); err != nil {
			t.Fatal(err)
		}
		p.master = p.replica
		b := backendOf(p.master)
		p.update(b)
		at := p.master.Address()
		p.replica = startShard(t, &at)
		p.inSync()
		b.RequiredAcks = 1
		p.update(b)
	}
	stop.Store(true)
	workers.Wait()
	c := p.client()
	for w, last := range acknowledged {
		for n := 1; n <= last; n++ {
			if got := c.ask(fmt.Sprintf("GET w%d:%d", w, n)); got != strconv.Itoa(n) {
				t.Fatalf("acknowledged write %d of worker %d is lost: %s", n, w, got)
			}
		}
	}
}

func acknowledgedBy(p *pair) uint64 { return p.e.Stats().Writes.Responses }
