package activeactive

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// tree is a JSON object.
type tree = map[string]any

// merge brings two changes of one original together, field by field: what only one side changed, counts; where both
// changed the same field differently, theirs counts, and the path of the field is among the conflicts. Objects are
// merged member by member, everything else as a whole.
func merge(base, mine, theirs tree) (merged tree, conflicts []string) {
	merged = tree{}
	keys := slices.Sorted(maps.Keys(union(base, mine, theirs)))
	for _, key := range keys {
		b, m, t := base[key], mine[key], theirs[key]
		value, inner := mergeValue(b, m, t)
		for _, path := range inner {
			conflicts = append(conflicts, strings.TrimSuffix(key+"."+path, "."))
		}
		if value != nil {
			merged[key] = value
		}
	}
	return merged, conflicts
}

// mergeValue merges one member; nil stands for an absent one. A path that is empty means the member itself.
func mergeValue(base, mine, theirs any) (value any, conflicts []string) {
	switch {
	case same(mine, theirs), same(base, theirs):
		return mine, nil
	case same(base, mine):
		return theirs, nil
	}
	m, both := mine.(tree)
	t, too := theirs.(tree)
	if both && too {
		b, _ := base.(tree)
		return merge(b, m, t)
	}
	return theirs, []string{""}
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func union(trees ...tree) map[string]bool {
	keys := map[string]bool{}
	for _, t := range trees {
		for key := range t {
			keys[key] = true
		}
	}
	return keys
}
