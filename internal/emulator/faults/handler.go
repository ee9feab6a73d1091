package faults

import (
	"io"
	"net/http"
	"time"
)

// Wrap serves requests through the rules. A nil Set wraps nothing.
func (s *Set) Wrap(next http.Handler) http.Handler {
	if s == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule := s.pick(r)
		if rule == nil {
			next.ServeHTTP(w, r)
			return
		}
		rule.spoil(w, r, next)
	})
}

func (r *active) spoil(w http.ResponseWriter, req *http.Request, next http.Handler) {
	switch r.Kind {
	case Latency:
		if r.wait(req, r.Delay) {
			next.ServeHTTP(w, req)
		}
	case Status:
		w.Header().Set("server", "envoy")
		w.WriteHeader(r.Status)
		_, _ = io.WriteString(w, r.Body)
	case Reset:
		panic(http.ErrAbortHandler)
	case LostReply:
		next.ServeHTTP(&blackHole{header: http.Header{}}, req)
		panic(http.ErrAbortHandler)
	case Hang:
		select {
		case <-req.Context().Done():
		case <-r.removed:
		}
		panic(http.ErrAbortHandler)
	}
}

// wait reports whether the time has passed; false means that the client has gone.
func (r *active) wait(req *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.removed:
	case <-req.Context().Done():
		return false
	}
	return true
}

// blackHole takes an answer that nobody will see.
type blackHole struct{ header http.Header }

// Header implements http.ResponseWriter.
func (b *blackHole) Header() http.Header { return b.header }

// Write implements http.ResponseWriter.
func (b *blackHole) Write(p []byte) (int, error) { return len(p), nil }

// WriteHeader implements http.ResponseWriter.
func (b *blackHole) WriteHeader(int) {}
