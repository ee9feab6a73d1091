package emulator_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// door is the way to an instance from outside: it passes bytes on and can be shut.
type door struct {
	l    net.Listener
	name string // the server name that the last client asked for
	mu   sync.Mutex
	to   string
	shut bool
	open map[net.Conn]bool
	wg   sync.WaitGroup
}

func newDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	d := &door{l: l, open: map[net.Conn]bool{}}
	d.wg.Go(d.serve)
	t.Cleanup(func() {
		_ = l.Close()
		d.cut(true)
		d.wg.Wait()
	})
	return d
}

func (d *door) addr() string { return d.l.Addr().String() }

func (d *door) lead(to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}

// cut ends what goes through, and lets nothing through until it is called with false.
func (d *door) cut(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = on
	for c := range d.open {
		if on {
			_ = c.Close()
		}
	}
}

func (d *door) serve() {
	for {
		c, err := d.l.Accept()
		if err != nil {
			return
		}
		d.wg.Go(func() { d.pass(c) })
	}
}

func (d *door) pass(c net.Conn) {
	defer func() { _ = c.Close() }()
	d.mu.Lock()
	to, shut := d.to, d.shut
	d.mu.Unlock()
	if shut {
		return
	}
	back, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.open[c], d.open[back] = true, true
	d.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(back, io.TeeReader(c, &hello{d: d}))
		_ = back.Close()
	})
	_, _ = io.Copy(c, back)
	_ = c.Close()
	wg.Wait()
	d.mu.Lock()
	delete(d.open, c)
	delete(d.open, back)
	d.mu.Unlock()
}

// hello finds the server name in the first bytes of a connection.
type hello struct {
	d    *door
	done bool
}

func (h *hello) Write(b []byte) (int, error) {
	if !h.done {
		h.done = true
		name := serverName(b)
		h.d.mu.Lock()
		h.d.name = name
		h.d.mu.Unlock()
	}
	return len(b), nil
}

// serverName lets the TLS library read a greeting.
func serverName(greeting []byte) (name string) {
	near, far := net.Pipe()
	go func() {
		_, _ = near.Write(greeting)
		_ = near.Close()
	}()
	_ = tls.Server(far, &tls.Config{GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		name = h.ServerName
		return nil, io.EOF
	}}).Handshake()
	_ = far.Close()
	return name
}

// doors gives every instance of a request a door, and returns them by site.
func (w *worlds) doors(body object) []*door {
	var out []*door
	for i, inst := range body["instances"].([]object) {
		d := newDoor(w.t)
		d.lead(w.labs[i].nodes[0].Addr() + ":12000")
		cluster := inst["cluster"].(object)
		cluster["replication_endpoint"], cluster["replication_tls_sni"] = d.addr(), fmt.Sprintf("aa-%d.apps.test", i)
		out = append(out, d)
	}
	return out
}

// client talks to the database of site i.
func (w *worlds) client(i int) *redis.Client {
	w.t.Helper()
	c := redis.NewClient(&redis.Options{Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", w.labs[i].nodes[0].Addr()+":12000")
	}, DisableIdentity: true, MaxRetries: 10})
	w.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (w *worlds) inSync(guid string, sites ...int) bool {
	for _, i := range sites {
		for _, s := range w.database(i, guid)["crdt_sources"].([]any) {
			if s.(object)["status"] != "in-sync" {
				return false
			}
		}
	}
	return true
}

// status is what site i reports of its link to the cluster of site j: up, down or an error.
func (w *worlds) status(guid string, i, j int) string {
	l, n := w.at(i)
	for _, r := range l.list(n, "/v1/crdbs/"+guid+"/health_report") {
		if r["cluster_name"] != site(i) {
			continue
		}
		for _, c := range r["connections"].([]any) {
			connection := c.(object)
			links := connection["replication_links"].([]any)
			if connection["name"] == site(j) && len(links) == 1 {
				return links[0].(object)["status"].(string)
			}
		}
	}
	return ""
}

