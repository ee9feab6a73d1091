package rest

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultPort is where the admin API listens.
const DefaultPort = "9443"

// Credentials of an admin account. They never print their password.
type Credentials struct {
	Username, Password string
}

// String hides the password.
func (c Credentials) String() string { return c.Username + ":***" }

// GoString hides the password from %#v as well.
func (c Credentials) GoString() string { return "rest.Credentials{" + c.String() + "}" }

// Middleware wraps the transport; the first of a list is the outermost.
type Middleware func(http.RoundTripper) http.RoundTripper

// Options of a Client. The functions are asked at each call, so that addresses, certificates and credentials can
// change under a living client.
type Options struct {
	// Addresses lists the nodes, as host or host:port; the default port is 9443. The order is the order of preference.
	Addresses func() []string
	// ServerName is the name the certificate must carry: the cluster's FQDN. Addresses are IPs, which it does not name.
	ServerName string
	// Names, if any, take the place of ServerName for a cluster behind a proxy that leads by host name: the handshake asks
	// for the host of the address, and the certificate must carry one of these.
	Names []string
	// RootCAs are the certificates trusted; nil means those of the system.
	RootCAs func() *x509.CertPool
	// Credentials to send; nil or an empty user sends none.
	Credentials func() Credentials
	// Timeout limits one call including redirects and other nodes; default 20 s. The context may end it earlier.
	Timeout time.Duration
	// AttemptTimeout limits one exchange with one node; default 10 s.
	AttemptTimeout time.Duration
	// DialTimeout limits connecting to one node; default 3 s.
	DialTimeout time.Duration
	// TrustLoopback accepts any certificate, but only from a loopback address: the first contact of a program that
	// runs beside the node, before the node's certificate can be known. No other address is ever dialled then.
	TrustLoopback bool
	// Dial opens connections; nil is the plain network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport replaces the network, for tests. Nil is the real one.
	Transport http.RoundTripper
	// Middleware wraps the transport: logging, metrics, dry run.
	Middleware []Middleware
}

// Client calls the admin API of one cluster. It is safe for concurrent use.
type Client struct {
	opts    Options
	http    *http.Client
	pool    *http.Transport // nil when Options.Transport is set
	fixed   string          // an address that all calls go to; see At
	stateID *atomic.Int64
	sticky  *sticky
}

// sticky remembers the address that answered last; copies of a client made by At share nothing but the pool.
type sticky struct {
	mu      sync.Mutex
	address string
	shunned string // refused the credentials last; asked last, as it may have left the cluster
}

func (s *sticky) get() (address, shunned string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address, s.shunned
}

func (s *sticky) set(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = address
	if s.shunned == address {
		s.shunned = ""
	}
}

// shun puts an address at the end of the queue.
func (s *sticky) shun(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shunned = address
	if s.address == address {
		s.address = ""
	}
}

// forget drops the address if it is still the one remembered.
func (s *sticky) forget(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.address == address {
		s.address = ""
	}
}

// New returns a client. It connects on the first call.
func New(opts Options) *Client {
	if opts.Timeout <= 0 {
		opts.Timeout = 20 * time.Second
	}
	if opts.AttemptTimeout <= 0 {
		opts.AttemptTimeout = 10 * time.Second
	}
	if opts.DialTimeout <= 0 {
		opts.DialTimeout = 3 * time.Second
	}
	c := &Client{opts: opts, stateID: new(atomic.Int64), sticky: new(sticky)}
	rt := opts.Transport
	if rt == nil {
		c.pool = newTransport(opts)
		rt = c.pool
	}
	for i := len(opts.Middleware) - 1; i >= 0; i-- {
		rt = opts.Middleware[i](rt)
	}
	// Redirects are followed by hand: they need the body and the credentials again, and the certificate's name.
	c.http = &http.Client{Transport: rt, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return c
}

// At returns a client that shares the connections of c but asks only the node at address: for calls that a node
// answers for itself (bootstrap, local health). It neither moves to another node nor changes which one c prefers.
func (c *Client) At(address string) *Client {
	copied := *c
	copied.fixed = address
	copied.sticky = new(sticky)
	copied.stateID = new(atomic.Int64)
	return &copied
}

// StateID is the cluster-state-id of the last answer: it grows with each change of the cluster. Zero if never seen.
func (c *Client) StateID() int64 { return c.stateID.Load() }

// Preferred is the address that the next call tries first, or empty.
func (c *Client) Preferred() string {
	address, _ := c.sticky.get()
	return address
}

// Close drops idle connections. The client stays usable; call it after the trusted certificates changed as well, so
// that the next call shakes hands anew.
func (c *Client) Close() {
	if c.pool != nil {
		c.pool.CloseIdleConnections()
	}
}

// call is one request of the API.
type call struct {
	method string
	route  string // the path as a template, for metrics and logs
	path   string
	body   any // encoded as JSON unless nil
	out    any // decoded into unless nil
	// taskID names the work that the call starts, so that it can be sent again.
	taskID string
	// anonymous sends no credentials.
	anonymous bool
	// slow calls do their work on all nodes before they answer; the time-outs are at least this.
	slow time.Duration
}

// allNodes is the patience with calls that answer after all nodes have done something.
const allNodes = time.Minute

func (c *Client) get(ctx context.Context, route, path string, out any) error {
	return c.do(ctx, call{method: http.MethodGet, route: route, path: path, out: out})
}

func (c *Client) put(ctx context.Context, route, path string, body, out any) error {
	return c.do(ctx, call{method: http.MethodPut, route: route, path: path, body: body, out: out})
}

func (c *Client) post(ctx context.Context, route, path string, body, out any) error {
	return c.do(ctx, call{method: http.MethodPost, route: route, path: path, body: body, out: out})
}

func (c *Client) delete(ctx context.Context, route, path string, body any) error {
	return c.do(ctx, call{method: http.MethodDelete, route: route, path: path, body: body})
}
