package bootstrapper

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/names"
	"github.com/open-redis-enterprise/operator/internal/rest"
)

// RESTNode is the node beside us, reached over the pod's own loopback, and through it the cluster.
type RESTNode struct {
	loopback       string // host:port of the node's API, a loopback address
	cluster        string // FQDN, the name in the certificates
	credentialsDir string

	local  *rest.Client // the node itself, first contact included
	remote *rest.Client // the cluster, with the certificate read over loopback pinned

	patience rest.Patience

	mu     sync.Mutex
	pool   *x509.CertPool
	member bool // the node has once said that it is in the cluster
}

// NewRESTNode makes the node whose API answers at loopback (host:port), in the cluster with the given FQDN. The
// credentials are read from the files username and password in dir, each time anew.
func NewRESTNode(loopback, cluster, dir string) *RESTNode {
	n := &RESTNode{loopback: loopback, cluster: cluster, credentialsDir: dir}
	options := rest.Options{
		Addresses:   func() []string { return []string{loopback} },
		ServerName:  cluster,
		Credentials: n.credentials,
		Timeout:     10 * time.Second,
	}
	remote := options
	options.TrustLoopback = true
	remote.RootCAs = n.trusted
	n.local, n.remote = rest.New(options), rest.New(remote)
	return n
}

// Close drops the connections.
func (n *RESTNode) Close() {
	n.local.Close()
	n.remote.Close()
}

// Facts reads the bootstrap status, without credentials until the node asks for them.
func (n *RESTNode) Facts(ctx context.Context) (NodeFacts, error) {
	n.mu.Lock()
	member := n.member
	n.mu.Unlock()
	resting := n.resting()
	if !member || resting {
		report, err := n.local.GetBootstrapAnonymous(ctx)
		if !rest.IsUnauthorized(err) {
			return factsOf(report, err)
		}
	}
	if resting {
		return NodeFacts{State: Completed}, nil // it wants credentials, so it is in the cluster; ours are being refused
	}
	report, err := n.local.GetBootstrap(ctx)
	n.note(err)
	if rest.IsUnauthorized(err) {
		return NodeFacts{State: Completed}, nil
	}
	facts, err := factsOf(report, err)
	n.mu.Lock()
	n.member = facts.State == Completed
	n.mu.Unlock()
	return facts, err
}

func factsOf(report *rest.BootstrapReport, err error) (NodeFacts, error) {
	if err != nil {
		return NodeFacts{}, err
	}
	facts := NodeFacts{State: State(report.Status.State), ErrorCode: report.Status.ErrorCode, ErrorMessage: report.Status.ErrorMessage()}
	if facts.State == Completed && report.Node.UID > 0 {
		facts.UID = report.Node.UID.String()
	}
	return facts, nil
}

// Certificate reads the chain served on loopback and pins it for calls to the other nodes.
func (n *RESTNode) Certificate(ctx context.Context) (string, error) {
	host, _, err := net.SplitHostPort(n.loopback)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("%s is no loopback address, so its certificate cannot be taken on trust", host)
	}
	// The chain is what this call is about: there is nothing to verify it against yet, and nobody but the node
	// beside us can listen on this loopback address.
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: n.cluster}} //nolint:gosec // documented first contact, loopback only
	conn, err := dialer.DialContext(ctx, "tcp", n.loopback)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	var chain bytes.Buffer
	pool := x509.NewCertPool()
	for _, cert := range conn.(*tls.Conn).ConnectionState().PeerCertificates {
		pool.AddCert(cert)
		if err := pem.Encode(&chain, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}); err != nil {
			return "", err
		}
	}
	n.mu.Lock()
	n.pool = pool
	n.mu.Unlock()
	return chain.String(), nil
}

func (n *RESTNode) trusted() *x509.CertPool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.pool == nil {
		return x509.NewCertPool() // trust nobody, never the system's authorities
	}
	return n.pool
}

// CreateCluster starts forming the cluster.
func (n *RESTNode) CreateCluster(ctx context.Context, name string) error {
	b := n.bootstrap(rest.CreateCluster)
	b.Cluster = &rest.BootstrapCluster{Name: name}
	return n.local.StartBootstrap(ctx, b)
}

// JoinCluster starts joining through the members.
func (n *RESTNode) JoinCluster(ctx context.Context, members []string, uid string) error {
	b := n.bootstrap(rest.JoinCluster)
	b.Cluster = &rest.BootstrapCluster{Name: n.cluster, Nodes: members}
	if replace, ok := rest.ParseUID(uid); ok && replace > 0 {
		b.Node.Identity = &rest.BootstrapIdentity{UID: &replace}
	}
	return n.local.StartBootstrap(ctx, b)
}

