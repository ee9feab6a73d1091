// Package load writes to a database as an application would and finds out what became of each acknowledged write. The
// end-to-end tests and the demo use it to tell whether anything was lost and for how long the database was away.
package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Config says where and how to write.
type Config struct {
	// Addr is host:port of the database. Several, separated by commas, are tried in turn: without a Service or a name in
	// front of it, an endpoint that moves to another node has another address.
	Addr string
	// Username is empty for the default user.
	Username, Password string
	// TLS is nil for a plain connection.
	TLS *tls.Config
	// Workers write at the same time, each over a connection of its own; 0 is 4.
	Workers int
	// Rate bounds the writes per second of all workers together; 0 is no bound.
	Rate int
	// Keys is how many keys each worker writes before it starts to overwrite them in turn; 0 is 1000. Both new keys and
	// overwritten ones are checked.
	Keys int
	// Prefix starts every key. It should differ from run to run.
	Prefix string
	// Timeout bounds one attempt; 0 is 5 seconds.
	Timeout time.Duration
	// Record, when not nil, receives a line "key number" for each acknowledged write.
	Record io.Writer
	// Progress, when not nil, is called every few seconds.
	Progress func(Report)
}

func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = 4
	}
	if c.Keys <= 0 {
		c.Keys = 1000
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Prefix == "" {
		c.Prefix = "load"
	}
	return c
}

