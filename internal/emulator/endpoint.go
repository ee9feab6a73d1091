package emulator

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// endpoint is the listener of one database on this node.
type endpoint struct {
	a   *agent
	bdb int64

	mu    sync.Mutex
	ep    *proxy.Endpoint
	key   string // what the present configuration was made of
	err   error
	holds map[string]func() // releases by holder
	certs keyPair
}

// endpointPlan is everything an endpoint's configuration is made of, comparable as text.
type endpointPlan struct {
	Addr        string
	Backends    []proxy.Backend
	Sharded     bool
	HashRules   []string
	OSSCluster  bool
	Nodes       []proxy.Node
	DefaultUser bool
	Passwords   []string
	MaxClients  int
	Paused      bool
	RESP3       bool
	Version     string
	Users       []endpointUser
	TLS         *endpointTLS
	CRDT        *endpointCRDT
}

// endpointUser is a user of the cluster who may use the database, with the rule of the access list.
type endpointUser struct {
	Name    string
	Digests []string
	Rule    string
}

type endpointTLS struct {
	Certificate, Key string
	Clients          []string // certificates that clients may present; none means that no client needs one
	Enforce          bool
}

// applyEndpoints opens, changes and closes the endpoints of this node; false when one of them could not be.
func (a *agent) applyEndpoints(v view, linked bool) bool {
	wanted, good := map[int64]bool{}, true
	for _, d := range v.databases() {
		if !slices.Contains(d.Nodes, a.self) {
			continue
		}
		bdb, ok := v.bdb(d.BDB)
		if !ok {
			continue
		}
		wanted[d.BDB] = true
		a.mu.Lock()
		e := a.endpoints[d.BDB]
		if e == nil && !a.closed {
			e = &endpoint{a: a, bdb: d.BDB, holds: map[string]func(){}}
			a.endpoints[d.BDB] = e
		}
		a.mu.Unlock()
		if e != nil {
			good = e.apply(a.planEndpoint(v, d, bdb, linked)) == nil && good
		}
	}
	a.mu.Lock()
	var gone []*endpoint
	for bdb, e := range a.endpoints {
		if !wanted[bdb] {
			gone = append(gone, e)
			delete(a.endpoints, bdb)
		}
	}
	a.mu.Unlock()
	// Waited for: until it is closed an endpoint goes by an old configuration, and this node must not say that it goes by
	// the new one.
	var draining sync.WaitGroup
	for _, e := range gone {
		draining.Go(e.drain)
	}
	draining.Wait()
	return good
}

func (a *agent) planEndpoint(v view, d databaseRecord, bdb api.Object, linked bool) endpointPlan {
	shards := v.shardsOf(d.BDB)
	p := endpointPlan{
		Addr:        hostPort(a.bind, d.Port),
		Backends:    backends(v, shards, d, linked),
		Sharded:     schema.BoolOf(bdb, "sharding") && (schema.IntOf(bdb, "shards_count") > 1 || schema.BoolOf(bdb, "oss_cluster")),
		HashRules:   hashRules(bdb),
		OSSCluster:  schema.BoolOf(bdb, "oss_cluster"),
		DefaultUser: defaultUser(bdb),
		Passwords:   passwords(bdb),
		MaxClients:  int(schema.IntOf(bdb, "maxclients")),
		Paused:      schema.BoolOf(bdb, "traffic_manually_disabled"),
		RESP3:       schema.BoolOf(bdb, "resp3"),
		Users:       endpointUsers(v, bdb),
	}
	if p.OSSCluster {
		p.Nodes = ossNodes(v, d, bdb, shards, a.self)
	}
	if schema.TextOf(bdb, "tls_mode") == "enabled" {
		p.TLS = tlsPlan(v, bdb)
	}
	p.CRDT = planCRDT(v, bdb)
	return p
}

