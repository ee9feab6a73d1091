package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// maxBody bounds what a client may send; certificates and licences are small.
const maxBody = 16 << 20

// call is one request on its way to an answer.
type call struct {
	*Server
	request *http.Request
	params  map[string]string
	user    Object // who asks; nil on open calls
	header  http.Header
}

func (c *call) ctx() context.Context { return c.request.Context() }

// uid is a numeric path parameter, or 0.
func (c *call) uid(name string) int64 {
	n, _ := schema.Int(c.params[name])
	return n
}

// flag reads a query parameter whose presence is enough.
func (c *call) flag(name string) bool {
	values, there := c.request.URL.Query()[name]
	if !there {
		return false
	}
	switch strings.ToLower(values[0]) {
	case "false", "0", "no":
		return false
	}
	return true
}

func (c *call) dryRun() bool { return c.flag("dry_run") }

// body reads the request body as a JSON object; an absent body is an empty object.
func (c *call) body() (Object, error) {
	data, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody))
	if err != nil {
		return nil, badRequest("The body can not be read")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return Object{}, nil
	}
	kind, _, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil || (kind != "application/json" && !strings.HasSuffix(kind, "+json")) {
		return nil, badRequest("Content-Type must be application/json")
	}
	return decodeObject(data)
}

// needBody is body for calls that make no sense without one.
func (c *call) needBody() (Object, error) {
	o, err := c.body()
	if err == nil && len(o) == 0 {
		return nil, badRequest("The request needs a JSON object")
	}
	return o, err
}

// typed reads and checks a body against the table of its type.
func (c *call) typed(typeName string, mode schema.Mode) (Object, error) {
	raw, err := c.body()
	if err != nil {
		return nil, err
	}
	return schema.Check(typeName, raw, mode)
}

func decodeObject(data []byte) (Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, badRequest("The body is not valid JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, badRequest("The body is not valid JSON: there is more than one value")
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest("The body is not a JSON object")
	}
	return plainNumbers(o).(Object), nil
}

// plainNumbers turns json.Number into int64 where it is whole as written, else float64.
func plainNumbers(v any) any {
	switch t := v.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n
		}
		f, err := t.Float64()
		if err != nil {
			return t.String()
		}
		return f
	case map[string]any:
		for k := range t {
			t[k] = plainNumbers(t[k])
		}
	case []any:
		for i := range t {
			t[i] = plainNumbers(t[i])
		}
	}
	return v
}

func badRequest(format string, args ...any) error {
	return schema.Errorf(http.StatusBadRequest, "invalid_schema", format, args...)
}

func refusal(status int, code, format string, args ...any) error {
	return schema.Errorf(status, code, format, args...)
}

// binary is an answer that is no JSON.
type binary struct {
	contentType string
	data        []byte
}

// withStatus is an answer with a status of its own.
type withStatus struct {
	status int
	body   any
}

// answer writes what a route returned.
func answer(w http.ResponseWriter, v any) {
	status := http.StatusOK
	if s, ok := v.(withStatus); ok {
		status, v = s.status, s.body
	}
	switch b := v.(type) {
	case nil:
		w.WriteHeader(status)
	case binary:
		w.Header().Set("Content-Type", b.contentType)
		w.WriteHeader(status)
		_, _ = w.Write(b.data)
	default:
		data, err := json.Marshal(v)
		if err != nil {
			status, data = http.StatusInternalServerError, []byte(`{"error_code":"internal_error"}`)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(data, '\n'))
	}
}

// answerError writes the documented body of a refusal; a 401 has none.
func answerError(w http.ResponseWriter, err error) {
	e := refusalOf(err)
	if e.Status == http.StatusUnauthorized && e.Code == "" {
		w.Header().Set("WWW-Authenticate", `Basic realm="Redis Enterprise"`)
		w.WriteHeader(e.Status)
		return
	}
	body := Object{"error_code": e.Code, "description": e.Description}
	if e.Details != nil {
		body["error_details"] = e.Details
	}
	answer(w, withStatus{e.Status, body})
}

func refusalOf(err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, ErrNoQuorum):
		return &Error{Status: http.StatusServiceUnavailable, Code: "no_quorum", Description: "The cluster has no quorum"}
	case errors.Is(err, ErrNotFound):
		return &Error{Status: http.StatusNotFound, Code: "not_found", Description: "Object does not exist"}
	case errors.Is(err, ErrBusy):
		return &Error{Status: http.StatusConflict, Code: "db_busy", Description: "Database is currently busy"}
	case errors.Is(err, ErrUnsupported):
		return &Error{Status: http.StatusNotImplemented, Code: "unsupported_resource",
			Description: "This operation is not emulated"}
	}
	return &Error{Status: http.StatusInternalServerError, Code: "internal_error", Description: err.Error()}
}
