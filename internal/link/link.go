package link

import (
	"bytes"
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// Target is where and how a cluster is reached. All of it may change during the life of a link.
type Target struct {
	// Addresses of the nodes' admin API, host or host:port, best first.
	Addresses []string
	// ServerName is the name that the API certificate carries: the cluster's FQDN. It is fixed at creation.
	ServerName string
	// CA holds the PEM certificates to trust, and nothing else is trusted.
	CA []byte
	// Credentials of the admin account.
	Credentials rest.Credentials
}

// Link is the connection to one cluster.
type Link struct {
	key     types.NamespacedName
	opts    Options
	client  *rest.Client
	guard   *guard
	publish func(Change)

	mu      sync.Mutex
	target  Target
	pool    *x509.CertPool
	current *Snapshot
	updated chan struct{} // closed when current is replaced
	hurry   time.Time
	// started is the number of the reading that began last. written is the first reading that sees the last write,
	// and wanted the first one that somebody waits for.
	started, written, wanted uint64

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

func newLink(key types.NamespacedName, t Target, opts Options, publish func(Change)) *Link {
	l := &Link{key: key, opts: opts, publish: publish, guard: &guard{clock: opts.Clock}, target: t, pool: poolOf(t.CA),
		current: &Snapshot{Err: ErrNotYet}, updated: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{})}
	middleware := []rest.Middleware{l.countWrites, l.guard.middleware}
	if opts.Middleware != nil {
		middleware = append(middleware, opts.Middleware(key)...)
	}
	ro := rest.Options{Addresses: l.addresses, ServerName: t.ServerName, RootCAs: l.roots, Credentials: l.credentials,
		Timeout: opts.Timeout, Middleware: middleware}
	if opts.Transport != nil {
		ro.Transport = opts.Transport(key)
	}
	l.client = rest.New(ro)
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go l.run(ctx)
	return l
}

// Key is the cluster's name.
func (l *Link) Key() types.NamespacedName { return l.key }

// Client makes calls to the cluster. After a write through it, Observe never returns an older reading.
func (l *Link) Client() *rest.Client { return l.client }

// Latest returns the newest snapshot without waiting. Its Err is ErrNotYet before the first reading has ended.
func (l *Link) Latest() *Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// Observe returns a snapshot that is not older than the last write made through this link's client, reading anew only
// if needed. Many callers share one reading. The snapshot comes with the error and then holds older facts.
func (l *Link) Observe(ctx context.Context) (*Snapshot, error) {
	l.mu.Lock()
	n := l.written
	l.mu.Unlock()
	return l.reading(ctx, n)
}

// Refresh returns a snapshot whose reading began after the call. Use it before an act that cannot be undone.
func (l *Link) Refresh(ctx context.Context) (*Snapshot, error) {
	l.mu.Lock()
	l.wanted = l.started + 1
	n := l.wanted
	l.mu.Unlock()
	l.nudge()
	return l.reading(ctx, n)
}

// After returns a snapshot whose reading began after t.
func (l *Link) After(ctx context.Context, t time.Time) (*Snapshot, error) {
	if s := l.Latest(); s.Up() && s.Time.After(t) {
		return s, nil
	}
	return l.Refresh(ctx)
}

// Hurry makes the poller read at the busy pace for a while, because the caller knows that something will happen.
func (l *Link) Hurry(d time.Duration) {
	until := l.opts.Clock.Now().Add(d)
	l.mu.Lock()
	if until.After(l.hurry) {
		l.hurry = until
	}
	l.mu.Unlock()
	l.nudge()
}

// Update replaces the target. Connections are kept unless what is trusted changed; credentials that were refused are
// tried again only if they changed.
func (l *Link) Update(t Target) {
	l.mu.Lock()
	old := l.target
	newCA := !bytes.Equal(old.CA, t.CA)
	t.Addresses = slices.Clone(t.Addresses)
	l.target = t
	if newCA {
		l.pool = poolOf(t.CA)
	}
	l.mu.Unlock()
	newCredentials := old.Credentials != t.Credentials
	if newCredentials {
		l.guard.open()
	}
	if newCA {
		l.client.Close()
	}
	if newCredentials || newCA || !slices.Equal(old.Addresses, t.Addresses) && !l.Latest().Up() {
		l.changed()
	}
}

// changed makes every snapshot so far too old.
func (l *Link) changed() {
	l.mu.Lock()
	l.written = l.started + 1
	l.wanted = l.written
	l.mu.Unlock()
	l.nudge()
}

// Target returns what the link uses now.
func (l *Link) Target() Target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.target
}

