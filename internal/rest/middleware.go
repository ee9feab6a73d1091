package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Exchange is what an Observer learns of one request: no headers and no bodies.
type Exchange struct {
	Method string
	// Route is the path as a template, so that its number of values is small.
	Route string
	// Path is the path as sent, without the query.
	Path string
	// Address is the node asked.
	Address string
	// Status is 0 when no answer came.
	Status   int
	Duration time.Duration
	Err      error
}

// Observer is told of every exchange, redirects included; metrics implement it.
type Observer interface {
	ObserveExchange(Exchange)
}

// RoundTripperFunc is a function as a round-tripper.
type RoundTripperFunc func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTripperFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Observe tells an observer of every exchange.
func Observe(o Observer) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			start := time.Now()
			resp, err := next.RoundTrip(req)
			e := Exchange{Method: req.Method, Route: Route(req), Path: req.URL.Path, Address: req.URL.Host,
				Duration: time.Since(start), Err: err}
			if resp != nil {
				e.Status = resp.StatusCode
			}
			o.ObserveExchange(e)
			return resp, err
		})
	}
}

// Log writes one line per exchange: reads at debug level, writes at info level.
func Log(log *slog.Logger) Middleware { return Observe(logObserver{log}) }

type logObserver struct{ log *slog.Logger }

// ObserveExchange writes the line.
func (l logObserver) ObserveExchange(e Exchange) {
	args := []any{"method", e.Method, "path", e.Path, "node", e.Address, "status", e.Status, "duration", e.Duration}
	if e.Err != nil {
		args = append(args, "error", e.Err.Error())
	}
	if e.Method == http.MethodGet {
		l.log.Debug("admin API read", args...)
		return
	}
	l.log.Info("admin API write", args...)
}

// DryRun keeps writes from being sent. Each is recorded, with its secrets hidden, and answered with 200 and an empty
// object. Reads pass.
func DryRun(record func(method, path string, body []byte)) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodGet {
				return next.RoundTrip(req)
			}
			var body []byte
			if req.Body != nil {
				var err error
				if body, err = io.ReadAll(req.Body); err != nil {
					return nil, err
				}
				if err := req.Body.Close(); err != nil {
					return nil, err
				}
			}
			record(req.Method, req.URL.RequestURI(), Redact(body))
			return &http.Response{StatusCode: http.StatusOK, Request: req, Header: http.Header{}, Proto: "HTTP/1.1",
				ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(bytes.NewReader([]byte("{}")))}, nil
		})
	}
}

// secretKeys are the names whose values never leave the process in clear.
var secretKeys = map[string]bool{
	"password": true, "new_password": true, "old_password": true, "authentication_redis_pass": true,
	"authentication_admin_pass": true, "authentication_sasl_pass": true, "uri": true, "client_key": true, "key": true,
	"private_key": true, "secret_access_key": true, "access_key_id": true, "account_key": true, "sas_token": true,
	"url": true, "sftp_url": true, "license": true, "bind_pass": true, "smtp_password": true, "access_token": true,
	"private_key_id": true,
}

const hidden = "***"

// Redact returns a JSON body with the values of secrets replaced. What is no JSON is replaced as a whole.
func Redact(body []byte) []byte {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return []byte(hidden)
	}
	out, err := encode(redactValue(v))
	if err != nil {
		return []byte(hidden)
	}
	return out
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		_, isTag := v["value"]
		for k, member := range v {
			if secretKeys[k] && (k != "key" || !isTag) { // a tag's key is no secret
				v[k] = hidden
				continue
			}
			v[k] = redactValue(member)
		}
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	}
	return v
}
