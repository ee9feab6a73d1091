package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/discovery"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// Node is one emulated node. Many can live in one process, each on an address of its own.
type Node struct {
	cfg     Config
	log     *slog.Logger
	started time.Time
	machine schema.Machine

	ctx    context.Context // ends with the node
	cancel context.CancelFunc
	wg     sync.WaitGroup

	listeners []net.Listener
	servers   []*http.Server
	discovery *discovery.Server
	own       api.Object // certificate before the node is in a cluster
	pairs     map[string]*keyPair
	transport *http.Transport

	mu     sync.Mutex
	boot   api.BootstrapStatus
	member *membership // nil before the node is in a cluster
	ended  bool
}

// membership is what a node has while it is in a cluster.
type membership struct {
	store  *store.Store
	agent  *agent
	engine *engine
}

// New prepares a node: directories, listening ports. Nothing runs before Launch or Run.
func New(c Config) (*Node, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{c.Dir, c.TempDir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("emulator: %w", err)
		}
	}
	n := &Node{
		cfg: c, log: c.Logger.With("node_addr", c.Addr), started: c.Now(),
		pairs: map[string]*keyPair{"own": {}, "api": {}, "cm": {}, "metrics_exporter": {}, "proxy": {}},
		boot:  api.BootstrapStatus{State: api.BootstrapIdle},
	}
	n.machine = machineOf(c, n.started)
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.own, err = selfSigned("api", c.Hostname, []string{c.Hostname, "localhost"},
		[]net.IP{net.ParseIP(c.Addr), net.IPv4(127, 0, 0, 1)}, c.Now())
	if err != nil {
		return nil, err
	}
	n.transport = &http.Transport{TLSClientConfig: n.peerTLS(), DialContext: c.Dial, IdleConnTimeout: 30 * time.Second}
	if err := n.listen(); err != nil {
		n.shut()
		return nil, err
	}
	return n, nil
}

// Addr is the node's address.
func (n *Node) Addr() string { return n.cfg.Addr }

// URL is the base of the node's admin API.
func (n *Node) URL() string { return "https://" + hostPort(n.cfg.Addr, n.cfg.Ports.API) }

// Launch brings the node up; a node that was in a cluster comes back as itself.
func (n *Node) Launch(ctx context.Context) error {
	if err := n.resume(ctx); err != nil {
		return err
	}
	n.serve()
	return nil
}

