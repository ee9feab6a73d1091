package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// syncer keeps the links of one Active-Active instance: one to each peer. It runs on the first node that serves the
// database.
type syncer struct {
	key  string // what the links were made of
	stop context.CancelFunc
	wg   sync.WaitGroup

	links map[int64]*crdb.Link // by instance of the peer
}

// syncerPlan is everything the links of an instance are made of, comparable as text.
type syncerPlan struct {
	GUID        string
	Own         int64
	Sources     []sourcePlan
	Certificate []string // certificate and key that this side shows
}

type sourcePlan struct {
	ID       int64
	Address  string
	Password string
	TLS      bool
	SNI      string
	Cert     string // that the peer must show
}

// linkReport is what the leader is told about a link.
type linkReport struct {
	Status   crdb.Status `json:"status"`
	Error    string      `json:"error,omitempty"`
	Lag      int64       `json:"lag"` // milliseconds
	Updated  time.Time   `json:"updated"`
	Received int64       `json:"received"`
	Sent     int64       `json:"sent"`
}

// planCRDT is what makes the endpoint of a database that of an instance; nil for all others.
func planCRDT(v view, bdb api.Object) *endpointCRDT {
	if !schema.BoolOf(bdb, "crdt") {
		return nil
	}
	c := &endpointCRDT{
		GUID: schema.TextOf(bdb, "crdt_guid"), Instance: schema.IntOf(bdb, "crdt_replica_id"),
		Password: schema.TextOf(bdb, "authentication_admin_pass"),
	}
	for _, id := range strings.Split(schema.TextOf(bdb, "crdt_replicas"), ",") {
		if n := parseInt(id); n != 0 && n != c.Instance {
			c.Peers = append(c.Peers, n)
		}
	}
	if schema.BoolOf(bdb, "_crdt_encryption") || schema.TextOf(bdb, "tls_mode") == "replica_ssl" {
		c.TLS = tlsPlan(v, bdb)
		c.TLS.Enforce, c.TLS.Clients = false, nil // the password is what lets a peer in
	}
	return c
}

// endpointCRDT is the part of an endpoint's plan that makes it one of an Active-Active instance.
type endpointCRDT struct {
	GUID     string
	Instance int64
	Peers    []int64
	Password string
	TLS      *endpointTLS
}

func (e *endpoint) crdt(p *endpointCRDT) (*proxy.CRDT, error) {
	if p == nil {
		return nil, nil
	}
	c := &proxy.CRDT{GUID: p.GUID, Instance: p.Instance, Peers: p.Peers, Password: p.Password}
	if p.TLS == nil {
		return c, nil
	}
	pair, err := e.certs.of(api.Object{"name": "proxy", "certificate": p.TLS.Certificate, "key": p.TLS.Key})
	if err != nil {
		return nil, err
	}
	c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*pair}}
	return c, nil
}

func (a *agent) planSyncer(v view, d databaseRecord, bdb api.Object) *syncerPlan {
	if !schema.BoolOf(bdb, "crdt") || schema.TextOf(bdb, "crdt_sync") != "enabled" || len(d.Nodes) == 0 || d.Nodes[0] != a.self ||
		schema.TextOf(bdb, "status") == "delete-pending" {
		return nil
	}
	p := &syncerPlan{GUID: schema.TextOf(bdb, "crdt_guid"), Own: schema.IntOf(bdb, "crdt_replica_id")}
	cert := certificateOf(v, "syncer")
	p.Certificate = []string{schema.TextOf(cert, "certificate"), schema.TextOf(cert, "key")}
	sources, _ := bdb["crdt_sources"].([]any)
	for _, s := range sources {
		o, _ := s.(map[string]any)
		plan := sourcePlan{
			ID: schema.IntOf(o, "uid"), TLS: schema.BoolOf(o, "encryption"),
			SNI: schema.TextOf(o, "replication_tls_sni"), Cert: schema.TextOf(o, "server_cert"),
		}
		if uri, err := url.Parse(schema.TextOf(o, "uri")); err == nil {
			plan.Address = uri.Host
			plan.Password, _ = uri.User.Password()
		}
		p.Sources = append(p.Sources, plan)
	}
	return p
}

// applySyncers starts and ends links so that they are as planned.
func (a *agent) applySyncers(v view) {
	wanted := map[int64]*syncerPlan{}
	for _, d := range v.databases() {
		bdb := v.peek(api.KindBDB, text(d.BDB))
		if plan := a.planSyncer(v, d, bdb); plan != nil {
			wanted[d.BDB] = plan
		}
	}
	a.mu.Lock()
	var over []*syncer
	for bdb, s := range a.syncers {
		raw, _ := json.Marshal(wanted[bdb])
		if wanted[bdb] == nil || s.key != string(raw) {
			over = append(over, s)
			delete(a.syncers, bdb)
		}
	}
	a.mu.Unlock()
	for _, s := range over {
		s.end()
	}
	for bdb, plan := range wanted {
		a.mu.Lock()
		if a.syncers[bdb] == nil && !a.closed && a.endpoints[bdb] != nil {
			a.syncers[bdb] = a.newSyncer(bdb, plan)
		}
		a.mu.Unlock()
	}
}

