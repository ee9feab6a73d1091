// Package crash runs each flow of the operator again and again, and spoils one call at a time: the first, the second,
// and so on to the end. Whatever was spoilt, the flow must end in the same state.
package crash

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Fault is what happens to one call.
type Fault string

// The faults. Reads and writes get those that make sense for them.
const (
	None      Fault = ""
	Kill      Fault = "operator killed before the call"
	KillAfter Fault = "operator killed after the call"
	Fail      Fault = "error"
	Timeout   Fault = "timeout"
	Lost      Fault = "reply lost after success"
	Stale     Fault = "stale read"
)

var (
	writeFaults = []Fault{Lost, Kill, KillAfter, Fail, Timeout}
	readFaults  = []Fault{Stale, Fail, Kill, Timeout}
)

// Point says which call to spoil, and how.
type Point struct {
	// At is the number of the call, from 1; On is its name, for the first call of that name. Without either none is spoilt.
	At int
	On string
	// Fault is what happens to it; empty chooses one that makes sense for the call.
	Fault Fault
}

// Injector counts the calls of one run and spoils one of them. A call is a write, or a read that brings news: a poller
// that reads the same again and again makes no new points.
type Injector struct {
	Point
	// Kill ends the operator. It must not wait for it.
	Kill func()

	mu     sync.Mutex
	calls  []string
	ended  bool
	dead   bool
	hit    string
	fault  Fault
	memory map[string]remembered
}

type remembered struct {
	status int
	header http.Header
	body   []byte
}

var errDead = errors.New("the operator is dead")

// Calls are the names of all calls so far, in order.
func (i *Injector) Calls() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls)
}

// Hit says which call was spoilt and how; empty if the run ended before.
func (i *Injector) Hit() (call string, fault Fault) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.hit, i.fault
}

// End makes the injector count and spoil no more: the flow is over.
func (i *Injector) End() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
}

// Killed reports whether the operator was killed.
func (i *Injector) Killed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dead
}

// Wrap puts the injector around a transport; of names the other side in messages.
func (i *Injector) Wrap(of string, next http.RoundTripper) http.RoundTripper {
	return tripper{i, of, next}
}

type tripper struct {
	*Injector
	of   string
	next http.RoundTripper
}

// RoundTrip makes the call, or what is left of it.
func (t tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.Killed() {
		closeBody(req)
		return nil, errDead
	}
	if isWatch(req) || isDiscovery(req) || isEvent(req) {
		return t.next.RoundTrip(req)
	}
	if req.Method == http.MethodGet {
		return t.read(req)
	}
	return t.write(req)
}

func isWatch(req *http.Request) bool {
	q := req.URL.Query()
	return q.Get("watch") != "" || q.Has("resourceVersion") // informers: the reflector has its own retries
}

// isDiscovery is true for questions after the kinds that Kubernetes knows. A start asks them before the operator acts.
func isDiscovery(req *http.Request) bool {
	path := req.URL.Path
	return !strings.Contains(path, "/namespaces/") && (path == "/api" || path == "/api/v1" || strings.HasPrefix(path, "/apis"))
}

// isEvent is true for events, which are told by the way: nothing waits for them or is done because of them.
func isEvent(req *http.Request) bool {
	return strings.Contains(req.URL.Path, "/events")
}

// name is the name of a call, the same in all runs: without namespaces and identities of objects.
func (t tripper) name(req *http.Request) string {
	return t.of + " " + req.Method + " " + identity.ReplaceAllString(namespace.ReplaceAllString(req.URL.Path, "/"), "/N")
}

var (
	namespace = regexp.MustCompile(`/namespaces/[^/]+/`)
	identity  = regexp.MustCompile(`/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]+)`)
)

func (t tripper) write(req *http.Request) (*http.Response, error) {
	switch fault := t.point(t.name(req), writeFaults); fault {
	case Kill:
		closeBody(req)
		t.die()
		return nil, errDead
	case Fail:
		closeBody(req)
		return answer(req, http.StatusServiceUnavailable), nil
	case Timeout:
		closeBody(req)
		return nil, context.DeadlineExceeded
	case Lost, KillAfter:
		resp, err := t.next.RoundTrip(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		if fault == KillAfter {
			t.die()
			return nil, errDead
		}
		return nil, io.ErrUnexpectedEOF
	}
	return t.next.RoundTrip(req)
}

// read performs the read first: only if it brings news is it a call worth spoiling.
func (t tripper) read(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	key := t.of + " " + req.URL.RequestURI() // any node of a cluster gives the same answer
	now := remembered{resp.StatusCode, resp.Header.Clone(), body}
	before, known, news := t.remember(key, now)
	if !news {
		return resp, nil
	}
	switch t.point(t.name(req), readFaults) {
	case Kill:
		t.die()
		return nil, errDead
	case Fail:
		return answer(req, http.StatusServiceUnavailable), nil
	case Timeout:
		return nil, context.DeadlineExceeded
	case Stale:
		if !known {
			return answer(req, http.StatusServiceUnavailable), nil
		}
		old := *resp
		old.StatusCode, old.Status, old.Header = before.status, http.StatusText(before.status), before.header
		old.Body, old.ContentLength = io.NopCloser(bytes.NewReader(before.body)), int64(len(before.body))
		return &old, nil
	}
	return resp, nil
}

func (i *Injector) remember(key string, now remembered) (before remembered, known, news bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.memory == nil {
		i.memory = map[string]remembered{}
	}
	before, known = i.memory[key]
	i.memory[key] = now
	return before, known, !known || before.status != now.status || !bytes.Equal(steady(before.body), steady(now.body))
}

// listVersion is the version of a list as a whole, which changes with every write to anything.
var listVersion = regexp.MustCompile(`^\{"kind":"\w+List","apiVersion":"[^"]*","metadata":\{"resourceVersion":"\d+"`)

// steady takes out what changes by itself: figures in answers of the admin API, versions of lists in those of Kubernetes.
func steady(body []byte) []byte {
	lines := strings.FieldsFunc(listVersion.ReplaceAllString(string(body), ""), func(r rune) bool { return r == ',' })
	kept := lines[:0]
	for _, line := range lines {
		if !strings.Contains(line, "uptime") && !strings.Contains(line, "free_ram") && !strings.Contains(line, "provisional_ram") &&
			!strings.Contains(line, "used_memory") && !strings.Contains(line, "storage_free") && !strings.Contains(line, "storage_avail") && !strings.Contains(line, "_time") {
			kept = append(kept, line)
		}
	}
	return []byte(strings.Join(kept, ","))
}

// point counts the call and says what becomes of it.
func (i *Injector) point(call string, faults []Fault) Fault {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended {
		return None
	}
	i.calls = append(i.calls, call)
	if i.hit != "" || i.At != len(i.calls) && (i.On == "" || i.On != call) {
		return None
	}
	i.hit, i.fault = call, i.Fault
	if i.fault == None {
		i.fault = faults[i.At%len(faults)]
	}
	return i.fault
}

func (i *Injector) die() {
	i.mu.Lock()
	first := !i.dead
	i.dead = true
	i.mu.Unlock()
	if first {
		i.Kill()
	}
}

func answer(req *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/plain"}}, Body: io.NopCloser(strings.NewReader("injected")), Request: req}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
