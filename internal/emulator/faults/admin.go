package faults

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Admin serves the rules themselves: GET lists, POST adds, DELETE clears, DELETE ?id=n removes one.
func (s *Set) Admin() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet:
			writeJSON(w, http.StatusOK, s.Rules())
		case http.MethodPost:
			s.post(w, r)
		case http.MethodDelete:
			s.delete(w, r)
		default:
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
}

func (s *Set) post(w http.ResponseWriter, r *http.Request) {
	var rule Rule
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&rule)
	if err == nil {
		rule.ID, err = s.Add(rule)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"description": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, rule)
}

func (s *Set) delete(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if id == "" {
		s.Clear()
		return
	}
	n, err := strconv.Atoi(id)
	if err != nil || !s.Remove(n) {
		w.WriteHeader(http.StatusNotFound)
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
