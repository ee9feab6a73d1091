package schema

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
)

// Mode says what a request wants to do with the object it carries.
type Mode int

// Modes of a check.
const (
	Create Mode = iota // required fields must be there
	Change             // any subset of the fields
)

// Check compares a request body with the table of its type: no unknown field, no wrong type, no value out of range, no
// null. It returns a copy without the read-only fields, or a 400 invalid_schema.
func Check(typeName string, raw Object, mode Mode) (Object, error) {
	t := types()[typeName]
	if t == nil {
		return nil, fmt.Errorf("schema: no table for %q", typeName)
	}
	return t.check(typeName, raw, mode)
}

func (t *objectType) check(at string, raw Object, mode Mode) (Object, error) {
	out := make(Object, len(raw))
	for _, key := range sortedKeys(raw) {
		f := t.byName[key]
		if f == nil {
			if t.open {
				out[key] = cloneValue(raw[key])
				continue
			}
			return nil, invalidSchema("Additional properties are not allowed ('%s' was unexpected in %s)", key, at)
		}
		if f.readOnly {
			continue // a client may send back what it has read
		}
		v, err := f.check(at+"."+key, raw[key])
		if err != nil {
			return nil, err
		}
		out[key] = v
	}
	if mode == Create {
		for _, f := range t.fields {
			if _, there := raw[f.name]; f.required && !there {
				return nil, Errorf(400, "missing_field", "'%s' is a required property of %s", f.name, at)
			}
		}
	}
	return out, nil
}

func (f *field) check(at string, v any) (any, error) {
	if v == nil {
		if f.nullable || f.shape == shapeAny {
			return nil, nil
		}
		return nil, invalidSchema("None is not of type '%s' (%s)", f.jsonType(), at)
	}
	switch f.shape {
	case shapeObject:
		return f.checkObject(at, v)
	case shapeMap:
		return f.checkMap(at, v)
	case shapeList:
		return f.checkList(at, v)
	}
	return f.checkScalar(at, v)
}

func (f *field) checkObject(at string, v any) (any, error) {
	o, ok := v.(map[string]any)
	if !ok {
		// Alert settings may be switched with a plain boolean.
		if b, isBool := v.(bool); isBool && f.of == "alert_threshold_setting" {
			return Object{"enabled": b}, nil
		}
		return nil, f.wrongType(at, v)
	}
	nested := types()[f.of]
	if nested == nil {
		return cloneValue(o), nil
	}
	return nested.check(at, o, Create)
}

func (f *field) checkMap(at string, v any) (any, error) {
	o, ok := v.(map[string]any)
	if !ok {
		return nil, f.wrongType(at, v)
	}
	return cloneValue(o), nil
}

func (f *field) checkList(at string, v any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, f.wrongType(at, v)
	}
	element := &field{name: f.name, shape: shape(f.of)}
	if types()[f.of] != nil {
		element.shape, element.of = shapeObject, f.of
	} else if f.of == "" {
		element.shape = shapeAny
	}
	out := make([]any, len(list))
	for i, e := range list {
		c, err := element.check(fmt.Sprintf("%s[%d]", at, i), e)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

func (f *field) checkScalar(at string, v any) (any, error) {
	switch f.shape {
	case shapeBool:
		if _, ok := v.(bool); !ok {
			return nil, f.wrongType(at, v)
		}
	case shapeText:
		s, ok := v.(string)
		if !ok {
			return nil, f.wrongType(at, v)
		}
		return s, f.checkText(at, s)
	case shapeInt:
		if _, isText := v.(string); isText {
			return nil, f.wrongType(at, v)
		}
		n, ok := Int(v)
		if !ok {
			return nil, f.wrongType(at, v)
		}
		return n, f.checkRange(at, float64(n))
	case shapeNumber, shapeFloat:
		n, ok := number(v)
		if !ok {
			return nil, f.wrongType(at, v)
		}
		return n, f.checkRange(at, n)
	}
	return cloneValue(v), nil
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

func (f *field) checkText(at, s string) error {
	if f.maxLen > 0 && len(s) > f.maxLen {
		return invalidSchema("'%s' is too long: at most %d characters (%s)", s, f.maxLen, at)
	}
	if len(f.oneOf) == 0 {
		return nil
	}
	for _, allowed := range f.oneOf {
		if s == allowed {
			return nil
		}
	}
	return invalidSchema("'%s' is not one of ['%s'] (%s)", s, strings.Join(f.oneOf, "', '"), at)
}

func (f *field) checkRange(at string, n float64) error {
	if f.min != nil && n < *f.min {
		return invalidSchema("%v is less than the minimum of %v (%s)", n, *f.min, at)
	}
	if f.max != nil && n > *f.max {
		return invalidSchema("%v is greater than the maximum of %v (%s)", n, *f.max, at)
	}
	return nil
}

func (f *field) wrongType(at string, v any) error {
	return invalidSchema("%s is not of type '%s' (%s)", brief(v), f.jsonType(), at)
}

func (f *field) jsonType() string {
	switch f.shape {
	case shapeInt:
		return "integer"
	case shapeNumber, shapeFloat:
		return "number"
	case shapeText:
		return "string"
	case shapeBool:
		return "boolean"
	case shapeList:
		return "array"
	}
	return "object"
}

// brief shows the sort of a value, never the value: it may be a secret.
func brief(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

func sortedKeys(o Object) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
