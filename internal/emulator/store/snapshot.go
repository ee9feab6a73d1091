package store

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// Snapshot is the whole configuration at one revision. It never changes; take a new one to see changes.
type Snapshot struct {
	term, rev int64
	kinds     map[string]map[string]*stored
}

// Reader finds objects: a Snapshot, or a Tx with its own changes included.
type Reader interface {
	Raw(kind, id string) (json.RawMessage, bool)
	// Tree is a decoded object; it is shared, and nobody may change it.
	Tree(kind, id string) (map[string]any, bool, error)
	IDs(kind string) []string
}

// Rev is the revision: it grows by one with every change.
func (s *Snapshot) Rev() int64 {
	if s == nil {
		return 0
	}
	return s.rev
}

// Raw returns an object; nobody may change the bytes.
func (s *Snapshot) Raw(kind, id string) (json.RawMessage, bool) {
	if s == nil {
		return nil, false
	}
	o, ok := s.kinds[kind][id]
	if !ok {
		return nil, false
	}
	return o.raw, true
}

// Tree implements Reader.
func (s *Snapshot) Tree(kind, id string) (map[string]any, bool, error) {
	if s == nil {
		return nil, false, nil
	}
	o, ok := s.kinds[kind][id]
	if !ok {
		return nil, false, nil
	}
	tree, err := o.decoded()
	return tree, true, err
}

// IDs lists the ids of a kind, numbers first and in their order.
func (s *Snapshot) IDs(kind string) []string {
	if s == nil {
		return nil
	}
	return sortedIDs(maps.Keys(s.kinds[kind]))
}

func sortedIDs(ids func(func(string) bool)) []string {
	return slices.SortedFunc(ids, func(a, b string) int {
		x, errX := strconv.ParseInt(a, 10, 64)
		y, errY := strconv.ParseInt(b, 10, 64)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(x, y)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
}

// position is how far a data set has come; term first, as a later master overrules an earlier one.
type position struct{ Term, Rev int64 }

func (p position) less(o position) bool {
	return p.Term < o.Term || p.Term == o.Term && p.Rev < o.Rev
}

func (s *Snapshot) position() position {
	if s == nil {
		return position{}
	}
	return position{s.term, s.rev}
}

// entry is one change, as it is published to all copies.
type entry struct {
	Prev position                              `json:"prev"`
	Pos  position                              `json:"pos"`
	Put  map[string]map[string]json.RawMessage `json:"put,omitempty"`
	Del  map[string][]string                   `json:"del,omitempty"`
}

func (e *entry) empty() bool { return len(e.Put) == 0 && len(e.Del) == 0 }

// with returns the snapshot after a change; what did not change is shared.
func (s *Snapshot) with(e *entry) *Snapshot {
	next := &Snapshot{term: e.Pos.Term, rev: e.Pos.Rev, kinds: maps.Clone(s.kinds)}
	if next.kinds == nil {
		next.kinds = map[string]map[string]*stored{}
	}
	touch := func(kind string) map[string]*stored {
		m := maps.Clone(next.kinds[kind])
		if m == nil {
			m = map[string]*stored{}
		}
		next.kinds[kind] = m
		return m
	}
	for kind, objects := range e.Put {
		m := touch(kind)
		for id, raw := range objects {
			m[id] = &stored{raw: raw}
		}
	}
	for kind, ids := range e.Del {
		m := touch(kind)
		for _, id := range ids {
			delete(m, id)
		}
	}
	return next
}
