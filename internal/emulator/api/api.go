// Package api is the HTTP surface of an emulated node: routes, authentication, permissions, redirects, validation and
// answers. What happens behind it is the Engine's.
package api

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/faults"
)

// Options configure the surface of one node.
type Options struct {
	Engine Engine
	// Faults, when set, may spoil any request.
	Faults *faults.Set
	// FaultsAPI serves the rules under /emulator/faults as well.
	FaultsAPI bool
	// OnRequest is told of each request after its answer; calls may overlap.
	OnRequest func(Request)
	Logger    *slog.Logger
	// Transport carries requests on to the leader when the cluster handles redirects itself.
	Transport http.RoundTripper
	// Now is time.Now when nil.
	Now func() time.Time
}

// Request is one line of the request log.
type Request struct {
	Method string
	Path   string
	Query  string
	Status int // 0 when the connection was dropped
	User   string
}
