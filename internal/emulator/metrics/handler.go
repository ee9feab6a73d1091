package metrics

import (
	"net/http"
	"time"
)

// contentType is that of the text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// Handler serves the metrics of a node.
func Handler(s Source) http.Handler {
	h := &handler{source: s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2", h.v2)
	mux.HandleFunc("GET /v2/node", h.node)
	mux.HandleFunc("GET /metrics", h.v1)
	mux.HandleFunc("GET /{$}", h.v1)
	return mux
}

type handler struct {
	source Source
	rates  rates
}

// page answers with what fill collects.
func (h *handler) page(w http.ResponseWriter, r *http.Request, p *page, fill func(Snapshot, time.Time)) {
	if !h.source.Authorized(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="metrics"`)
		http.Error(w, "credentials are needed", http.StatusUnauthorized)
		return
	}
	s, err := h.source.Snapshot(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fill(s, time.Now())
	w.Header().Set("Content-Type", contentType)
	_ = p.write(w) // the client has gone
}

func (h *handler) v2(w http.ResponseWriter, r *http.Request) {
	p := newPage()
	h.page(w, r, p, func(s Snapshot, now time.Time) { writeV2(s, p, &h.rates, false, now) })
}

func (h *handler) node(w http.ResponseWriter, r *http.Request) {
	p := newPage("cluster", "node")
	h.page(w, r, p, func(s Snapshot, now time.Time) { writeV2(s, p, &h.rates, true, now) })
}

func (h *handler) v1(w http.ResponseWriter, r *http.Request) {
	if leader := h.source.Leader(); leader != "" {
		http.Redirect(w, r, leader+"/", http.StatusTemporaryRedirect)
		return
	}
	p := newPage()
	h.page(w, r, p, func(s Snapshot, now time.Time) { writeV1(s, p, &h.rates, now) })
}
