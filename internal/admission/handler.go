package admission

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-logr/logr"
)

// Limits of one review. The API server waits 30 seconds by the documented configuration; we answer well before.
const (
	reviewLimit = 5 * time.Second
	bodyLimit   = 8 << 20 // two objects of the largest size the API server stores, and some
)

// Handler answers reviews over HTTP.
type Handler struct {
	kinds map[string]Kind
	log   logr.Logger
}

// NewHandler makes a handler for the listed kinds.
func NewHandler(log logr.Logger, kinds ...Kind) *Handler {
	h := &Handler{kinds: map[string]Kind{}, log: log}
	for _, k := range kinds {
		h.kinds[k.Resource()] = k
	}
	return h
}

// ServeHTTP reads a review, decides and answers in the version received.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "POST an AdmissionReview", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if err != nil {
		http.Error(w, "cannot read the body", http.StatusRequestEntityTooLarge)
		return
	}
	review, err := parseReview(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), reviewLimit)
	defer cancel()
	request := requestOf(review)
	verdict := h.decide(ctx, request)
	if len(verdict.Denials) > 0 {
		h.log.Info("change denied", "resource", request.Resource, "namespace", request.Namespace, "name", request.Name, "reasons", verdict.Denials)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer(review, verdict)); err != nil {
		h.log.V(1).Info("answer not delivered", "error", err.Error())
	}
}

// decide never fails: a resource we have no rules for passes, an object that cannot be read does not.
func (h *Handler) decide(ctx context.Context, request Request) Verdict {
	kind, known := h.kinds[request.Resource]
	if !known {
		return Verdict{Warnings: []string{request.Resource + " are not checked by this operator"}}
	}
	verdict, err := kind.Review(ctx, request)
	if err != nil {
		return Verdict{Denials: []string{fmt.Sprintf("the object cannot be read: %v", err)}}
	}
	return verdict
}