// Run is Launch, then waits for the context and ends with Close.
func (n *Node) Run(ctx context.Context) error {
	if err := n.Launch(ctx); err != nil {
		return errors.Join(err, n.Kill()) //nolint:contextcheck // power failures do not wait
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return n.Close(end)
}

// Close ends the node in order: the master role of the configuration is handed over, shards keep their data on disk.
func (n *Node) Close(ctx context.Context) error { return n.end(ctx, false) }

// Kill ends the node as if its machine had lost power: processes get no chance to say goodbye.
func (n *Node) Kill() error { return n.end(context.Background(), true) }

// Isolate cuts the node off from the other nodes on the port between nodes, or ends that. For tests.
func (n *Node) Isolate(on bool) {
	if m := n.membership(); m != nil {
		m.store.Isolate(on)
	}
}

func (n *Node) end(ctx context.Context, kill bool) error {
	n.mu.Lock()
	if n.ended {
		n.mu.Unlock()
		return nil
	}
	n.ended = true
	m := n.member
	n.mu.Unlock()
	n.cancel()
	if kill { // nobody hears from it any more
		n.shut()
	}
	var err error
	if m != nil {
		err = m.end(ctx, kill)
	}
	n.shut()
	n.wg.Wait()
	return err
}

func (n *Node) shut() {
	for _, s := range n.servers {
		_ = s.Close()
	}
	for _, l := range n.listeners {
		_ = l.Close()
	}
	if n.discovery != nil {
		_ = n.discovery.Close()
	}
	n.transport.CloseIdleConnections()
}

func (m *membership) end(ctx context.Context, kill bool) error {
	m.engine.close()
	if kill {
		m.agent.close(ctx, true)
		return m.store.Kill()
	}
	err := m.store.Close(ctx)
	m.agent.close(ctx, false)
	return err
}

func (n *Node) membership() *membership {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.member
}

// storeOptions are for a store whose agent is a.
func (n *Node) storeOptions(a *agent) store.Options {
	return store.Options{
		Dir: n.cfg.Dir + "/store", Host: n.cfg.Addr,
		InternodePort: n.cfg.Ports.Internode, CCSPort: n.cfg.Ports.CCS, Binary: n.cfg.RedisServer,
		FailureTimeout: n.cfg.FailureTimeout, Logger: n.log,
		Handlers: a.handlers(), Report: a.report, Removed: n.removed, Hints: n.hints,
	}
}

func (n *Node) hints() []string {
	if n.cfg.PeerHints == nil {
		return nil
	}
	var out []string
	for _, host := range n.cfg.PeerHints() {
		out = append(out, hostPort(host, n.cfg.Ports.Internode))
	}
	return out
}

// resume continues a membership that is on disk.
func (n *Node) resume(ctx context.Context) error {
	a := newAgent(n.cfg, n.log)
	st, err := store.Open(ctx, n.storeOptions(a))
	if errors.Is(err, store.ErrNoCluster) {
		a.cancel()
		return nil
	}
	if err != nil {
		a.cancel()
		return err
	}
	n.enter(st, a)
	n.setBoot(api.BootstrapStatus{State: api.BootstrapCompleted, StartTime: n.started, EndTime: n.started})
	return nil
}

// enter starts everything a member has.
func (n *Node) enter(st *store.Store, a *agent) {
	a.start(st)
	m := &membership{store: st, agent: a}
	m.engine = newEngine(n, st, a)
	n.mu.Lock()
	n.member = m
	n.mu.Unlock()
}

// removed is told when the cluster no longer knows this node: it goes back to an empty, idle node.
func (n *Node) removed() {
	n.mu.Lock()
	m := n.member
	if n.ended || m == nil {
		n.mu.Unlock()
		return
	}
	n.member = nil
	n.mu.Unlock()
	if err := m.end(context.Background(), true); err != nil {
		n.log.Error("leaving the cluster", "error", err.Error())
	}
	for _, dir := range []string{"/store", "/redis"} {
		if err := os.RemoveAll(n.cfg.Dir + dir); err != nil {
			n.log.Error("removing data", "error", err.Error())
		}
	}
	n.setBoot(api.BootstrapStatus{State: api.BootstrapIdle}) // only now: a new membership must not meet the old data
	n.log.Info("left the cluster")
}

func (n *Node) setBoot(b api.BootstrapStatus) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.boot = b
}

// reader is the committed configuration, as far as this node knows it.
func (n *Node) reader() view {
	if m := n.membership(); m != nil {
		return view{m.store.Snapshot()}
	}
	return view{(*store.Snapshot)(nil)}
}

// tlsFor serves the certificate of a name as the configuration has it now.
func (n *Node) tlsFor(name string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequestClientCert, // the API checks it against the trusted CA of the cluster, if any
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			v := n.reader()
			if cert := certificateOf(v, name); cert != nil {
				return n.pairs[name].of(cert)
			}
			return n.pairs["own"].of(n.own)
		},
	}
}

// InCluster tells whether the node is a full member of a cluster.
func (n *Node) InCluster() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.boot.State == api.BootstrapCompleted
}

// BootstrapError is why the last attempt to get into a cluster failed, or nil.
func (n *Node) BootstrapError() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.boot.State != api.BootstrapError {
		return nil
	}
	return n.boot.Failure
}

// Client talks to this very node's admin API and to nothing that does not show this node's certificate.
func (n *Node) Client() *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			// The certificate is compared below; before the node is in a cluster it names no cluster to verify.
			InsecureSkipVerify: true, //nolint:gosec // see VerifyConnection
			VerifyConnection: func(cs tls.ConnectionState) error {
				mine, err := n.tlsFor("api").GetCertificate(nil)
				if err != nil {
					return err
				}
				if len(cs.PeerCertificates) == 0 || !bytes.Equal(cs.PeerCertificates[0].Raw, mine.Certificate[0]) {
					return errors.New("emulator: not the certificate of this node")
				}
				return nil
			},
		},
	}}
}
