package proxy

import (
	"fmt"
	"net/netip"
	"sort"
	"strconv"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// compiled is a configuration made ready for use.
type compiled struct {
	Config
	slotOf func([]byte) int
	// superseded is closed when another configuration has taken over.
	superseded chan struct{}
	owner      [Slots]int // index into Backends, or -1
	nodeOf     [Slots]int // index into Nodes, or -1
	reach      []int      // the backends that commands without keys concern
}

func compile(c Config) (*compiled, error) {
	if c.OSSCluster {
		c.HashRules = nil
	}
	slotOf, err := compileRules(c.HashRules)
	if err != nil {
		return nil, err
	}
	k := &compiled{Config: c, slotOf: slotOf, superseded: make(chan struct{})}
	for i := range k.owner {
		k.owner[i], k.nodeOf[i] = -1, -1
		if !c.Sharded && len(c.Backends) > 0 {
			k.owner[i] = 0
		}
	}
	if c.Sharded {
		for i, b := range c.Backends {
			if err := mark(&k.owner, b.Slots, i); err != nil {
				return nil, fmt.Errorf("backend %s: %w", b.ID, err)
			}
		}
	}
	for i, n := range c.Nodes {
		if err := mark(&k.nodeOf, n.Slots, i); err != nil {
			return nil, fmt.Errorf("node %s: %w", n.Host, err)
		}
	}
	k.reach = k.reachable()
	return k, nil
}

// reachable are all backends, or with the OSS cluster API those that this endpoint announces as its own.
func (k *compiled) reachable() []int {
	var all, own []int
	for i, b := range k.Backends {
		all = append(all, i)
		if len(b.Slots) == 0 {
			continue
		}
		if n := k.nodeOf[b.Slots[0].First]; n >= 0 && k.Nodes[n].Self {
			own = append(own, i)
		}
	}
	if k.OSSCluster && len(own) > 0 {
		return own
	}
	return all
}

func mark(table *[Slots]int, ranges []SlotRange, index int) error {
	for _, r := range ranges {
		if r.First < 0 || r.Last >= Slots || r.First > r.Last {
			return fmt.Errorf("slot range %d-%d", r.First, r.Last)
		}
		for s := r.First; s <= r.Last; s++ {
			table[s] = index
		}
	}
	return nil
}

// find returns the backend with the same identity as b, if the configuration still has it.
func (k *compiled) find(b Backend) (Backend, bool) {
	for _, x := range k.Backends {
		if x.ID == b.ID && x.Epoch == b.Epoch && x.Addr == b.Addr {
			return x, true
		}
	}
	return Backend{}, false
}

// noShard is the error of a command whose shard is not known at the moment; it waits for a new configuration.
type noShard struct{ slot int }

func (e noShard) Error() string { return fmt.Sprintf("no shard serves slot %d", e.slot) }

// part is what one backend is asked.
type part struct {
	backend int
	payload []byte
	replies int // how many replies come; all but the last are dropped
	write   bool
	extract func(raws [][]byte) []byte // nil: the last reply is the answer
}

// operation is a command on its way: what to ask of whom, and how to make one reply of the answers. Without parts, reply
// is the answer already.
type operation struct {
	command
	parts []part
	merge func(raws [][]byte) []byte // nil with one part: as it came
	reply []byte
}

func answered(c command, reply []byte) operation { return operation{command: c, reply: reply} }

func failed(c command, text string) operation {
	return operation{command: c, reply: resp.AppendError(nil, text)}
}

const crossSlot = "CROSSSLOT Keys in request don't hash to the same slot"

// caller is what the answer to a command depends on besides the command.
type caller struct {
	version int        // of the protocol
	from    netip.Addr // where the client is
}

// plan decides where a command goes.
func (k *compiled) plan(c command, who caller) (operation, error) {
	if len(k.Backends) == 0 {
		return operation{}, noShard{}
	}
	if fan, ok := fanouts[c.name]; ok {
		if merge := fan(k, c); merge != nil {
			return k.toAll(c, merge), nil
		}
	}
	if !k.Sharded {
		return k.toOne(c, 0), nil
	}
	if c.name == "scan" {
		return k.scan(c)
	}
	at := c.keys()
	if len(at) == 0 {
		return k.toOne(c, k.reach[0]), nil
	}
	return k.keyed(c, at, who)
}

// keyed sends a command to the owner of its keys, or spreads it when it is one of those that may span slots.
func (k *compiled) keyed(c command, at []int, who caller) (operation, error) {
	slot := k.slotOf(c.args[at[0]])
	same := true
	for _, i := range at[1:] {
		same = same && k.slotOf(c.args[i]) == slot
	}
	if spread := spreads[c.name]; spread != nil && !same && !k.OSSCluster {
		return k.spread(c, at, *spread, who.version)
	}
	if !same {
		return failed(c, crossSlot), nil
	}
	if moved := k.moved(slot, who.from); moved != "" {
		return failed(c, moved), nil
	}
	if k.owner[slot] < 0 {
		return operation{}, noShard{slot}
	}
	return k.toOne(c, k.owner[slot]), nil
}

// moved is the redirection for a slot that another endpoint announces, or empty.
func (k *compiled) moved(slot int, client netip.Addr) string {
	if !k.OSSCluster || k.nodeOf[slot] < 0 {
		return ""
	}
	n := k.Nodes[k.nodeOf[slot]]
	if n.Self {
		return ""
	}
	return fmt.Sprintf("MOVED %d %s:%d", slot, n.hostFor(client), n.Port)
}

func (k *compiled) toOne(c command, backend int) operation {
	p := part{backend: backend, payload: resp.AppendCommand(nil, c.args...), replies: 1, write: c.writes()}
	return operation{command: c, parts: []part{k.noted(p, c.written())}}
}

func (k *compiled) toAll(c command, merge func([][]byte) []byte) operation {
	op := operation{command: c, merge: merge}
	payload := resp.AppendCommand(nil, c.args...)
	for _, i := range k.reach {
		op.parts = append(op.parts, part{backend: i, payload: payload, replies: 1, write: c.writes()})
	}
	return op
}

// spreading says how a command over keys of many slots is taken apart: each key with the arguments that belong to it.
type spreading struct {
	step  int
	merge func(version int, groups [][]int, raws [][]byte) []byte
}

// spreads are the commands that Redis Enterprise lets span slots: reads EXISTS and MGET, writes DEL, MSET, TOUCH, UNLINK.
var spreads = map[string]*spreading{
	"exists": {1, sumGroups}, "del": {1, sumGroups}, "touch": {1, sumGroups}, "unlink": {1, sumGroups},
	"mget": {1, mergeValues}, "mset": {2, okGroups},
}

// spread takes a command apart by shard.
func (k *compiled) spread(c command, at []int, how spreading, version int) (operation, error) {
	byBackend := make(map[int][]int)
	for n, i := range at {
		slot := k.slotOf(c.args[i])
		if k.owner[slot] < 0 {
			return operation{}, noShard{slot}
		}
		b := k.owner[slot]
		byBackend[b] = append(byBackend[b], n)
	}
	if (len(c.args)-1)%how.step != 0 {
		return failed(c, fmt.Sprintf("ERR wrong number of arguments for '%s' command", c.name)), nil
	}
	op := operation{command: c}
	var groups [][]int
	for _, b := range sortedKeys(byBackend) {
		args := [][]byte{c.args[0]}
		for _, n := range byBackend[b] {
			args = append(args, c.args[at[n]:at[n]+how.step]...)
		}
		p := part{backend: b, payload: resp.AppendCommand(nil, args...), replies: 1, write: c.writes()}
		op.parts = append(op.parts, k.noted(p, command{spec: c.spec, args: args}.written()))
		groups = append(groups, byBackend[b])
	}
	op.merge = func(raws [][]byte) []byte { return how.merge(version, groups, raws) }
	return op, nil
}

func sortedKeys(m map[int][]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}

// scanBits is how many bits of a cursor name the shard. Shards' own cursors are far below the other 54.
const scanBits = 9

func parseCursor(b []byte) (uint64, bool) {
	n, err := strconv.ParseUint(string(b), 10, 64)
	return n, err == nil
}

// scan walks one shard after the other; the cursor says which one is being walked.
func (k *compiled) scan(c command) (operation, error) {
	if msg := c.badArity(); msg != "" {
		return failed(c, msg), nil
	}
	cursor, ok := parseCursor(c.args[1])
	at := cursor & (1<<scanBits - 1)
	if !ok || at >= uint64(len(k.reach)) {
		return failed(c, "ERR invalid cursor"), nil
	}
	args := append([][]byte{c.args[0], strconv.AppendUint(nil, cursor>>scanBits, 10)}, c.args[2:]...)
	op := k.toOne(command{spec: c.spec, args: args}, k.reach[at])
	last := at == uint64(len(k.reach))-1
	op.merge = func(raws [][]byte) []byte { return nextCursor(raws[0], at, last) }
	return op, nil
}
