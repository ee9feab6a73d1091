package proxy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// Side takes changes in for one link, on connections of its own.
type Side struct {
	s    *session
	once sync.Once
}

var _ crdb.Side = (*Side)(nil)

// Side makes the side of one link; close it.
func (e *Endpoint) Side() *Side {
	return &Side{s: &session{e: e, version: 2, conns: make(map[string]*shardConn), gone: make(chan struct{})}}
}

// Close ends the connections; nothing else may run meanwhile.
func (d *Side) Close() {
	d.once.Do(func() {
		close(d.s.gone)
		for _, c := range d.s.conns {
			c.close()
		}
	})
}

var errNoCRDT = errors.New("proxy: not an Active-Active database")

// askAll sends one command to every backend and returns the answers by index.
func (s *session) askAll(ctx context.Context, write bool, make func(k *compiled, backend int) ([][]byte, error)) ([]resp.Value, error) {
	e := s.e
	if err := e.gate.enter(time.Now().Add(e.options.Patience), s.gone); err != nil {
		return nil, err
	}
	defer e.gate.leave()
	k := e.config.Load()
	if k.CRDT == nil {
		return nil, errNoCRDT
	}
	if len(k.Backends) == 0 {
		return nil, noShard{}
	}
	a := &attempt{s: s, k: k, conns: map[int]*shardConn{}, waits: map[int]bool{}}
	for i := range k.Backends {
		args, err := make(k, i)
		if err != nil {
			return nil, err
		}
		p := part{backend: i, payload: resp.AppendCommand(nil, args...), replies: 1, write: write}
		a.ops = append(a.ops, operation{command: command{spec: &spec{name: "eval", script: true}}, parts: []part{p}})
	}
	stop := context.AfterFunc(ctx, a.cut)
	defer stop()
	if err := a.exchange(); err != nil { //nolint:contextcheck // dialling ends with the endpoint, the rest with the context
		a.abandon()
		return nil, err
	}
	var out []resp.Value
	for _, raw := range a.replies {
		v, _, err := resp.Parse(raw)
		if err == nil {
			err = v.Err()
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Seen implements crdb.Side.
func (d *Side) Seen(ctx context.Context) ([]string, error) {
	values, err := d.s.askAll(ctx, false, func(*compiled, int) ([][]byte, error) { return crdb.Eval(crdb.Seen, nil), nil })
	if err != nil {
		return nil, err
	}
	var shards [][]string
	for _, v := range values {
		var pairs []string
		for _, p := range v.Elems {
			pairs = append(pairs, p.String())
		}
		shards = append(shards, pairs)
	}
	return crdb.MergeSeen(shards), nil
}

// Take implements crdb.Side: each shard takes in its keys and notes the position, also one that has none of the keys.
func (d *Side) Take(ctx context.Context, b crdb.Batch) error {
	values, err := d.s.askAll(ctx, true, func(k *compiled, backend int) ([][]byte, error) {
		var mine []crdb.Entry
		for _, entry := range b.Entries {
			owner := k.owner[k.slotOf(entry.Key)]
			if owner < 0 {
				return nil, noShard{k.slotOf(entry.Key)}
			}
			if owner == backend {
				mine = append(mine, entry)
			}
		}
		keys, args := crdb.TakeArguments(epoch(k.Backends[backend]), salt(), b, mine)
		return crdb.Eval(crdb.Take, keys, args...), nil
	})
	if err != nil {
		return err
	}
	d.s.e.changes.announce()
	for _, v := range values {
		if v.Int < 0 {
			return crdb.ErrGap
		}
	}
	return nil
}

// unseen collects what a peer has not seen, from all shards.
func (s *session) unseen(ctx context.Context, seen []string) ([]crdb.Batch, error) {
	var ranges []SlotRange
	k := s.e.config.Load()
	values, err := s.askAll(ctx, false, func(now *compiled, backend int) ([][]byte, error) {
		k = now
		if r := now.Backends[backend].Slots; now.Sharded && len(r) > 0 {
			ranges = append(ranges, r[0])
		} else {
			ranges = append(ranges, SlotRange{0, Slots - 1})
		}
		r := ranges[len(ranges)-1]
		return crdb.Eval(crdb.Read, nil, crdb.ReadArguments(fmt.Sprintf("%d-%d", r.First, r.Last), seen)...), nil
	})
	if err != nil {
		return nil, err
	}
	var out []crdb.Batch
	for i, v := range values {
		b, err := crdb.ParseBatch(v)
		if err != nil {
			return nil, err
		}
		// While a shard is being split, both halves know all keys; each speaks for its own.
		var own []crdb.Entry
		for _, entry := range b.Entries {
			if slot := k.slotOf(entry.Key); !k.Sharded || slot >= ranges[i].First && slot <= ranges[i].Last {
				own = append(own, entry)
			}
		}
		b.Entries = own
		out = append(out, b)
	}
	return out, nil
}

// changes wakes those that wait for something new.
type changes struct {
	mu  sync.Mutex
	new chan struct{}
}

func (c *changes) wait() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil {
		c.new = make(chan struct{})
	}
	return c.new
}

func (c *changes) announce() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new != nil {
		close(c.new)
		c.new = nil
	}
}
