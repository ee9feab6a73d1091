package crdb

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// Times of a link.
const (
	dialTimeout = 3 * time.Second
	// answerTimeout is how long a peer may be silent. It answers within a second when it has nothing to tell.
	answerTimeout = 5 * time.Second
	firstRetry    = 100 * time.Millisecond
	lastRetry     = 2 * time.Second
	mostPause     = 50 * time.Millisecond
)

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Status is the documented word for the state of a source.
type Status string

// The states of a source.
const (
	OutOfSync Status = "out-of-sync"
	Syncing   Status = "syncing"
	InSync    Status = "in-sync"
)

// Side is the data of this side, as a link needs it.
type Side interface {
	// Seen are the positions that every shard has taken in: pairs of log and position.
	Seen(ctx context.Context) ([]string, error)
	// Take takes a batch in, or returns ErrGap. When it returns nil, what was newer is there and on as many replicas as a write needs.
	Take(ctx context.Context, b Batch) error
}

// Peer says where and as whom to ask.
type Peer struct {
	GUID     string
	Own      int64 // this side's instance
	Address  string
	Password string
	TLS      *tls.Config // nil for a plain connection
	// Dial connects; nil is the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// ErrGap says that a shard has not seen what a batch follows on.
var ErrGap = errors.New("crdb: the shard has not seen what came before")

// errOwn says that it is this side that cannot.
var errOwn = errors.New("this instance")

// State is what is known about a link.
type State struct {
	Status   Status        `json:"status"`
	Error    string        `json:"error,omitempty"`
	Lag      time.Duration `json:"lag"`
	Updated  time.Time     `json:"updated"`
	Received int64         `json:"received"` // bytes
	Sent     int64         `json:"sent"`
	Keys     int64         `json:"keys"`   // taken in
	Asked    int64         `json:"asked"`  // keys that this side was given to take in
	Read     int64         `json:"read"`   // bytes of keys and values that the peer sent
	Taken    int64         `json:"taken"`  // and those of them that this side has acknowledged
	Held     time.Duration `json:"held"`   // how long the last batch waited for this side
	Source   Connection    `json:"source"` // to the peer
	Target   Connection    `json:"target"` // to this side
}

// Connection is one end of a link.
type Connection struct {
	Up    bool      `json:"up"`
	Since time.Time `json:"since"`
}

func (c *Connection) turn(up bool) {
	if c.Up != up || c.Since.IsZero() {
		c.Up, c.Since = up, time.Now()
	}
}

// Link asks one peer for its changes, for as long as it runs.
type Link struct {
	peer Peer
	own  Side
	tell func() // that the status changed

	mu    sync.Mutex
	state State
}

// NewLink prepares a link; tell is called whenever its status has changed.
func NewLink(p Peer, own Side, tell func()) *Link {
	l := &Link{peer: p, own: own, tell: tell, state: State{Status: OutOfSync}}
	l.state.Source.turn(false)
	l.state.Target.turn(false)
	return l
}

// State is the present state.
func (l *Link) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *Link) note(change func(*State)) {
	l.mu.Lock()
	before := l.state
	change(&l.state)
	changed := before.Status != l.state.Status || before.Error != l.state.Error
	l.mu.Unlock()
	if changed {
		l.tell()
	}
}

// Run keeps the link up until the context ends.
func (l *Link) Run(ctx context.Context) {
	retry := firstRetry
	for ctx.Err() == nil {
		began := time.Now()
		err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		l.note(func(s *State) {
			s.Status, s.Error = OutOfSync, err.Error()
			s.Source.turn(false)
			if errors.Is(err, errOwn) {
				s.Target.turn(false)
			}
		})
		if time.Since(began) > answerTimeout {
			retry = firstRetry
		}
		pause(ctx, retry)
		retry = min(2*retry, lastRetry)
	}
}

// session is the life of one connection.
func (l *Link) session(ctx context.Context) error {
	c, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := l.do(ctx, c, "AUTH", "admin", l.peer.Password); err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	l.note(func(s *State) { s.Source.turn(true) })
	for {
		if err := l.pull(ctx, c); err != nil {
			return err
		}
	}
}

