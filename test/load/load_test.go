package load_test

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
	"github.com/open-redis-enterprise/operator/test/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startShard(t *testing.T) *shard.Process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := shard.Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	_ = l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	p, err := shard.Start(ctx, shard.Config{Dir: t.TempDir(), Address: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// written lets a writer run until it has so many acknowledgements, with something happening in the middle.
func written(t *testing.T, c load.Config, atLeast int64, middle func()) *load.Writer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	w := load.NewWriter(c)
	done := make(chan error, 1)
	go func() { done <- w.Write(ctx) }()
	reach := func(n int64) {
		for w.Report().Acknowledged < n && ctx.Err() == nil {
			tick := time.NewTimer(5 * time.Millisecond)
			<-tick.C
		}
	}
	reach(atLeast / 2)
	middle()
	reach(w.Report().Acknowledged + atLeast/2)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := w.Report().Acknowledged; got < atLeast {
		t.Fatalf("only %d writes", got)
	}
	return w
}

func verify(t *testing.T, c load.Config, h load.History) []load.Loss {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	lost, err := load.Verify(ctx, c, h)
	if err != nil {
		t.Fatal(err)
	}
	return lost
}

func TestNothingIsLostOnAHealthyServer(t *testing.T) {
	p := startShard(t)
	var record bytes.Buffer
	c := load.Config{Addr: p.Address().String(), Keys: 50, Prefix: "t", Record: &record}
	w := written(t, c, 1000, func() {})
	if lost := verify(t, c, w.History()); len(lost) > 0 {
		t.Errorf("lost %v", lost)
	}
	r := w.Report()
	if r.Failed != 0 || r.Outages != 0 || r.Keys != 200 || r.LatencyP50Milliseconds <= 0 || r.LatencyP99Milliseconds < r.LatencyP50Milliseconds {
		t.Errorf("%+v", r)
	}
	h, err := load.ReadRecord(&record)
	if err != nil || len(h.Acknowledged) != 200 {
		t.Fatalf("record: %d keys, %v", len(h.Acknowledged), err)
	}
	if lost := verify(t, c, h); len(lost) > 0 {
		t.Errorf("by the record, lost %v", lost)
	}
}

func TestLossesAreFound(t *testing.T) {
	p := startShard(t)
	c := load.Config{Addr: p.Address().String(), Keys: 10, Prefix: "t"}
	w := written(t, c, 200, func() {})
	for _, args := range [][]string{{"DEL", "t:0:1"}, {"SET", "t:1:2", "2"}, {"SET", "t:2:3", "99999999"}, {"SET", "t:3:4", "x"}} {
		if _, err := p.Do(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	lost := verify(t, c, w.History())
	r := w.Report().WithLosses(lost)
	if r.Lost != 4 || !r.Verified {
		t.Fatalf("found %+v", lost)
	}
	for i, want := range []string{"t:0:1", "t:1:2", "t:2:3", "t:3:4"} {
		if lost[i].Key != want {
			t.Errorf("loss %d is %+v, want %s", i, lost[i], want)
		}
	}
}

func TestAnOutageIsMeasuredAndSurvived(t *testing.T) {
	p, q := startShard(t), startShard(t)
	backend := func(p *shard.Process) proxy.Config {
		return proxy.Config{DefaultUser: true, Passwords: []string{"pw"}, Backends: []proxy.Backend{{ID: p.Address().String(), Addr: p.Address().String()}}}
	}
	e, err := proxy.Listen("127.0.0.1:0", backend(p), proxy.Options{Patience: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	c := load.Config{Addr: e.Addr().String(), Password: "pw", Keys: 10, Prefix: "t", Rate: 2000}
	var from, to time.Time
	w := written(t, c, 200, func() {
		from = time.Now()
		p.Kill()
		for e.Stats().DispatchFailures < 20 && t.Context().Err() == nil {
			tick := time.NewTimer(5 * time.Millisecond)
			<-tick.C
		}
		to = time.Now()
		if err := e.Update(backend(q)); err != nil {
			t.Error(err)
		}
	})
	r := w.Report()
	if r.Failed == 0 || r.Outages != 1 || r.LongestUnavailableSeconds < to.Sub(from).Seconds()/2 ||
		r.LongestUnavailableSeconds > to.Sub(from).Seconds()+2 || r.TotalUnavailableSeconds != r.LongestUnavailableSeconds {
		t.Errorf("the outage of %s is reported as %+v", to.Sub(from), r)
	}
}

func TestPing(t *testing.T) {
	p := startShard(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := load.Ping(ctx, load.Config{Addr: p.Address().String()}); err != nil {
		t.Error(err)
	}
	if err := load.Ping(ctx, load.Config{Addr: "127.0.0.1:1," + p.Address().String()}); err != nil {
		t.Errorf("the second address is not tried: %v", err)
	}
	p.Kill()
	short, cancelShort := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancelShort()
	if err := load.Ping(short, load.Config{Addr: p.Address().String()}); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("a dead server: %v", err)
	}
}
