package proxy

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// whileSubscribed are the commands that version 2 of the protocol allows to a client with subscriptions.
var whileSubscribed = map[string]bool{
	"subscribe": true, "psubscribe": true, "ssubscribe": true,
	"unsubscribe": true, "punsubscribe": true, "sunsubscribe": true, "ping": true, "quit": true, "reset": true,
}

// subscriber is the subscribed side of a session: a connection of its own to every shard, because a message may appear at
// any of them (a keyspace event appears where the key is), and a subscription is only confirmed once all shards have it.
type subscriber struct {
	s     *session
	conns []*shardConn

	mu        sync.Mutex
	confirmed chan struct{} // one signal for each confirmation of a shard
	holding   bool          // messages wait until the client has read about its new subscriptions
	early     [][]byte
	readers   sync.WaitGroup

	channels, patterns, shardChannels map[string]bool
}

// kinds says which set a command changes.
func (u *subscriber) kind(name string) map[string]bool {
	switch {
	case strings.HasPrefix(name, "p"):
		return u.patterns
	case strings.HasPrefix(name, "ssub"), strings.HasPrefix(name, "sunsub"):
		return u.shardChannels
	}
	return u.channels
}

// count is the number that confirmations report.
func (u *subscriber) count(name string) int {
	if strings.HasPrefix(name, "ssub") || strings.HasPrefix(name, "sunsub") {
		return len(u.shardChannels)
	}
	return len(u.channels) + len(u.patterns)
}

func (s *session) subscribed() bool {
	return s.sub != nil && len(s.sub.channels)+len(s.sub.patterns)+len(s.sub.shardChannels) > 0
}

// subscribe answers SUBSCRIBE, PSUBSCRIBE and SSUBSCRIBE.
func (s *session) subscribe(c command) error {
	if s.tx != nil {
		s.tx.broken = true
		s.fail("ERR Command not allowed inside a transaction")
		return nil
	}
	if s.sub != nil && !s.sub.usable() {
		return errFenced // the client is being cut
	}
	if s.sub == nil {
		if err := s.openSubscriber(); err != nil {
			return err
		}
	}
	return s.sub.change(c.name, c.args[1:])
}

// unsubscribe answers UNSUBSCRIBE, PUNSUBSCRIBE and SUNSUBSCRIBE; without names all go.
func (s *session) unsubscribe(c command) error {
	names := c.args[1:]
	if s.sub != nil && len(names) == 0 {
		for name := range s.sub.kind(c.name) {
			names = append(names, []byte(name))
		}
	}
	if s.sub == nil || len(names) == 0 {
		s.confirm(c.name, names)
		return nil
	}
	return s.sub.change(c.name, names)
}

// confirm tells a client without subscriptions that it has none.
func (s *session) confirm(name string, channels [][]byte) {
	if len(channels) == 0 {
		channels = [][]byte{nil}
	}
	for _, ch := range channels {
		out := s.pushHead(3)
		out = resp.AppendBulk(out, name)
		if ch == nil {
			out = resp.AppendNull(out, s.version)
		} else {
			out = resp.AppendBulk(out, ch)
		}
		s.push(resp.AppendInt(out, 0))
	}
}

func (s *session) pushHead(n int) []byte {
	if s.version >= 3 {
		return resp.AppendHead(nil, resp.Push, n)
	}
	return resp.AppendArray(nil, n)
}

// openSubscriber connects to all shards, waiting for them like any command does.
func (s *session) openSubscriber() error {
	until := time.Now().Add(s.e.options.Patience)
	for {
		k := s.e.config.Load()
		u, err := s.tryOpen(k)
		if err == nil {
			s.sub = u
			return nil
		}
		if time.Now().Add(retryPause).After(until) {
			return err
		}
		if err := waitFor(k.superseded, time.Now().Add(retryPause), s.gone); errors.Is(err, errGone) {
			return err
		}
	}
}

func (s *session) tryOpen(k *compiled) (*subscriber, error) {
	if len(k.Backends) == 0 {
		return nil, noShard{}
	}
	u := &subscriber{
		s: s, confirmed: make(chan struct{}),
		channels: map[string]bool{}, patterns: map[string]bool{}, shardChannels: map[string]bool{},
	}
	for _, b := range k.Backends {
		c, err := s.e.dial(b, s.version)
		if err != nil {
			for _, c := range u.conns {
				c.close()
			}
			return nil, err
		}
		u.conns = append(u.conns, c)
	}
	for _, c := range u.conns {
		u.readers.Go(func() { u.read(c) })
	}
	return u, nil
}

// usable tells whether the connections are still those of the configuration.
func (u *subscriber) usable() bool {
	for _, c := range u.conns {
		if _, err := u.s.e.current(c); err != nil {
			return false
		}
	}
	return true
}

// close ends all connections and waits for their readers.
func (u *subscriber) close() {
	for _, c := range u.conns {
		c.close()
	}
	u.readers.Wait()
	u.s.e.stats.channels.Add(-int64(len(u.channels) + len(u.shardChannels)))
	u.s.e.stats.patterns.Add(-int64(len(u.patterns)))
}

// read passes messages on. When a shard goes away the client is cut, so that it subscribes again and knows that it may
// have missed something.
func (u *subscriber) read(c *shardConn) {
	defer u.s.cut()
	defer c.close()
	for {
		raw, err := c.in.ReadRaw(nil)
		if err != nil {
			return
		}
		v, _, err := resp.Parse(raw)
		if err != nil || len(v.Elems) == 0 {
			return // an error reply: the shard does not take subscriptions at the moment
		}
		if strings.HasSuffix(v.Elems[0].String(), "subscribe") {
			select {
			case u.confirmed <- struct{}{}:
			case <-u.s.done:
				return
			}
			continue
		}
		u.deliver(raw)
	}
}

// deliver writes a message to the client, or keeps it while a change of subscriptions is being confirmed.
func (u *subscriber) deliver(raw []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.holding {
		u.early = append(u.early, raw)
		return
	}
	u.s.push(raw)
	if u.s.flush() != nil {
		u.s.cut()
	}
}

// change subscribes or unsubscribes at all shards, and tells the client when all have confirmed.
func (u *subscriber) change(name string, names [][]byte) error {
	u.mu.Lock()
	u.holding = true
	u.mu.Unlock()
	payload := resp.AppendCommand(nil, append([][]byte{[]byte(name)}, names...)...)
	for _, c := range u.conns {
		if _, err := c.out.Write(payload); err != nil {
			return err
		}
		if err := c.out.Flush(); err != nil {
			return err
		}
	}
	for range len(names) * len(u.conns) {
		if err := waitFor(u.confirmed, time.Now().Add(u.s.e.options.Patience), u.s.gone); err != nil {
			return err
		}
	}
	u.tell(name, names)
	return nil
}

// tell confirms a change to the client and lets waiting messages through.
func (u *subscriber) tell(name string, names [][]byte) {
	set := u.kind(name)
	remove := strings.Contains(name, "unsubscribe")
	before, patterns := len(u.channels)+len(u.shardChannels), len(u.patterns)
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range names {
		if remove {
			delete(set, string(n))
		} else {
			set[string(n)] = true
		}
		out := resp.AppendBulk(u.s.pushHead(3), name)
		u.s.push(resp.AppendInt(resp.AppendBulk(out, n), int64(u.count(name))))
	}
	for _, raw := range u.early {
		u.s.push(raw)
	}
	u.early, u.holding = nil, false
	u.s.e.stats.channels.Add(int64(len(u.channels) + len(u.shardChannels) - before))
	u.s.e.stats.patterns.Add(int64(len(u.patterns) - patterns))
}