func (l *Link) stop() {
	l.cancel()
	<-l.done
	l.client.Close()
}

func (l *Link) addresses() []string { return l.Target().Addresses }

func (l *Link) credentials() rest.Credentials { return l.Target().Credentials }

func (l *Link) roots() *x509.CertPool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pool
}

func poolOf(pem []byte) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool
}

// countWrites makes every snapshot that began before the end of a write too old, whether the write worked or not.
func (l *Link) countWrites(next http.RoundTripper) http.RoundTripper {
	return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodGet {
			return next.RoundTrip(req)
		}
		defer l.changed()
		return next.RoundTrip(req)
	})
}

func (l *Link) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// reading returns the snapshot of reading number n or of a later one.
func (l *Link) reading(ctx context.Context, n uint64) (*Snapshot, error) {
	for {
		l.mu.Lock()
		s, updated := l.current, l.updated
		l.mu.Unlock()
		if s.number >= n && s.Err != ErrNotYet || s.Err == ErrClosed { //nolint:errorlint // never wrapped
			return s, s.Err
		}
		select {
		case <-updated:
		case <-ctx.Done():
			return s, ctx.Err()
		}
	}
}

// run reads, tells what changed, and waits: for the clock, or for a reason to look again at once.
func (l *Link) run(ctx context.Context) {
	defer close(l.done)
	failures := 0
	for {
		before := l.Latest()
		after := read(ctx, l.client, before, l.begin())
		if ctx.Err() != nil {
			l.replace(closed(after))
			return
		}
		failures++
		if after.Up() {
			failures = 0
		}
		l.replace(after)
		if c := compare(l.key, before, after); !c.Empty() {
			l.publish(c)
		}
		if !l.pause(ctx, l.interval(after, failures)) {
			l.replace(closed(after))
			return
		}
	}
}

// begin numbers a reading.
func (l *Link) begin() start {
	now := l.opts.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started++
	return start{now: now, number: l.started, written: l.written}
}

func closed(s *Snapshot) *Snapshot {
	c := *s
	c.Err = ErrClosed
	return &c
}

// patience is the number of failed readings after which the busy pace is given up.
const patience = 10

func (l *Link) interval(s *Snapshot, failures int) time.Duration {
	now := l.opts.Clock.Now()
	if until, shut := l.guard.shut(); shut {
		return until.Sub(now) // no jitter: it only has to be long enough
	}
	l.mu.Lock()
	hurry := l.hurry.After(now)
	l.mu.Unlock()
	base := l.opts.Idle
	if hurry || s.Up() && s.Busy() || !s.Up() && failures <= patience {
		base = l.opts.Busy
	}
	if l.opts.Jitter < 0 {
		return base
	}
	return wait.Jitter(base, l.opts.Jitter)
}

// pause waits for d, or until somebody needs a newer reading. It reports false when the link is removed. A call for
// haste only shortens the wait to the busy pace.
func (l *Link) pause(ctx context.Context, d time.Duration) bool {
	timer := l.opts.Clock.NewTimer(d)
	defer timer.Stop()
	end := l.opts.Clock.Now().Add(d)
	for {
		l.mu.Lock()
		due, hurry := l.wanted > l.started, l.hurry
		l.mu.Unlock()
		if due {
			return true
		}
		if now := l.opts.Clock.Now(); hurry.After(now) && end.After(now.Add(l.opts.Busy)) {
			end = now.Add(l.opts.Busy)
			timer.Reset(l.opts.Busy)
		}
		select {
		case <-ctx.Done():
			return false
		case <-timer.C():
			return true
		case <-l.wake:
		}
	}
}

func (l *Link) replace(s *Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.current = s
	close(l.updated)
	l.updated = make(chan struct{})
}