func (n *RESTNode) bootstrap(action string) rest.Bootstrap {
	c := n.credentials()
	return rest.Bootstrap{
		Action:      action,
		Credentials: &rest.BootstrapCredential{Username: c.Username, Password: c.Password},
		Node:        &rest.BootstrapNode{Paths: &rest.BootstrapPaths{PersistentPath: names.PersistDir, EphemeralPath: names.EphemeralDir}},
	}
}

// Duty asks the cluster what it has given the node to do.
func (n *RESTNode) Duty(ctx context.Context, uid string) (Duty, error) {
	id, ok := rest.ParseUID(uid)
	if !ok {
		return Duty{}, fmt.Errorf("the node's uid is not known")
	}
	if n.resting() {
		return Duty{}, fmt.Errorf("the cluster refuses the credentials in %s", n.credentialsDir)
	}
	node, err := n.remote.GetNode(ctx, id)
	if n.note(err); err != nil {
		return Duty{}, err
	}
	statuses, err := n.remote.NodeStatuses(ctx)
	if err != nil {
		return Duty{}, err
	}
	actions, err := n.remote.ListNodeActions(ctx)
	if err != nil && !rest.IsNotFound(err) {
		return Duty{}, err
	}
	shards, err := n.remote.ListShards(ctx)
	if err != nil {
		return Duty{}, err
	}
	status := statuses[id]
	duty := Duty{Master: status.Role == "master", Active: node.Status == "active", Maintenance: status.InMaintenance()}
	for _, action := range actions {
		if action.NodeUID == id && action.Phase() == rest.Running {
			duty.Busy = true
		}
	}
	for _, shard := range shards {
		if shard.NodeUID == id && shard.Role == "master" {
			duty.MasterShards++
		}
	}
	databases, err := n.remote.ListBDBs(ctx, "uid", "endpoints")
	if err != nil {
		return Duty{}, err
	}
	duty.Endpoints = onlyHere(databases, node.Addr)
	return duty, nil
}

// onlyHere counts the endpoints that would be gone with the node. Those that other nodes hold as well (proxy policies
// all-nodes and all-master-shards) never leave a node, and need not.
func onlyHere(databases []rest.BDB, address string) int {
	count := 0
	for _, db := range databases {
		for _, endpoint := range rest.Value(db.Endpoints) {
			if len(endpoint.Addr) == 1 && endpoint.Addr[0] == address {
				count++
			}
		}
	}
	return count
}

// MaintenanceOn starts moving masters and endpoints away. A maintenance that is already on is done again, so that what
// came back meanwhile leaves too, without a second snapshot.
func (n *RESTNode) MaintenanceOn(ctx context.Context, uid string) error {
	return n.action(ctx, uid, rest.MaintenanceOn)
}

// MaintenanceOff starts the way back.
func (n *RESTNode) MaintenanceOff(ctx context.Context, uid string) error {
	return n.action(ctx, uid, rest.MaintenanceOff)
}

func (n *RESTNode) action(ctx context.Context, uid, name string) error {
	id, ok := rest.ParseUID(uid)
	if !ok {
		return fmt.Errorf("the node's uid is not known")
	}
	err := n.remote.StartNodeAction(ctx, id, name, rest.NodeActionRequest{})
	if rest.IsBusy(err) {
		return nil // one is running; Duty shows it
	}
	return err
}

// GiveUpMaster makes the first other active node the master.
func (n *RESTNode) GiveUpMaster(ctx context.Context, uid string) error {
	nodes, err := n.remote.ListNodes(ctx)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if node.UID.String() != uid && node.Status == "active" {
			return n.remote.ChangeMaster(ctx, node.UID)
		}
	}
	return fmt.Errorf("no other node is active, so nobody can take the master role")
}

// credentials reads the mounted Secret; a Secret that cannot be read yields nothing, and the call fails as it should.
func (n *RESTNode) credentials() rest.Credentials {
	user, _ := os.ReadFile(filepath.Join(n.credentialsDir, names.UsernameKey))
	password, _ := os.ReadFile(filepath.Join(n.credentialsDir, names.PasswordKey))
	return rest.Credentials{Username: strings.TrimSpace(string(user)), Password: strings.TrimRight(string(password), "\r\n")}
}

// note remembers credentials that were refused.
func (n *RESTNode) note(err error) { n.patience.Note(n.credentials(), err, time.Now()) }

// resting reports whether the credentials that stand in the Secret now were refused a short while ago.
func (n *RESTNode) resting() bool {
	_, resting := n.patience.Resting(n.credentials(), time.Now())
	return resting
}
