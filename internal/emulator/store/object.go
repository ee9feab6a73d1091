package store

import (
	"encoding/json"
	"fmt"
	"sync"
)

// stored is one version of an object: its text and, once somebody asked, what it says. Snapshots that agree on the
// object share it, so that it is decoded once and not at every question of every request.
type stored struct {
	raw  json.RawMessage
	once sync.Once
	tree map[string]any
	err  error
}

func (o *stored) decoded() (map[string]any, error) {
	o.once.Do(func() { o.err = json.Unmarshal(o.raw, &o.tree) })
	return o.tree, o.err
}

// Get decodes an object. Absent is not an error: ok is false. What it returns belongs to the caller.
func Get[T any](r Reader, kind, id string) (v T, ok bool, err error) {
	if tree, wanted := any(&v).(*map[string]any); wanted {
		shared, ok, err := Peek(r, kind, id)
		if shared != nil {
			*tree = cloned(shared).(map[string]any)
		}
		return v, ok, err
	}
	raw, ok := r.Raw(kind, id)
	if !ok {
		return v, false, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, true, fmt.Errorf("store: %s/%s: %w", kind, id, err)
	}
	return v, true, nil
}

// Peek is Get for a caller that only looks: what it returns is shared, and nobody may change it.
func Peek(r Reader, kind, id string) (map[string]any, bool, error) {
	tree, ok, err := r.Tree(kind, id)
	if err != nil {
		return nil, ok, fmt.Errorf("store: %s/%s: %w", kind, id, err)
	}
	return tree, ok, nil
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

// cloned copies what json.Unmarshal makes.
func cloned(v any) any {
	switch t := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(t))
		for k, e := range t {
			c[k] = cloned(e)
		}
		return c
	case []any:
		c := make([]any, len(t))
		for i, e := range t {
			c[i] = cloned(e)
		}
		return c
	}
	return v
}
