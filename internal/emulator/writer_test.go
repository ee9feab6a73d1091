package emulator_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// writer writes numbered keys to a database through whatever endpoint it has, and remembers what was acknowledged.
type writer struct {
	name  string
	find  func() string
	stop  chan struct{}
	wg    sync.WaitGroup
	acked []int
	at    []time.Time // when, for each of acked
	fails int
	count atomic.Int64
	pause time.Duration // longest time without an acknowledged write
	first error
}

func client(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: addr, Protocol: 2, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: 5 * time.Second,
		DisableIdentity: true, PoolSize: 4,
	})
}

func write(find func() string) *writer {
	w := &writer{name: rand.Text()[:6], find: find, stop: make(chan struct{})}
	w.wg.Go(w.loop)
	return w
}

func (w *writer) loop() {
	addr := w.find()
	c := client(addr)
	defer func() { _ = c.Close() }()
	last := time.Now()
	for i := 0; ; i++ {
		select {
		case <-w.stop:
			return
		default:
		}
		err := c.Set(context.Background(), w.key(i), i, 0).Err()
		if err == nil {
			w.acked, w.at = append(w.acked, i), append(w.at, time.Now())
			w.pause = max(w.pause, time.Since(last))
			last = time.Now()
			w.count.Add(1)
			continue
		}
		w.fails++
		if w.first == nil {
			w.first = err
		}
		if now := w.find(); now != "" && now != addr {
			_ = c.Close()
			addr = now
			c = client(addr)
		}
	}
}

func (w *writer) key(i int) string { return fmt.Sprintf("%s-%d", w.name, i) }

// flows waits until more writes are acknowledged.
func (w *writer) flows(l *lab) {
	l.t.Helper()
	n := w.count.Load()
	l.await("writes are acknowledged", func() bool { return w.count.Load() > n+100 })
}

func (w *writer) end() {
	close(w.stop)
	w.wg.Wait()
}

// check reads everything back and fails for what is missing.
func (w *writer) check(t *testing.T) {
	t.Helper()
	c := client(w.find())
	defer func() { _ = c.Close() }()
	lost := 0
	for k, i := range w.acked {
		if v, err := c.Get(context.Background(), w.key(i)).Int(); err != nil || v != i {
			if lost++; lost == 1 {
				t.Logf("the first lost write was acknowledged at %s", w.at[k].UTC().Format("15:04:05.000"))
			}
		}
	}
	t.Logf("%d writes acknowledged, %d failed (%v), %d lost, longest pause %s", len(w.acked), w.fails, w.first, lost, w.pause)
	if lost > 0 || len(w.acked) == 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(w.acked))
	}
}
