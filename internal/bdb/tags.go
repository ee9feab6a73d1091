package bdb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// tags is the line for tags. They are merged: those made elsewhere stay, the spec wins over them, the operator's own
// win over the spec, and a key that came from the spec goes when it leaves the spec.
var tags = field{
	path: "tags", wire: "tags", how: mutable, codes: []string{"invalid_bdb_tags"},
	note:   "merged with tags made elsewhere; the operator adds its own",
	wanted: func(in Inputs) (bool, error) { return len(in.Spec.Tags)+len(in.Tags) > 0, nil },
	write: func(in Inputs, b *rest.BDB) error {
		if merged := mergeTags(in, nil); len(merged) > 0 {
			b.Tags = &merged
		}
		return nil
	},
	diff: func(in Inputs, have *rest.BDB) (difference, bool, error) {
		is := slices.Clone(rest.Value(have.Tags))
		sortTags(is)
		want := mergeTags(in, is)
		if slices.Equal(is, want) {
			return difference{}, false, nil
		}
		return difference{from: showTags(is), to: showTags(want),
			apply: func(update *rest.BDB) { update.Tags = &want }}, true, nil
	},
}

func mergeTags(in Inputs, have []rest.Tag) []rest.Tag {
	merged := map[string]string{}
	for _, t := range have {
		if !slices.Contains(in.ManagedTags, t.Key) {
			merged[t.Key] = t.Value
		}
	}
	for k, v := range in.Spec.Tags {
		merged[k] = v
	}
	for _, k := range reservedTags {
		delete(merged, k)
	}
	for k, v := range in.Tags {
		merged[k] = v
	}
	out := make([]rest.Tag, 0, len(merged))
	for k, v := range merged {
		out = append(out, rest.Tag{Key: k, Value: v})
	}
	sortTags(out)
	return out
}

func sortTags(tags []rest.Tag) {
	slices.SortFunc(tags, func(a, b rest.Tag) int { return strings.Compare(a.Key, b.Key) })
}

func showTags(tags []rest.Tag) string {
	parts := make([]string, 0, len(tags))
	for _, t := range tags {
		parts = append(parts, fmt.Sprintf("%s=%s", t.Key, t.Value))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ",")
}