func (l *Link) dial(ctx context.Context) (*resp.Conn, error) {
	if l.peer.Address == "" {
		return nil, errors.New("the address of the peer is not known")
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dial := l.peer.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", l.peer.Address)
	if err != nil {
		return nil, err
	}
	counted := &counting{Conn: nc, l: l}
	if l.peer.TLS == nil {
		return &resp.Conn{Conn: counted, Reader: resp.NewReader(counted)}, nil
	}
	secure := tls.Client(counted, l.peer.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return &resp.Conn{Conn: secure, Reader: resp.NewReader(secure)}, nil
}

// do is one exchange, which the peer must not take too long for.
func (l *Link) do(ctx context.Context, c *resp.Conn, args ...string) (resp.Value, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout, errors.New("the peer does not answer"))
	defer cancel()
	return c.Do(ctx, args...)
}

// pull asks once and takes in what came.
func (l *Link) pull(ctx context.Context, c *resp.Conn) error {
	seen, err := l.own.Seen(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errOwn, err)
	}
	l.note(func(s *State) { s.Target.turn(true) })
	args := append([]string{PullCommand, l.peer.GUID, strconv.FormatInt(l.peer.Own, 10)}, seen...)
	v, err := l.do(ctx, c, args...)
	if err != nil {
		return err
	}
	more, lag := false, time.Duration(0)
	for _, e := range v.Elems {
		b, err := ParseBatch(e)
		if err != nil {
			return err
		}
		more = more || b.More
		if b.Log == "" || len(b.Entries) == 0 && position(seen, b.Log) == b.Position {
			continue
		}
		b.From = position(seen, b.Log)
		bytes := size(b)
		l.note(func(s *State) { s.Asked, s.Read = s.Asked+int64(len(b.Entries)), s.Read+bytes })
		began := time.Now()
		err = l.own.Take(ctx, b)
		took := time.Since(began)
		if errors.Is(err, ErrGap) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errOwn, err)
		}
		if b.More { // a shard that has much to take in is not to forget its clients
			pause(ctx, min(took, mostPause))
		}
		lag = max(lag, age(b))
		l.note(func(s *State) { s.Keys, s.Taken, s.Held = s.Keys+int64(len(b.Entries)), s.Taken+bytes, took })
	}
	l.note(func(s *State) {
		s.Status, s.Error, s.Updated, s.Lag = InSync, "", time.Now(), lag
		if more {
			s.Status = Syncing
		}
	})
	return nil
}

// position is how far a log has been seen.
func position(seen []string, log string) string {
	for i := 0; i+1 < len(seen); i += 2 {
		if seen[i] == log {
			return seen[i+1]
		}
	}
	return "0"
}

// size is that of the keys and values of a batch.
func size(b Batch) int64 {
	total := 0
	for _, e := range b.Entries {
		total += len(e.Key) + len(e.Value)
	}
	return int64(total)
}

// age is how long ago the last change of a batch was made.
func age(b Batch) time.Duration {
	if len(b.Entries) == 0 {
		return 0
	}
	micros, _ := strconv.ParseInt(b.Entries[len(b.Entries)-1].Moment, 10, 64)
	return max(0, time.Since(time.UnixMicro(micros)))
}

// counting counts what goes over the wire.
type counting struct {
	net.Conn
	l *Link
}

// Read counts what the peer sent.
func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.l.note(func(s *State) { s.Received += int64(n) })
	return n, err
}

// Write counts what the peer is sent.
func (c *counting) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.l.note(func(s *State) { s.Sent += int64(n) })
	return n, err
}

// MergeSeen is what all shards have taken in: a position counts only if all have one, and then the lowest.
func MergeSeen(shards [][]string) []string {
	count, lowest := map[string]int{}, map[string]int64{}
	var order []string
	for _, s := range shards {
		for i := 0; i+1 < len(s); i += 2 {
			position, err := strconv.ParseInt(strings.TrimSuffix(s[i+1], ".0"), 10, 64)
			if err != nil {
				continue
			}
			if count[s[i]] == 0 {
				order = append(order, s[i])
				lowest[s[i]] = position
			}
			count[s[i]]++
			lowest[s[i]] = min(lowest[s[i]], position)
		}
	}
	var out []string
	for _, log := range order {
		if count[log] == len(shards) {
			out = append(out, log, strconv.FormatInt(lowest[log], 10))
		}
	}
	return out
}