// client is one connection. It is closed and made anew after an error: go-redis answers a dial error for a whole second
// from memory once as many dials as the pool has places have failed, which would show up as time without service.
func (c Config) client(attempt int) *redis.Client {
	addrs := strings.Split(c.Addr, ",")
	return redis.NewClient(&redis.Options{
		Addr: addrs[attempt%len(addrs)], Username: c.Username, Password: c.Password, TLSConfig: c.TLS,
		PoolSize: 2, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true,
		DialTimeout: min(c.Timeout, 2*time.Second), ReadTimeout: c.Timeout, WriteTimeout: c.Timeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// Ping waits until the database answers.
func Ping(ctx context.Context, c Config) error {
	c = c.withDefaults()
	for attempt := 0; ; attempt++ {
		rdb := c.client(attempt)
		err := rdb.Ping(ctx).Err()
		_ = rdb.Close()
		if err == nil {
			return nil
		}
		if !pause(ctx, 200*time.Millisecond) {
			return fmt.Errorf("%s does not answer: %w", c.Addr, err)
		}
	}
}

// pause waits and tells whether the context still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// History is what was written: the last acknowledged and the last attempted number of each key. The number of a key only
// grows, so a value below the acknowledged one is a lost write, and one above the attempted one is nobody's.
type History struct {
	Acknowledged map[string]int64
	Attempted    map[string]int64
}

// Writer writes until it is told to end.
type Writer struct {
	config  Config
	started time.Time

	mu        sync.Mutex
	history   History
	attempted int64
	acked     int64
	failed    int64
	outages   []outage
	open      map[int]time.Time // workers that are waiting for a write to get through, and since when
	latency   histogram
	lastError string
	recordErr error
}

// NewWriter prepares a writer.
func NewWriter(c Config) *Writer {
	return &Writer{
		config:  c.withDefaults(),
		history: History{Acknowledged: map[string]int64{}, Attempted: map[string]int64{}},
		open:    map[int]time.Time{},
	}
}

// Write writes until the context ends. It can be called once.
func (w *Writer) Write(ctx context.Context) error {
	w.mu.Lock()
	w.started = time.Now()
	w.mu.Unlock()
	var workers sync.WaitGroup
	for i := range w.config.Workers {
		workers.Go(func() { w.work(ctx, i) })
	}
	if w.config.Progress != nil {
		for pause(ctx, 5*time.Second) {
			w.config.Progress(w.Report())
		}
	}
	workers.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.recordErr
}

// History returns what has been written. It is complete after Write has returned.
func (w *Writer) History() History { return w.history }

// work is one worker: the same number is tried until it is acknowledged, then comes the next.
func (w *Writer) work(ctx context.Context, worker int) {
	conn := &connection{config: w.config, rdb: w.config.client(0)}
	defer conn.close()
	var tick <-chan time.Time
	if w.config.Rate > 0 {
		t := time.NewTicker(time.Second * time.Duration(w.config.Workers) / time.Duration(w.config.Rate))
		defer t.Stop()
		tick = t.C
	}
	for n := int64(0); ctx.Err() == nil; n++ {
		key := fmt.Sprintf("%s:%d:%d", w.config.Prefix, worker, n%int64(w.config.Keys))
		if !w.put(ctx, conn, worker, key, n) {
			return
		}
		if tick == nil {
			continue
		}
		select {
		case <-tick:
		case <-ctx.Done():
		}
	}
}

// connection is a worker's client, renewed after each failure.
type connection struct {
	config  Config
	rdb     *redis.Client
	attempt int
}

func (c *connection) renew() {
	c.close()
	c.attempt++
	c.rdb = c.config.client(c.attempt)
}

func (c *connection) close() { _ = c.rdb.Close() }

// put tries until the write is acknowledged; false means that the run has ended before.
func (w *Writer) put(ctx context.Context, conn *connection, worker int, key string, n int64) bool {
	first := time.Now()
	for {
		w.trying(key, n)
		began := time.Now()
		// The attempt itself is not cut short by the end of the run: its fate would be unknown for no reason.
		err := conn.rdb.Set(context.WithoutCancel(ctx), key, n, 0).Err()
		if err == nil {
			w.acknowledged(worker, key, n, first, began)
			return true
		}
		w.failedAttempt(worker, first, err)
		conn.renew()
		if !pause(ctx, 50*time.Millisecond) {
			return false
		}
	}
}

func (w *Writer) trying(key string, n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.attempted++
	w.history.Attempted[key] = n
}

func (w *Writer) failedAttempt(worker int, first time.Time, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed++
	w.lastError = err.Error()
	w.open[worker] = first
}

// slow is from when on a write that succeeds at last still counts as a time without service.
const slow = time.Second

func (w *Writer) acknowledged(worker int, key string, n int64, first, began time.Time) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked++
	w.history.Acknowledged[key] = n
	w.latency.add(now.Sub(began))
	if _, failed := w.open[worker]; failed || now.Sub(first) > slow {
		w.outages = append(w.outages, outage{first, now})
		delete(w.open, worker)
	}
	if w.config.Record != nil {
		if _, err := fmt.Fprintf(w.config.Record, "%s %d\n", key, n); err != nil && w.recordErr == nil {
			w.recordErr = fmt.Errorf("recording: %w", err)
		}
	}
}

// Verify reads back everything that was acknowledged and returns the keys whose value is missing or older. It keeps trying
// until the context ends.
func Verify(ctx context.Context, c Config, h History) (lost []Loss, err error) {
	c = c.withDefaults()
	keys := make([]string, 0, len(h.Acknowledged))
	for k := range h.Acknowledged {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for part := range slices.Chunk(keys, 500) {
		values, err := readAll(ctx, c, part)
		if err != nil {
			return nil, err
		}
		for i, key := range part {
			if l, is := judge(h, key, values[i]); is {
				lost = append(lost, l)
			}
		}
	}
	return lost, nil
}

// readAll reads keys in one pipeline, as often as it takes.
func readAll(ctx context.Context, c Config, keys []string) ([]string, error) {
	for attempt := 0; ; attempt++ {
		values, err := readOnce(ctx, c, attempt, keys)
		if err == nil {
			return values, nil
		}
		if !pause(ctx, 200*time.Millisecond) {
			return nil, fmt.Errorf("reading back: %w", err)
		}
	}
}

func readOnce(ctx context.Context, c Config, attempt int, keys []string) ([]string, error) {
	rdb := c.client(attempt)
	defer func() { _ = rdb.Close() }()
	gets, err := rdb.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, k := range keys {
			pipe.Get(ctx, k)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	values := make([]string, len(gets))
	for i, g := range gets {
		if errors.Is(g.Err(), redis.Nil) {
			continue
		}
		if g.Err() != nil {
			return nil, g.Err()
		}
		values[i] = g.(*redis.StringCmd).Val()
	}
	return values, nil
}

// Loss is a key whose acknowledged value is gone.
type Loss struct {
	Key          string `json:"key"`
	Acknowledged int64  `json:"acknowledged"`
	Found        string `json:"found"`
}

func judge(h History, key, value string) (Loss, bool) {
	acked := h.Acknowledged[key]
	n, err := strconv.ParseInt(value, 10, 64)
	if err == nil && n >= acked && n <= max(acked, h.Attempted[key]) {
		return Loss{}, false
	}
	return Loss{Key: key, Acknowledged: acked, Found: value}, true
}
