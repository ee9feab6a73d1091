package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
)

// kindCounter holds the numbers drawn by NextUID.
const kindCounter = "counter"

// Tx is a change in the making. It sees its own writes; nobody else does before it is committed.
type Tx struct {
	base *Snapshot
	puts map[string]map[string]json.RawMessage // nil value: deleted
	err  error
}

// Raw implements Reader.
func (tx *Tx) Raw(kind, id string) (json.RawMessage, bool) {
	if raw, ok := tx.puts[kind][id]; ok {
		return raw, raw != nil
	}
	return tx.base.Raw(kind, id)
}

// Tree implements Reader.
func (tx *Tx) Tree(kind, id string) (map[string]any, bool, error) {
	raw, ok := tx.puts[kind][id]
	switch {
	case !ok:
		return tx.base.Tree(kind, id)
	case raw == nil:
		return nil, false, nil
	}
	var tree map[string]any
	err := json.Unmarshal(raw, &tree)
	return tree, true, err
}

// IDs implements Reader.
func (tx *Tx) IDs(kind string) []string {
	set := map[string]bool{}
	for _, id := range tx.base.IDs(kind) {
		set[id] = true
	}
	for id, raw := range tx.puts[kind] {
		if raw == nil {
			delete(set, id)
		} else {
			set[id] = true
		}
	}
	return sortedIDs(maps.Keys(set))
}

// Rev is the revision the change starts from.
func (tx *Tx) Rev() int64 { return tx.base.Rev() }

// Put writes an object.
func (tx *Tx) Put(kind, id string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		tx.err = fmt.Errorf("store: %s/%s: %w", kind, id, err)
		return
	}
	tx.set(kind, id, raw)
}

// Delete removes an object; removing an absent one changes nothing.
func (tx *Tx) Delete(kind, id string) { tx.set(kind, id, nil) }

// NextUID draws a number that was never drawn before for this kind.
func (tx *Tx) NextUID(kind string) int64 {
	n, _, err := Get[int64](tx, kindCounter, kind)
	if err != nil {
		tx.err = err
	}
	for n++; ; n++ {
		if _, taken := tx.Raw(kind, strconv.FormatInt(n, 10)); !taken {
			break
		}
	}
	tx.Put(kindCounter, kind, n)
	return n
}

func (tx *Tx) set(kind, id string, raw json.RawMessage) {
	if tx.puts == nil {
		tx.puts = map[string]map[string]json.RawMessage{}
	}
	if tx.puts[kind] == nil {
		tx.puts[kind] = map[string]json.RawMessage{}
	}
	tx.puts[kind][id] = raw
}

// entry is the difference between base and the changes; what was written as it already is does not count.
func (tx *Tx) entry(term int64) (*entry, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	e := &entry{
		Prev: tx.base.position(),
		Pos:  position{term, tx.base.Rev() + 1},
		Put:  map[string]map[string]json.RawMessage{},
		Del:  map[string][]string{},
	}
	for kind, objects := range tx.puts {
		for id, raw := range objects {
			old, had := tx.base.Raw(kind, id)
			switch {
			case raw == nil && had:
				e.Del[kind] = append(e.Del[kind], id)
			case raw != nil && !bytes.Equal(raw, old):
				if e.Put[kind] == nil {
					e.Put[kind] = map[string]json.RawMessage{}
				}
				e.Put[kind][id] = raw
			}
		}
	}
	return e, nil
}
