package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Covers reports whether everything the wish says is true of what is there. Fields that only the server or another
// manager set do not count; lists must have the wished length, except the ones that many managers share. Quantities are
// compared by value, not by spelling.
func Covers(have, wish map[string]any) bool {
	for key, want := range wish {
		got, ok := have[key]
		if !ok && !isEmpty(want) {
			if key == "apiVersion" || key == "kind" { // typed objects read from the cache do not carry them
				continue
			}
			return false
		}
		if shared[key] {
			if !contains(got, want) {
				return false
			}
			continue
		}
		if quantities[key] {
			if ok && !coversQuantities(got, want) {
				return false
			}
			continue
		}
		if ok && !coversValue(got, want) {
			return false
		}
	}
	return true
}

// quantities are the maps whose values are quantities. Nothing else may be read as one: to a label 1 and 1.0 are different,
// and a hash such as 1e-436814955 would be a number that takes the machine minutes to write out.
var quantities = map[string]bool{"limits": true, "requests": true}

func coversQuantities(got, want any) bool {
	have, ok := got.(map[string]any)
	wished, isMap := want.(map[string]any)
	if !ok || !isMap {
		return coversValue(got, want)
	}
	for name, want := range wished {
		if got, ok := have[name]; !ok || !sameQuantity(fmt.Sprint(got), fmt.Sprint(want)) {
			return false
		}
	}
	return true
}

// shared are the lists whose items have an owner each: applying ours leaves those of others, so more than was wished is no
// difference, and writing again would change nothing for ever. What we no longer wish changes the recorded hash.
var shared = map[string]bool{
	"ownerReferences": true, "finalizers": true, "ports": true, "containers": true, "initContainers": true, "volumes": true,
	"env": true, "volumeMounts": true, "imagePullSecrets": true,
}

func coversValue(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		return ok && Covers(got, want)
	case []any:
		got, ok := got.([]any)
		return ok && slices.EqualFunc(got, want, coversValue)
	case string:
		got, ok := got.(string)
		return ok && got == want
	}
	return fmt.Sprint(got) == fmt.Sprint(want) // numbers arrive as int64 or float64
}

// contains reports whether each wished element is covered by some element that is there.
func contains(got, want any) bool {
	have, _ := got.([]any)
	wished, _ := want.([]any)
	for _, w := range wished {
		if !slices.ContainsFunc(have, func(h any) bool { return coversValue(h, w) }) {
			return false
		}
	}
	return true
}

func sameQuantity(a, b string) bool {
	if a == b {
		return true
	}
	x, err := resource.ParseQuantity(a)
	if err != nil {
		return false
	}
	y, err := resource.ParseQuantity(b)
	return err == nil && x.Cmp(y) == 0
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case nil:
		return true
	}
	return false
}

// dropNulls removes explicit nulls, which a typed object has where the field has no omitempty.
func dropNulls(content map[string]any) {
	maps.DeleteFunc(content, func(_ string, v any) bool { return v == nil })
	for _, v := range content {
		dropNullsIn(v)
	}
}

func dropNullsIn(v any) {
	switch v := v.(type) {
	case map[string]any:
		dropNulls(v)
	case []any:
		for _, e := range v {
			dropNullsIn(e)
		}
	}
}

// Equal reports whether two values print as the same JSON; used for status, where absent and empty are the same.
func Equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
