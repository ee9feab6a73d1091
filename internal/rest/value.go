package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Int is a whole number as the API writes it: plain, with a decimal point, or as text. It is sent as a plain number.
type Int int64

// UnmarshalJSON accepts 5, 5.0, "5", "" and null.
func (i *Int) UnmarshalJSON(data []byte) error {
	f, ok, err := lenientNumber(data)
	if err != nil || !ok {
		return err
	}
	*i = Int(f)
	return nil
}

// Float is a number as the API writes it: plain or as text.
type Float float64

// UnmarshalJSON accepts 0.5, "0.5", "" and null.
func (f *Float) UnmarshalJSON(data []byte) error {
	v, ok, err := lenientNumber(data)
	if err != nil || !ok {
		return err
	}
	*f = Float(v)
	return nil
}

// UID identifies a database, node, shard, user, role or ACL. The API writes the same uid as number here and as text
// there; this type reads both and sends the number. Zero means none.
type UID int64

// UnmarshalJSON accepts numbers and text; text that is no number (or empty) is no uid.
func (u *UID) UnmarshalJSON(data []byte) error {
	v, ok, err := lenientNumber(data)
	if err != nil || !ok {
		return err
	}
	*u = UID(v)
	return nil
}

// String prints the uid as it stands in paths.
func (u UID) String() string { return strconv.FormatInt(int64(u), 10) }

// ParseUID reads a uid written by String; the second result is false for anything else.
func ParseUID(s string) (UID, bool) {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v <= 0 {
		return 0, false
	}
	return UID(v), true
}

// Text is a text that some versions send as a number.
type Text string

// UnmarshalJSON accepts text, numbers, booleans and null.
func (t *Text) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return nil
	}
	if data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return err
		}
		*t = Text(s)
		return nil
	}
	*t = Text(data)
	return nil
}

// Strings is a list of texts that some versions send as one text.
type Strings []string

// UnmarshalJSON accepts a list or a single text; members that are no text keep their JSON form.
func (s *Strings) UnmarshalJSON(data []byte) error {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '"' {
		var one string
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		*s = Strings{one}
		return nil
	}
	var list []Text
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	out := make(Strings, 0, len(list))
	for _, t := range list {
		out = append(out, string(t))
	}
	*s = out
	return nil
}

// lenientNumber reports false when data holds no number at all (null, empty text).
func lenientNumber(data []byte) (float64, bool, error) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || bytes.Equal(data, []byte("null")) {
		return 0, false, nil
	}
	text := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return 0, false, err
		}
		if text == "" {
			return 0, false, nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false, fmt.Errorf("%.40q is no number", text)
	}
	return f, true, nil
}

// Ptr returns a pointer to v, for the optional fields of request bodies.
func Ptr[T any](v T) *T { return &v }

// Value returns what p points to, or the zero value.
func Value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