func (a *agent) newSyncer(bdb int64, p *syncerPlan) *syncer {
	raw, _ := json.Marshal(p)
	s := &syncer{key: string(raw), links: map[int64]*crdb.Link{}}
	ctx, cancel := context.WithCancel(a.ctx)
	s.stop = cancel
	for _, source := range p.Sources {
		side := &localSide{find: func() *proxy.Endpoint { return a.endpoint(bdb) }}
		peer := crdb.Peer{GUID: p.GUID, Own: p.Own, Address: source.Address, Password: source.Password, Dial: a.dial}
		if source.TLS {
			peer.TLS = sourceTLS(source, p.Certificate)
		}
		l := crdb.NewLink(peer, side, a.pushReport)
		s.links[source.ID] = l
		s.wg.Go(func() {
			defer side.close()
			l.Run(ctx)
		})
	}
	return s
}

func (s *syncer) end() {
	s.stop()
	s.wg.Wait()
}

// sourceTLS trusts the certificate that the configuration has for the peer, whatever name it is reached by: a route has
// a name that the peer's cluster does not know.
func sourceTLS(s sourcePlan, own []string) *tls.Config {
	name := s.SNI
	if name == "" {
		name, _, _ = net.SplitHostPort(s.Address)
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: name,
		InsecureSkipVerify: true, //nolint:gosec // the certificate is compared below, the name is not in it
		VerifyConnection:   pinned(s.Cert),
	}
	if pair, err := tls.X509KeyPair([]byte(own[0]), []byte(own[1])); err == nil {
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

// pinned accepts a certificate, or what it has signed.
func pinned(text string) func(tls.ConnectionState) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(text))
	block, _ := pem.Decode([]byte(text))
	return func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 || block == nil {
			return errors.New("the certificate of the peer is not known")
		}
		leaf := cs.PeerCertificates[0]
		if bytes.Equal(leaf.Raw, block.Bytes) {
			return nil
		}
		between := x509.NewCertPool()
		for _, c := range cs.PeerCertificates[1:] {
			between.AddCert(c)
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
}

// localSide is the endpoint of this node, which may be opened after the link and be replaced.
type localSide struct {
	find func() *proxy.Endpoint
	ep   *proxy.Endpoint
	side *proxy.Side
}

var errNoEndpoint = errors.New("the endpoint is not open")

func (l *localSide) now() (*proxy.Side, error) {
	ep := l.find()
	if ep == nil {
		return nil, errNoEndpoint
	}
	if l.ep != ep {
		l.close()
		l.ep, l.side = ep, ep.Side()
	}
	return l.side, nil
}

// Seen implements crdb.Side.
func (l *localSide) Seen(ctx context.Context) ([]string, error) {
	side, err := l.now()
	if err != nil {
		return nil, err
	}
	return side.Seen(ctx)
}

// Take implements crdb.Side.
func (l *localSide) Take(ctx context.Context, b crdb.Batch) error {
	side, err := l.now()
	if err != nil {
		return err
	}
	return side.Take(ctx, b)
}

func (l *localSide) close() {
	if l.side != nil {
		l.side.Close()
	}
}

// linkReports are those of this node: database, then instance of the peer.
func (a *agent) linkReports() map[string]map[string]linkReport {
	var out map[string]map[string]linkReport
	for bdb, s := range a.syncers {
		links := map[string]linkReport{}
		for id, l := range s.links {
			st := l.State()
			links[strconv.FormatInt(id, 10)] = linkReport{
				Status: st.Status, Error: st.Error, Lag: st.Lag.Milliseconds(), Updated: st.Updated, Received: st.Received, Sent: st.Sent,
			}
		}
		if out == nil {
			out = map[string]map[string]linkReport{}
		}
		out[text(bdb)] = links
	}
	return out
}

// linkStates is everything about the links of this node, for the metrics: database, then instance of the peer.
func (a *agent) linkStates() map[string]map[string]crdb.State {
	out := map[string]map[string]crdb.State{}
	for bdb, s := range a.syncers {
		states := map[string]crdb.State{}
		for id, l := range s.links {
			states[strconv.FormatInt(id, 10)] = l.State()
		}
		out[text(bdb)] = states
	}
	return out
}

// linksOf are the links of a database as the leader knows them; empty elsewhere.
func (n *Node) linksOf(d databaseRecord) map[string]linkReport {
	w := n.sight()
	if w == nil || len(d.Nodes) == 0 || !w.alive(d.Nodes[0]) {
		return nil
	}
	return w.reports[d.Nodes[0]].Links[text(d.BDB)]
}

// overlayLinks puts what is true of the links at this moment over the sources of an instance.
func overlayLinks(links map[string]linkReport, o api.Object) {
	sources, _ := o["crdt_sources"].([]any)
	for _, s := range sources {
		source, _ := s.(map[string]any)
		source["status"] = string(crdb.OutOfSync)
		r, known := links[text(schema.IntOf(source, "uid"))]
		if !known {
			continue
		}
		source["status"], source["lag"], source["last_error"] = string(r.Status), r.Lag, r.Error
		source["rdb_size"], source["rdb_transferred"] = int64(0), int64(0)
		source["_received"], source["_sent"] = r.Received, r.Sent
		if !r.Updated.IsZero() {
			source["last_update"] = schema.Timestamp(r.Updated)
		}
	}
}
