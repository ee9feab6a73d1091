// Package schema knows the objects of the Redis Enterprise admin API: their fields, JSON types, defaults, ranges
// and the error codes that answer a bad value. It is pure: no clock, no network, no state.
package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
)

// Object is one JSON object of the API. Keys that begin with "_" are private to the emulator: they are kept in the
// cluster configuration and never leave through the API.
type Object = map[string]any

// Error is a refusal in the API's own words: the HTTP status and the error body.
type Error struct {
	Status      int
	Code        string
	Description string
	// Details becomes error_details of a bootstrap failure.
	Details Object
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Description)
}

// Errorf makes an Error with a formatted description.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Description: fmt.Sprintf(format, args...)}
}

func invalidSchema(format string, args ...any) error {
	return Errorf(http.StatusBadRequest, "invalid_schema", format, args...)
}

func notAcceptable(code, format string, args ...any) error {
	return Errorf(http.StatusNotAcceptable, code, format, args...)
}

// Int reads a whole number in any of the shapes Go gives JSON numbers, or in text.
func Int(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		if n != math.Trunc(n) || math.Abs(n) >= 1<<63 {
			return 0, false
		}
		return int64(n), true
	case json.Number:
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, err := n.Float64()
		if err != nil {
			return 0, false
		}
		return Int(f)
	case string:
		i, err := strconv.ParseInt(n, 10, 64)
		return i, err == nil
	}
	return 0, false
}

// IntOf is Int of a key, or 0.
func IntOf(o Object, key string) int64 {
	i, _ := Int(o[key])
	return i
}

// TextOf is the text under a key, or "".
func TextOf(o Object, key string) string {
	s, _ := o[key].(string)
	return s
}

// BoolOf is the boolean under a key, or false.
func BoolOf(o Object, key string) bool {
	b, _ := o[key].(bool)
	return b
}

// Clone copies an object deeply.
func Clone(o Object) Object {
	if o == nil {
		return nil
	}
	return cloneValue(o).(Object)
}

func cloneValue(v any) any {
	switch t := v.(type) {
	case map[string]any:
		c := make(Object, len(t))
		for k, e := range t {
			c[k] = cloneValue(e)
		}
		return c
	case []any:
		c := make([]any, len(t))
		for i, e := range t {
			c[i] = cloneValue(e)
		}
		return c
	}
	return v
}
