package proxy_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func startShard(t *testing.T, master *shard.Address) *shard.Process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p, err := shard.Start(testContext(t), shard.Config{
		Dir: t.TempDir(), Password: "internal", Master: master, Address: shard.Address{Host: "127.0.0.1", Port: port},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func backendOf(p *shard.Process, slots ...proxy.SlotRange) proxy.Backend {
	return proxy.Backend{ID: fmt.Sprint(p.PID()), Addr: p.Address().String(), Password: "internal", Slots: slots}
}

func listen(t *testing.T, c proxy.Config, o proxy.Options) *proxy.Endpoint {
	t.Helper()
	e, err := proxy.Listen("127.0.0.1:0", c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// unsharded is an endpoint in front of one new shard.
func unsharded(t *testing.T) (*proxy.Endpoint, *shard.Process) {
	t.Helper()
	p := startShard(t, nil)
	return listen(t, proxy.Config{Backends: []proxy.Backend{backendOf(p)}, DefaultUser: true, RESP3: true}, proxy.Options{}), p
}

// sharded is an endpoint in front of three new shards.
func sharded(t *testing.T, change ...func(*proxy.Config)) (*proxy.Endpoint, []*shard.Process) {
	t.Helper()
	var shards []*shard.Process
	c := proxy.Config{Sharded: true, DefaultUser: true, RESP3: true}
	for _, r := range []proxy.SlotRange{{0, 5460}, {5461, 10922}, {10923, 16383}} {
		p := startShard(t, nil)
		shards = append(shards, p)
		c.Backends = append(c.Backends, backendOf(p, r))
	}
	for _, f := range change {
		f(&c)
	}
	return listen(t, c, proxy.Options{}), shards
}

type client struct {
	t *testing.T
	*resp.Conn
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := resp.Dial(testContext(t), addr, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t: t, Conn: c}
}

// dialFrom connects from an address of this machine.
func dialFrom(t *testing.T, from, addr string) *client {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	nc, err := d.DialContext(testContext(t), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	return &client{t: t, Conn: &resp.Conn{Conn: nc, Reader: resp.NewReader(nc)}}
}

// words splits a line the way redis-cli does.
func words(line string) []string {
	args, err := resp.SplitInline([]byte(line))
	if err != nil {
		panic(err)
	}
	var s []string
	for _, a := range args {
		s = append(s, string(a))
	}
	return s
}

// ask sends a line and returns the reply as text; the connection must survive it.
func (c *client) ask(line string) string {
	c.t.Helper()
	reply, err := c.try(line)
	if err != nil {
		c.t.Fatalf("%s: %v", line, err)
	}
	return reply
}

func (c *client) try(line string) (string, error) {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Write(resp.AppendCommand(nil, words(line)...)); err != nil {
		return "", err
	}
	v, err := c.ReadValue()
	return show(v), err
}

// show writes a reply as one line.
func show(v resp.Value) string {
	switch {
	case v.Nil:
		return "(nil)"
	case v.Kind == resp.ErrorKind:
		return "-" + string(v.Str)
	case v.Kind == resp.Integer:
		return fmt.Sprintf(":%d", v.Int)
	case v.Kind == resp.Array, v.Kind == resp.Set, v.Kind == resp.Map, v.Kind == resp.Push:
		var parts []string
		for _, e := range v.Elems {
			parts = append(parts, show(e))
		}
		return string(v.Kind) + "[" + strings.Join(parts, " ") + "]"
	}
	return v.String()
}

func expect(t *testing.T, c *client, line, want string) {
	t.Helper()
	if got := c.ask(line); got != want {
		t.Errorf("%s: got %s, want %s", line, got, want)
	}
}
