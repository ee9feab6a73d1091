package api

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// forwardedBy marks a request that a node has passed on, so that two nodes with different ideas of the leader do not
// send it round in circles.
const forwardedBy = "X-Emulator-Forwarded-By"

// Paths outside the API of the product.
const (
	faultsPath  = "/emulator/faults"  // fault rules, when enabled
	membersPath = "/emulator/members" // a node asks to join; see Join
)

// Server is the surface of one node.
type Server struct {
	Options
	router   *router
	lockouts lockouts
	// bdbs makes checking a database against the others and storing it one step.
	bdbs sync.Mutex
}

// New makes the HTTP handler of a node.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{Options: o}
	s.router = newRouter(routes())
	surface := s.logged(o.Faults.Wrap(http.HandlerFunc(s.serve)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == faultsPath && o.FaultsAPI && o.Faults != nil:
			o.Faults.Admin().ServeHTTP(w, r)
		case r.URL.Path == membersPath:
			s.serveMembers(w, r)
		default:
			surface.ServeHTTP(w, r)
		}
	})
}

// joined tells whether this node is a full member of a cluster.
func (s *Server) joined() bool { return s.Engine.Bootstrap().State == BootstrapCompleted }

// serve takes a request through the gates, in the order a client notices: cluster, quorum, credentials, leader, role.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("server", "envoy")
	inCluster := s.joined()
	if inCluster {
		w.Header().Set("cluster-state-id", strconv.FormatInt(s.Engine.StateID(), 10))
	}
	rt, params := s.router.find(r)
	switch {
	case !inCluster && (rt == nil || rt.reach != byAnyone):
		answerError(w, refusal(http.StatusServiceUnavailable, "no_cluster", "Node is not part of a cluster"))
	case rt == nil:
		answerError(w, refusal(http.StatusNotFound, "not_found", "%s does not exist", r.URL.Path))
	default:
		c := &call{Server: s, request: r, params: params, header: w.Header()}
		s.serveRoute(w, c, rt, inCluster) //nolint:contextcheck // the call carries the request with its context
	}
}

func (s *Server) serveRoute(w http.ResponseWriter, c *call, rt *route, inCluster bool) {
	var leader Leader
	if inCluster && rt.reach == byLeader {
		var err error
		if leader, err = s.Engine.Leader(c.ctx()); err != nil {
			answerError(w, err)
			return
		}
	}
	if inCluster && !rt.open {
		if err := s.admit(c, rt); err != nil {
			answerError(w, err)
			return
		}
		noteUser(c.request, schema.TextOf(c.user, "email"))
	}
	if inCluster && rt.reach == byLeader && !leader.Self {
		s.sendToLeader(w, c, rt, leader)
		return
	}
	if inCluster && !rt.open {
		if err := s.permit(c, rt.permission); err != nil {
			answerError(w, err)
			return
		}
	}
	s.finish(w, c, rt)
}

func (s *Server) finish(w http.ResponseWriter, c *call, rt *route) {
	v, err := rt.serve(c)
	if s.joined() {
		w.Header().Set("cluster-state-id", strconv.FormatInt(s.Engine.StateID(), 10))
	}
	if err != nil {
		if refusalOf(err).Status >= http.StatusInternalServerError {
			s.Logger.Warn("request failed", "method", rt.method, "path", rt.pattern, "error", err)
		}
		answerError(w, err)
		return
	}
	answer(w, v)
}

// sendToLeader redirects, or carries the request on when the cluster is set to do so.
func (s *Server) sendToLeader(w http.ResponseWriter, c *call, rt *route, leader Leader) {
	r := c.request
	if (rt.carried || s.clusterFlag(c, "handle_redirects")) && r.Header.Get(forwardedBy) == "" {
		target := &url.URL{Scheme: "https", Host: leader.Addr}
		proxy := &httputil.ReverseProxy{
			Transport: s.Transport,
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(target)
				p.Out.Header.Set(forwardedBy, strconv.FormatInt(s.Engine.NodeUID(), 10))
			},
			ModifyResponse: func(*http.Response) error {
				w.Header().Del("server")
				w.Header().Del("cluster-state-id")
				return nil
			},
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
				answerError(w, ErrNoQuorum)
			},
		}
		proxy.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Location", "https://"+leader.Addr+r.URL.RequestURI())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

func (s *Server) clusterFlag(c *call, key string) bool {
	cluster, err := s.Engine.Peek(c.ctx(), KindCluster, Singleton)
	return err == nil && schema.BoolOf(cluster, key)
}
