package schema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Decimal is a number that prints with a decimal point even when it is whole, as the product's storage sizes and
// progress figures do. It has bitten enough clients to be worth emulating.
type Decimal float64

// MarshalJSON implements json.Marshaler.
func (d Decimal) MarshalJSON() ([]byte, error) {
	s := strconv.FormatFloat(float64(d), 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return []byte(s), nil
}

// View is how an object leaves through the API.
type View struct {
	Fields   []string // only these, when not empty
	Extended bool     // with the fields of modules
	Mask     bool     // credentials hidden
}

// Render prepares an object for encoding: private and write-only fields are left out, numbers get the form the
// product gives them.
func Render(typeName string, o Object, v View) Object {
	t := types()[typeName]
	out := make(Object, len(o))
	for key, value := range o {
		if strings.HasPrefix(key, "_") || !v.wants(key) {
			continue
		}
		f := t.field(key)
		if f == nil {
			out[key] = value
			continue
		}
		if f.extended && !v.Extended {
			continue
		}
		if f.writeOnly {
			if f.fallback != nil {
				out[key] = f.fallback // reads back empty, whatever was written
			}
			continue
		}
		if v.Mask && strings.HasPrefix(key, "authentication_") && strings.HasSuffix(key, "_pass") {
			value = "******"
		}
		out[key] = f.render(value)
	}
	return out
}

func (t *objectType) field(name string) *field {
	if t == nil {
		return nil
	}
	return t.byName[name]
}

func (v View) wants(key string) bool {
	if len(v.Fields) == 0 {
		return true
	}
	for _, f := range v.Fields {
		if f == key {
			return true
		}
	}
	return false
}

func (f *field) render(v any) any {
	switch f.shape {
	case shapeFloat:
		if n, ok := number(v); ok {
			return Decimal(n)
		}
	case shapeInt, shapeNumber:
		if n, ok := Int(v); ok {
			return n
		}
	case shapeObject:
		if o, ok := v.(map[string]any); ok && types()[f.of] != nil {
			return Render(f.of, o, View{Extended: true})
		}
	case shapeList:
		list, ok := v.([]any)
		if !ok || types()[f.of] == nil {
			return v
		}
		out := make([]any, len(list))
		for i, e := range list {
			out[i] = e
			if o, isObject := e.(map[string]any); isObject {
				out[i] = Render(f.of, o, View{Extended: true})
			}
		}
		return out
	}
	return v
}

// Marshal renders and encodes an object.
func Marshal(typeName string, o Object, v View) ([]byte, error) {
	return json.Marshal(Render(typeName, o, v))
}