func TestActiveActiveLinksHeal(t *testing.T) {
	w := newWorlds(t, 1, 1)
	l, n := w.at(0)
	body := w.body(0, 1)
	doors := w.doors(body)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	ctx := t.Context()
	a, b := w.client(0), w.client(1)
	must(t, a.Set(ctx, "from a", "1", 0).Err())
	must(t, b.Set(ctx, "from b", "2", 0).Err())
	l.await("both sides hold both", func() bool {
		return a.Get(ctx, "from b").Val() == "2" && b.Get(ctx, "from a").Val() == "1"
	})
	l.await("the links are up", func() bool { return w.status(guid, 0, 1) == "up" && w.status(guid, 1, 0) == "up" })
	for i, d := range doors {
		if want := fmt.Sprintf("aa-%d.apps.test", i); d.name != want {
			t.Errorf("instance %d was asked for as %q, want %q", i, d.name, want)
		}
	}

	for _, d := range doors {
		d.cut(true)
	}
	l.await("the links are down", func() bool { return w.status(guid, 0, 1) == "down" && w.status(guid, 1, 0) == "down" })
	for i := range 50 {
		must(t, a.Set(ctx, fmt.Sprint("key-", i), fmt.Sprint("a", i), 0).Err())
		must(t, b.Set(ctx, fmt.Sprint("key-", i), fmt.Sprint("b", i), 0).Err())
	}
	must(t, a.Set(ctx, "key-0", "the last word", 0).Err())
	must(t, b.Del(ctx, "key-1").Err())
	must(t, a.Set(ctx, "only a", "x", 0).Err())
	for _, d := range doors {
		d.cut(false)
	}
	l.await("both sides hold the same", func() bool {
		for i := range 50 {
			key, want := fmt.Sprint("key-", i), fmt.Sprint("b", i)
			switch i {
			case 0:
				want = "the last word"
			case 1:
				want = ""
			}
			if a.Get(ctx, key).Val() != want || b.Get(ctx, key).Val() != want {
				return false
			}
		}
		return b.Get(ctx, "only a").Val() == "x"
	})
	l.await("the links are up again", func() bool { return w.inSync(guid, 0, 1) && w.status(guid, 0, 1) == "up" })
	w.flushes(guid, a, b)
}

// flushes empties the database from one side; what is written afterwards stays.
func (w *worlds) flushes(guid string, a, b *redis.Client) {
	w.t.Helper()
	ctx := w.t.Context()
	l, n := w.at(1)
	if err := a.FlushAll(ctx).Err(); err == nil {
		w.t.Error("a client may flush one instance")
	}
	w.finished(1, l.need(n, http.MethodPut, "/v1/crdbs/"+guid+"/flush", nil))
	if x, y := a.DBSize(ctx).Val(), b.DBSize(ctx).Val(); x != 0 || y != 0 {
		w.t.Errorf("after a flush there are %d and %d keys", x, y)
	}
	must(w.t, a.Set(ctx, "later", "1", 0).Err())
	l.await("what is written later arrives", func() bool { return b.Get(ctx, "later").Val() == "1" })
}

// TestActiveActiveGrows spreads a database over more shards on all sides while clients write.
func TestActiveActiveGrows(t *testing.T) {
	w := newWorlds(t, 1, 1)
	for i := range 2 {
		w.labs[i].license(license(t))
	}
	body := w.body(0, 1)
	body["default_db_config"] = object{
		"memory_size": 400 << 20, "replication": false, "port": 12000, "sharding": true, "shards_count": 1,
		"shard_key_regex": []object{{"regex": `.*\{(?<tag>.*)\}.*`}, {"regex": `(?<tag>.*)`}},
	}
	l, n := w.at(0)
	guid := w.finished(0, l.need(n, http.MethodPost, "/v1/crdbs", body))
	var writers []*writer
	for i := range 2 {
		addr := w.labs[i].nodes[0].Addr() + ":12000"
		writers = append(writers, write(func() string { return addr }))
		writers[i].flows(l)
	}
	w.finished(0, l.need(n, http.MethodPatch, "/v1/crdbs/"+guid, object{"default_db_config": object{"shards_count": 4}}))
	for i, wr := range writers {
		wr.flows(w.labs[i])
		wr.end()
	}
	a, b := w.client(0), w.client(1)
	l.await("both sides hold as much", func() bool {
		x := a.DBSize(t.Context()).Val()
		return x == int64(len(writers[0].acked)+len(writers[1].acked)) && x == b.DBSize(t.Context()).Val()
	})
	for _, wr := range writers {
		wr.check(t)
	}
	writers[0].find, writers[1].find = writers[1].find, writers[0].find
	for _, wr := range writers {
		wr.check(t)
	}
	l.await("the syncer is measured", func() bool {
		return sample(l.metrics(n), "database_syncer_src_connectivity_state", "1", `syncer_type="crdt"`, `replica_id="2"`)
	})
}
