package bootstrapper

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
)

// silence is how long a node that has answered before may be silent before its container is restarted. A node that is
// busy with a large load or a slow disk must not be killed for it.
const silence = 2 * time.Minute

// Handler answers the kubelet for the node container. Nothing it serves is secret, and the only request that does
// anything, the preStop hook, acts only when the API server says that the pod is being deleted.
func (a *Agent) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+names.PathStartup, a.probe(a.started))
	mux.HandleFunc("GET "+names.PathLive, a.probe(a.alive))
	mux.HandleFunc("GET "+names.PathReady, a.probe(a.ready))
	mux.HandleFunc("GET "+names.PathPreStop, func(w http.ResponseWriter, r *http.Request) {
		a.preStop(r.Context())
		w.WriteHeader(http.StatusOK)
	})
	return mux
}

func (a *Agent) probe(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := check(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ok")
	}
}

func (a *Agent) started(context.Context) error {
	if _, seen := a.snapshot(); seen.IsZero() {
		return fmt.Errorf("the node's API has not answered yet")
	}
	return nil
}

func (a *Agent) alive(context.Context) error {
	if _, seen := a.snapshot(); !seen.IsZero() && time.Since(seen) > silence {
		return fmt.Errorf("the node's API has been silent since %s", seen.Format(time.RFC3339))
	}
	return nil
}

// ready is the node's own word, and the cluster's word on the node when the cluster can be asked: a node that the
// others count as dead must not get traffic (rule STB-4), while a cluster without quorum leaves readiness alone, so
// that databases stay reachable.
func (a *Agent) ready(ctx context.Context) error {
	facts, _ := a.snapshot()
	if facts.State != Completed {
		return fmt.Errorf("the node is not in the cluster yet (%s)", stateText(facts))
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if duty, err := a.Node.Duty(ctx, facts.UID); err == nil && !duty.Active {
		return fmt.Errorf("the cluster counts node %s as down", facts.UID)
	}
	return nil
}

func stateText(f NodeFacts) string {
	switch {
	case f.State == Unreachable:
		return "its API does not answer"
	case f.ErrorCode != "":
		return fmt.Sprintf("%s: %s", f.State, f.ErrorCode)
	}
	return string(f.State)
}
