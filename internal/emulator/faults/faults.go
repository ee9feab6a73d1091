// Package faults spoils requests on demand, so that tests can meet an unreliable server.
package faults

import (
	"fmt"
	"net/http"
	"path"
	"sync"
	"time"
)

// Kind is a way to misbehave.
type Kind string

// The ways to misbehave.
const (
	Latency   Kind = "latency"    // wait Rule.Delay, then serve
	Status    Kind = "status"     // answer Rule.Status with Rule.Body, do nothing
	Reset     Kind = "reset"      // drop the connection, do nothing
	LostReply Kind = "lost_reply" // serve, then drop the connection instead of answering
	Hang      Kind = "hang"       // answer nothing until the client gives up or the rule is removed
)

// Rule says which requests to spoil, and how.
type Rule struct {
	ID     int           `json:"id,omitempty"`
	Method string        `json:"method,omitempty"` // empty means any
	Path   string        `json:"path,omitempty"`   // pattern of package path, such as /v1/bdbs/*; empty means any
	Skip   int           `json:"skip,omitempty"`   // let so many matching requests pass first
	Count  int           `json:"count,omitempty"`  // spoil so many; 0 means all
	Kind   Kind          `json:"kind"`
	Delay  time.Duration `json:"delay,omitempty"`  // Latency, in nanoseconds over HTTP
	Status int           `json:"status,omitempty"` // Status; 503 when 0
	Body   string        `json:"body,omitempty"`
}

// Set holds the rules of one node or one cluster. The zero value spoils nothing.
type Set struct {
	mu    sync.Mutex
	next  int
	rules []*active
}

type active struct {
	Rule
	seen, spoiled int
	removed       chan struct{}
}

// Add puts a rule in force and returns its id.
func (s *Set) Add(r Rule) (int, error) {
	switch r.Kind {
	case Latency, Status, Reset, LostReply, Hang:
	default:
		return 0, fmt.Errorf("faults: unknown kind %q", r.Kind)
	}
	if _, err := path.Match(r.Path, "/"); err != nil {
		return 0, fmt.Errorf("faults: path %q: %w", r.Path, err)
	}
	if r.Kind == Status && r.Status == 0 {
		r.Status = http.StatusServiceUnavailable
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	r.ID = s.next
	s.rules = append(s.rules, &active{Rule: r, removed: make(chan struct{})})
	return r.ID, nil
}

// Remove takes a rule back and frees the requests it holds. It reports whether there was one.
func (s *Set) Remove(id int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rules {
		if r.ID == id {
			close(r.removed)
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			return true
		}
	}
	return false
}

// Clear takes all rules back.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		close(r.removed)
	}
	s.rules = nil
}

// Rules lists the rules in force.
func (s *Set) Rules() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Rule, 0, len(s.rules))
	for _, r := range s.rules {
		out = append(out, r.Rule)
	}
	return out
}

// Spoiled tells how many requests a rule has spoiled so far.
func (s *Set) Spoiled(id int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.ID == id {
			return r.spoiled
		}
	}
	return 0
}

// pick finds the first rule that wants this request and counts it.
func (s *Set) pick(r *http.Request) *active {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rule := range s.rules {
		if !rule.matches(r) || (rule.Count > 0 && rule.spoiled >= rule.Count) {
			continue
		}
		rule.seen++
		if rule.seen <= rule.Skip {
			continue
		}
		rule.spoiled++
		return rule
	}
	return nil
}

func (r *active) matches(req *http.Request) bool {
	if r.Method != "" && r.Method != req.Method {
		return false
	}
	if r.Path == "" {
		return true
	}
	ok, _ := path.Match(r.Path, req.URL.Path)
	return ok
}