// backends are the masters that have confirmed that they are. A node that may be out of touch waits for every replica
// there is: it cannot know which of them the leader would promote.
func backends(v view, shards []shardRecord, d databaseRecord, linked bool) []proxy.Backend {
	order, masters, replicas := groups(shards)
	var out []proxy.Backend
	for _, g := range order {
		m := masters[g]
		if !m.serving() {
			continue
		}
		acks, copies := 0, 0
		for _, r := range replicas[g] {
			switch {
			case r.Follow != m.UID:
			case r.Moving:
				copies++
			case r.Sync != syncCopying || !linked:
				acks++
			}
		}
		if acks > 0 {
			acks += copies // a confirmation of the copy must not stand in for one of the replica
		}
		out = append(out, proxy.Backend{
			ID: m.id(), Epoch: m.Epoch, Addr: hostPort(v.addr(m.Node), m.Port), Password: d.Password,
			Slots: []proxy.SlotRange{{First: m.First, Last: m.Last}}, RequiredAcks: acks,
		})
	}
	return out
}

func hashRules(bdb api.Object) []string {
	if schema.BoolOf(bdb, "oss_sharding") {
		return nil
	}
	var out []string
	rules, _ := bdb["shard_key_regex"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		out = append(out, schema.TextOf(rule, "regex"))
	}
	return out
}

func defaultUser(bdb api.Object) bool {
	on, said := bdb["default_user"].(bool)
	return on || !said
}

func passwords(bdb api.Object) []string {
	var out []string
	if p := schema.TextOf(bdb, "authentication_redis_pass"); p != "" {
		out = append(out, p)
	}
	list, _ := bdb["_default_passwords"].([]any)
	for _, e := range list {
		if p, ok := e.(string); ok && p != "" && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func tlsPlan(v view, bdb api.Object) *endpointTLS {
	t := &endpointTLS{
		Certificate: schema.TextOf(bdb, "_proxy_certificate"), Key: schema.TextOf(bdb, "_proxy_key"),
		Enforce: schema.TextOf(bdb, "enforce_client_authentication") == "enabled",
	}
	if t.Certificate == "" {
		cert := certificateOf(v, "proxy")
		t.Certificate, t.Key = schema.TextOf(cert, "certificate"), schema.TextOf(cert, "key")
	}
	list, _ := bdb["authentication_ssl_client_certs"].([]any)
	for _, e := range list {
		o, _ := e.(map[string]any)
		t.Clients = append(t.Clients, schema.TextOf(o, "client_cert"))
	}
	peers, _ := bdb["authentication_ssl_crdt_certs"].([]any)
	for _, e := range peers {
		o, _ := e.(map[string]any)
		t.Clients = append(t.Clients, schema.TextOf(o, "client_cert"))
	}
	return t
}

// apply brings the listener to the plan.
func (e *endpoint) apply(p endpointPlan) error {
	raw, _ := json.Marshal(p)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.key == string(raw) && e.err == nil {
		return nil
	}
	c, err := e.config(p)
	if err == nil {
		if e.ep == nil {
			e.ep, err = proxy.Listen(p.Addr, c, proxy.Options{})
		} else {
			err = e.ep.Update(c)
		}
	}
	if err != nil && (e.err == nil || e.err.Error() != err.Error()) {
		e.a.log.Error("endpoint", "bdb", e.bdb, "error", err.Error())
	}
	e.key, e.err = string(raw), err
	return err
}

func (e *endpoint) config(p endpointPlan) (proxy.Config, error) {
	c := proxy.Config{
		Backends: p.Backends, Sharded: p.Sharded, HashRules: p.HashRules, OSSCluster: p.OSSCluster, Nodes: p.Nodes,
		DefaultUser: p.DefaultUser, Passwords: p.Passwords, MaxClients: p.MaxClients, Paused: p.Paused, RESP3: p.RESP3,
		Version: p.Version,
	}
	var err error
	if c.CRDT, err = e.crdt(p.CRDT); err != nil {
		return c, err
	}
	if len(p.Users) > 0 {
		c.Authenticate = authenticate(p.Users)
	}
	if p.TLS == nil {
		return c, nil
	}
	pair, err := e.certs.of(api.Object{"name": "proxy", "certificate": p.TLS.Certificate, "key": p.TLS.Key})
	if err != nil {
		return c, err
	}
	c.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*pair}}
	if p.TLS.Enforce {
		c.TLS.ClientAuth = tls.RequireAnyClientCert
		c.TLS.VerifyConnection = verifyClient(p.TLS.Clients)
	}
	return c, nil
}

