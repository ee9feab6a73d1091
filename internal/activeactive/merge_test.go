package activeactive

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func parsed(t *testing.T, text string) tree {
	t.Helper()
	out := tree{}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAA9_ChangesOfSeveralSidesComeTogether(t *testing.T) {
	for _, c := range []struct{ name, base, mine, theirs, want, conflicts string }{
		{"nothing changed", `{"a":1}`, `{"a":1}`, `{"a":1}`, `{"a":1}`, ""},
		{"only I changed", `{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":1,"b":1}`, `{"a":2,"b":1}`, ""},
		{"only they changed", `{"a":1}`, `{"a":1}`, `{"a":2}`, `{"a":2}`, ""},
		{"each changed another field", `{"a":1,"b":1}`, `{"a":2,"b":1}`, `{"a":1,"b":2}`, `{"a":2,"b":2}`, ""},
		{"both changed a field to the same", `{"a":1}`, `{"a":2}`, `{"a":2}`, `{"a":2}`, ""},
		{"both changed a field differently", `{"a":1}`, `{"a":2}`, `{"a":3}`, `{"a":3}`, "a"},
		{"I removed a field", `{"a":1,"b":1}`, `{"b":1}`, `{"a":1,"b":1}`, `{"b":1}`, ""},
		{"they removed a field", `{"a":1}`, `{"a":1}`, `{}`, `{}`, ""},
		{"I removed what they changed", `{"a":1}`, `{}`, `{"a":2}`, `{"a":2}`, "a"},
		{"both added members of an object", `{}`, `{"t":{"x":1}}`, `{"t":{"y":2}}`, `{"t":{"x":1,"y":2}}`, ""},
		{"a conflict within an object names the member", `{"t":{"x":1,"y":1}}`, `{"t":{"x":2,"y":3}}`, `{"t":{"x":4,"y":1}}`, `{"t":{"x":4,"y":3}}`, "t.x"},
		{"a list is one value", `{"l":[1]}`, `{"l":[1,2]}`, `{"l":[1,3]}`, `{"l":[1,3]}`, "l"},
	} {
		t.Run(c.name, func(t *testing.T) {
			merged, conflicts := merge(parsed(t, c.base), parsed(t, c.mine), parsed(t, c.theirs))
			if !reflect.DeepEqual(merged, parsed(t, c.want)) || strings.Join(conflicts, ",") != c.conflicts {
				t.Errorf("merged %v, conflicts %v", merged, conflicts)
			}
		})
	}
}
