package api

import (
	"context"
	"net/http"
)

type userKey struct{}

// noteUser leaves the name of the caller for the request log.
func noteUser(r *http.Request, name string) {
	if p, ok := r.Context().Value(userKey{}).(*string); ok {
		*p = name
	}
}

// logged tells OnRequest about each request once it is answered.
func (s *Server) logged(next http.Handler) http.Handler {
	if s.OnRequest == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		user := ""
		line := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery}
		defer func() {
			line.Status, line.User = rec.status, user
			s.OnRequest(line)
		}()
		next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), userKey{}, &user)))
	})
}

// recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
