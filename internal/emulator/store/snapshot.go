package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Snapshot is the whole configuration at one revision. It never changes; take a new one to see changes.
type Snapshot struct {
	term, rev int64
	kinds     map[string]map[string]json.RawMessage
}

// Reader finds objects: a Snapshot, or a Tx with its own changes included.
type Reader interface {
	Raw(kind, id string) (json.RawMessage, bool)
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
	raw, ok := s.kinds[kind][id]
	return raw, ok
}

// IDs lists the ids of a kind, numbers first and in their order.
func (s *Snapshot) IDs(kind string) []string {
	if s == nil {
		return nil
	}
	return sortedIDs(maps.Keys(s.kinds[kind]))
}

// Get decodes an object. Absent is not an error: ok is false.
func Get[T any](r Reader, kind, id string) (v T, ok bool, err error) {
	raw, ok := r.Raw(kind, id)
	if !ok {
		return v, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, true, fmt.Errorf("store: %s/%s: %w", kind, id, err)
	}
	return v, true, nil
}

// List decodes all objects of a kind, in the order of IDs.
func List[T any](r Reader, kind string) ([]T, error) {
	ids := r.IDs(kind)
	out := make([]T, 0, len(ids))
	for _, id := range ids {
		v, _, err := Get[T](r, kind, id)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
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

// with returns the snapshot after a change; kinds that did not change are shared.
func (s *Snapshot) with(e *entry) *Snapshot {
	next := &Snapshot{term: e.Pos.Term, rev: e.Pos.Rev, kinds: maps.Clone(s.kinds)}
	if next.kinds == nil {
		next.kinds = map[string]map[string]json.RawMessage{}
	}
	touch := func(kind string) map[string]json.RawMessage {
		m := maps.Clone(next.kinds[kind])
		if m == nil {
			m = map[string]json.RawMessage{}
		}
		next.kinds[kind] = m
		return m
	}
	for kind, objects := range e.Put {
		maps.Copy(touch(kind), objects)
	}
	for kind, ids := range e.Del {
		m := touch(kind)
		for _, id := range ids {
			delete(m, id)
		}
	}
	return next
}