// verifyClient accepts a certificate that is listed, or that one of the listed ones has signed.
func verifyClient(listed []string) func(tls.ConnectionState) error {
	pool, exact := x509.NewCertPool(), map[string]bool{}
	for _, text := range listed {
		pool.AppendCertsFromPEM([]byte(text))
		for rest := []byte(text); ; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			exact[string(block.Bytes)] = true
		}
	}
	return func(cs tls.ConnectionState) error {
		if len(cs.PeerCertificates) == 0 {
			return errors.New("a client certificate is needed")
		}
		leaf := cs.PeerCertificates[0]
		if exact[string(leaf.Raw)] {
			return nil
		}
		_, err := leaf.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
}

func (e *endpoint) listener() *proxy.Endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ep
}

func (e *endpoint) report() endpointReport {
	e.mu.Lock()
	defer e.mu.Unlock()
	return endpointReport{Listening: e.ep != nil, Error: errText(e.err)}
}

// hold makes new commands wait; whatever happens to the holder, they go on after a while.
func (e *endpoint) hold(ctx context.Context, holder string, limit time.Duration) error {
	ep := e.listener()
	if ep == nil {
		return nil
	}
	release, err := ep.Hold(ctx)
	if err != nil {
		return err
	}
	timer := time.AfterFunc(limit, release)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.holds[holder] = func() {
		timer.Stop()
		release()
	}
	return nil
}

func (e *endpoint) release(holder string) {
	e.mu.Lock()
	release := e.holds[holder]
	delete(e.holds, holder)
	e.mu.Unlock()
	if release != nil {
		release()
	}
}

// drain lets clients finish what they do and closes.
func (e *endpoint) drain() {
	if ep := e.listener(); ep != nil {
		ctx, cancel := context.WithTimeout(e.a.ctx, 100*time.Millisecond)
		_ = ep.Drain(ctx) // who is left is cut between two commands
		cancel()
	}
	e.close()
}

func (e *endpoint) close() {
	e.mu.Lock()
	ep, holds := e.ep, e.holds
	e.holds = map[string]func(){}
	e.mu.Unlock()
	for _, release := range holds {
		release()
	}
	if ep != nil {
		_ = ep.Close()
	}
}

func endpointUsers(v view, bdb api.Object) []endpointUser {
	permissions, _ := bdb["roles_permissions"].([]any)
	rules := map[int64]string{}
	for _, p := range permissions {
		o, _ := p.(map[string]any)
		acl := v.object(api.KindRedisACL, schema.IntOf(o, "redis_acl_uid"))
		rules[schema.IntOf(o, "role_uid")] = schema.TextOf(acl, "acl")
	}
	if len(rules) == 0 {
		return nil
	}
	var out []endpointUser
	for _, u := range v.list(api.KindUser) {
		roles, _ := u["role_uids"].([]any)
		for _, r := range roles {
			uid, _ := schema.Int(r)
			rule, ok := rules[uid]
			if !ok {
				continue
			}
			var digests []string
			list, _ := u["_password_sha256"].([]any)
			for _, d := range list {
				if s, ok := d.(string); ok {
					digests = append(digests, s)
				}
			}
			for _, name := range []string{schema.TextOf(u, "name"), schema.TextOf(u, "email")} {
				if name != "" {
					out = append(out, endpointUser{Name: strings.ToLower(name), Digests: digests, Rule: rule})
				}
			}
		}
	}
	return out
}
