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

// Injector counts the calls of one run and spoils the one with the given number. A call is a write, or a read that
// brings news: a poller that reads the same again and again makes no new points.
type Injector struct {
	// At is the number of the call to spoil, from 1; 0 spoils none.
	At int
	// Kill ends the operator. It must not wait for it.
	Kill func()

	mu     sync.Mutex
	count  int
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

// Count is how many calls there were.
func (i *Injector) Count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.count
}

// Hit says which call was spoilt and how; empty if the run ended before.
func (i *Injector) Hit() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.hit == "" {
		return ""
	}
	return fmt.Sprintf("call %d, %s: %s", i.At, i.hit, i.fault)
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
	if isWatch(req) {
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

func (t tripper) write(req *http.Request) (*http.Response, error) {
	call := t.of + " " + req.Method + " " + req.URL.Path
	switch fault := t.point(call, writeFaults); fault {
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
	key := t.of + " " + req.URL.String()
	now := remembered{resp.StatusCode, resp.Header.Clone(), body}
	before, known, news := t.remember(key, now)
	if !news {
		return resp, nil
	}
	switch t.point(t.of+" GET "+req.URL.Path, readFaults) {
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

// steady takes out what changes by itself in answers of the admin API.
func steady(body []byte) []byte {
	lines := strings.FieldsFunc(string(body), func(r rune) bool { return r == ',' })
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
	i.count++
	if i.count != i.At {
		return None
	}
	i.hit, i.fault = call, faults[i.At%len(faults)]
	return i.fault
}

func (i *Injector) die() {
	i.mu.Lock()
	i.dead = true
	i.mu.Unlock()
	i.Kill()
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
