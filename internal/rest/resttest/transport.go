// Package resttest is a scripted admin API for tests: a round-tripper that gives canned answers and keeps what it was
// asked. It is no emulator; it does exactly what the test says.
package resttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Request is what the transport was asked.
type Request struct {
	Method, Path, Query, Address string
	// User and Password are those of the basic authentication, empty without.
	User, Password string
	Header         http.Header
	Body           string
}

// Line is the request in one line, for comparisons: method, path with query, body.
func (r Request) Line() string {
	line := r.Method + " " + r.Path
	if r.Query != "" {
		line += "?" + r.Query
	}
	if r.Body != "" {
		line += " " + r.Body
	}
	return line
}

// Answer is what the transport does with a request.
type Answer struct {
	Status int
	Body   string
	Header map[string]string
	// Err is returned instead of an answer. Refused means that nobody was there, Lost that the answer did not come.
	Err error
}

// Refused is the error of a dial that nobody answers: the request was certainly not sent.
var Refused = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}

// Lost is the error of a connection that breaks after the request was sent.
var Lost = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}

// JSON answers 200 with a body.
func JSON(body string) Answer { return Answer{Status: http.StatusOK, Body: body} }

// Status answers with a status and, if code is not empty, an error body.
func Status(status int, code, description string) Answer {
	if code == "" {
		return Answer{Status: status}
	}
	return Answer{Status: status, Body: fmt.Sprintf(`{"error_code":%q,"description":%q}`, code, description)}
}

// Redirect sends to the leader at an address, as a node does that is not the leader.
func Redirect(address, pathAndQuery string) Answer {
	return Answer{Status: http.StatusTemporaryRedirect, Header: map[string]string{"Location": "https://" + address + pathAndQuery}}
}

// Transport answers requests by rules. It is safe for concurrent use.
type Transport struct {
	mu       sync.Mutex
	rules    []*rule
	requests []Request
}

type rule struct {
	method, path, address string
	left                  int // uses left; negative is without end
	answer                func(Request) Answer
}

// On makes every request with this method and path get an answer. Later rules go before earlier ones. The path may be
// preceded by an address, "10.0.0.1:9443/v1/bdbs", to speak of one node only.
func (t *Transport) On(method, path string, answer func(Request) Answer) {
	t.add(method, path, -1, answer)
}

// Once is On for the next such request only.
func (t *Transport) Once(method, path string, answer func(Request) Answer) {
	t.add(method, path, 1, answer)
}

// Always wraps a fixed answer for On and Once.
func Always(a Answer) func(Request) Answer { return func(Request) Answer { return a } }

func (t *Transport) add(method, path string, n int, answer func(Request) Answer) {
	address, rest, found := strings.Cut(path, "/")
	if !found || address == "" {
		address = ""
	} else {
		path = "/" + rest
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = append(t.rules, &rule{method: method, path: path, address: address, left: n, answer: answer})
}

// Requests returns what was asked so far.
func (t *Transport) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Request(nil), t.requests...)
}

// Lines returns what was asked so far, a line each.
func (t *Transport) Lines() []string {
	var lines []string
	for _, r := range t.Requests() {
		lines = append(lines, r.Line())
	}
	return lines
}

// Forget drops the record of requests.
func (t *Transport) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = nil
}

// RoundTrip answers by the newest rule that fits; without one the answer is 404 with the code no_rule.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	asked, err := requestOf(req)
	if err != nil {
		return nil, err
	}
	a := t.match(asked)(asked)
	if a.Err != nil {
		return nil, a.Err
	}
	header := http.Header{}
	for k, v := range a.Header {
		header.Set(k, v)
	}
	return &http.Response{StatusCode: a.Status, Header: header, Request: req, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(a.Body))}, nil
}

func (t *Transport) match(r Request) func(Request) Answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, r)
	for i := len(t.rules) - 1; i >= 0; i-- {
		rule := t.rules[i]
		if rule.left == 0 || rule.method != r.Method || rule.path != r.Path || rule.address != "" && rule.address != r.Address {
			continue
		}
		rule.left--
		return rule.answer
	}
	return Always(Status(http.StatusNotFound, "no_rule", "the test has no answer for "+r.Line()))
}

func requestOf(req *http.Request) (Request, error) {
	r := Request{Method: req.Method, Path: req.URL.Path, Query: req.URL.RawQuery, Address: req.URL.Host, Header: req.Header}
	r.User, r.Password, _ = req.BasicAuth()
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err := errors.Join(err, req.Body.Close()); err != nil {
			return r, err
		}
		r.Body = string(bytes.TrimSpace(body))
	}
	return r, nil
}
