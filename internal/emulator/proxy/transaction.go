package proxy

import (
	"net/netip"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// transaction is what MULTI has collected. Nothing of it is sent before EXEC, so a shard can be replaced in the middle.
type transaction struct {
	queued []command
	slot   int // of its keys, -1 before the first
	broken bool
}

// endsQueue are the commands that are not queued between MULTI and EXEC.
var endsQueue = map[string]bool{
	"exec": true, "discard": true, "multi": true, "watch": true, "quit": true,
	"auth": true, "hello": true, "subscribe": true, "psubscribe": true, "ssubscribe": true,
	"unsubscribe": true, "punsubscribe": true, "sunsubscribe": true,
}

// queue takes a command into the transaction, or marks the transaction as broken.
func (s *session) queue(c command) {
	text := c.badArity()
	if text == "" && commands[c.name] == nil && !s.shardKnows(c) {
		text = unknown(c)
	}
	if text == "" {
		text = s.tx.place(s.e.config.Load(), c)
	}
	if text != "" {
		s.tx.broken = true
		s.fail(text)
		return
	}
	s.tx.queued = append(s.tx.queued, c)
	s.emit(resp.AppendSimple(nil, "QUEUED"))
}

// shardKnows asks a shard about a command that is not in the table, such as those of modules.
func (s *session) shardKnows(c command) bool {
	ask := identify([][]byte{[]byte("COMMAND"), []byte("INFO"), c.args[0]})
	replies, _, err := s.try([]request{{command: ask}}, time.Now().Add(s.e.options.Patience))
	if err != nil {
		return true // EXEC will tell
	}
	v, _, err := resp.Parse(replies[0])
	return err == nil && len(v.Elems) == 1 && !v.Elems[0].Nil && len(v.Elems[0].Elems) > 0
}

// unknown is redis-server's error for a command it does not know.
func unknown(c command) string {
	text := "ERR unknown command '" + string(c.args[0]) + "', with args beginning with: "
	for _, a := range c.args[1:] {
		if len(text) > 128 {
			break
		}
		text += "'" + string(a) + "' "
	}
	return text
}

// place checks that all keys of a transaction share a slot.
func (t *transaction) place(k *compiled, c command) string {
	if !k.Sharded {
		return ""
	}
	for _, i := range c.keys() {
		slot := k.slotOf(c.args[i])
		if t.slot >= 0 && slot != t.slot {
			return crossSlot
		}
		t.slot = slot
	}
	return ""
}

// plan sends the whole transaction to the owner of its keys.
func (t *transaction) plan(k *compiled, exec command, client netip.Addr) (operation, error) {
	if len(k.Backends) == 0 {
		return operation{}, noShard{}
	}
	backend := k.reach[0]
	if t.slot >= 0 {
		if moved := k.moved(t.slot, client); moved != "" {
			return failed(exec, moved), nil
		}
		if k.owner[t.slot] < 0 {
			return operation{}, noShard{t.slot}
		}
		backend = k.owner[t.slot]
	}
	p := part{backend: backend, replies: len(t.queued) + 2}
	p.payload = resp.AppendCommand(p.payload, "MULTI")
	keys := t.written()
	noted := k.CRDT != nil && len(keys) > 0
	if noted {
		p.payload, p.replies, p.extract = k.appendBefore(p.payload), p.replies+2, inner
	}
	for _, c := range t.queued {
		p.payload = resp.AppendCommand(p.payload, c.args...)
		p.write = p.write || c.writes()
	}
	if noted {
		p.payload = k.appendAfter(p.payload, backend, keys)
	}
	p.payload = resp.AppendCommand(p.payload, "EXEC")
	return operation{command: exec, parts: []part{p}}, nil
}

// written are the keys that the transaction may change.
func (t *transaction) written() [][]byte {
	var out [][]byte
	for _, c := range t.queued {
		out = append(out, c.written()...)
	}
	return out
}

func (s *session) multi(command) error {
	if s.tx != nil {
		s.fail("ERR MULTI calls can not be nested")
		return nil
	}
	s.tx = &transaction{slot: -1}
	s.emit(resp.AppendSimple(nil, "OK"))
	return nil
}

func (s *session) discard(command) error {
	if s.tx == nil {
		s.fail("ERR DISCARD without MULTI")
		return nil
	}
	s.tx = nil
	s.forgetWatch()
	s.emit(resp.AppendSimple(nil, "OK"))
	return nil
}

func (s *session) exec(c command) error {
	t := s.tx
	if t == nil {
		s.fail("ERR EXEC without MULTI")
		return nil
	}
	s.tx = nil
	if t.broken {
		s.forgetWatch()
		s.fail("EXECABORT Transaction discarded because of previous errors.")
		return nil
	}
	err := s.forward([]request{{command: c, tx: t}})
	s.watch = nil
	return err
}

func (s *session) watchKeys(c command) error {
	if s.tx != nil {
		s.fail("ERR WATCH inside MULTI is not allowed")
		return nil
	}
	if s.watch != nil && s.watch.broken.Load() {
		// Earlier keys can no longer be vouched for. Keep the broken connection: EXEC then answers as if they had changed.
		s.emit(resp.AppendSimple(nil, "OK"))
		return nil
	}
	slot := s.e.config.Load().slotOf(c.args[1])
	if s.watch != nil && slot != s.watchSlot && s.e.config.Load().Sharded {
		s.fail(crossSlot)
		return nil
	}
	s.watchSlot = slot
	return s.forward([]request{{command: c}})
}

func (s *session) unwatch(command) error {
	s.forgetWatch()
	s.emit(resp.AppendSimple(nil, "OK"))
	return nil
}

// forgetWatch ends watching by ending the connection that watches.
func (s *session) forgetWatch() {
	if s.watch != nil {
		s.watch.close()
		s.watch = nil
	}
}
