package link

import (
	"context"
	"time"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

// slowEvery is how old the facts that change seldom may become when the operator itself writes nothing.
const slowEvery = 30 * time.Second

// start is how a reading begins.
type start struct {
	now time.Time
	// number counts the readings.
	number uint64
	// written is the number of the first reading that sees the last write.
	written uint64
}

// reader reads one snapshot, one call after the other: a cluster that is in trouble is not asked six things at once.
type reader struct {
	client *rest.Client
	err    error
}

func fetch[T any](ctx context.Context, r *reader, into *T, get func(context.Context) (T, error)) {
	if r.err != nil {
		return
	}
	v, err := get(ctx)
	if err != nil {
		r.err = err
		return
	}
	*into = v
}

// fetchOptional is fetch for what a version or a cluster may not have.
func fetchOptional[T any](ctx context.Context, r *reader, into *T, get func(context.Context) (T, error)) {
	if r.err != nil {
		return
	}
	v, err := get(ctx)
	if rest.IsNotFound(err) {
		return
	}
	if err != nil {
		r.err = err
		return
	}
	*into = v
}

// read makes a new snapshot. The facts that change seldom are taken over from before unless they are due.
func read(ctx context.Context, client *rest.Client, before *Snapshot, at start) *Snapshot {
	s := &Snapshot{Time: at.now, Tried: at.now, number: at.number, slow: at.number, slowAt: at.now}
	r := &reader{client: client}
	fetch(ctx, r, &s.Nodes, client.ListNodes)
	fetch(ctx, r, &s.NodeStatus, client.NodeStatuses)
	fetch(ctx, r, &s.BDBs, func(ctx context.Context) ([]rest.BDB, error) { return client.ListBDBs(ctx) })
	fetch(ctx, r, &s.Shards, client.ListShards)
	fetchOptional(ctx, r, &s.Actions, client.ListActions)
	if s.activeActive() {
		fetchOptional(ctx, r, &s.CRDBs, client.ListCRDBs)
	}
	if before.slowDue(at) || s.activeActive() && before.Certificates == nil {
		readSlow(ctx, r, s)
	} else {
		s.Cluster, s.Policy, s.License = before.Cluster, before.Policy, before.License
		s.Modules, s.Alerts, s.slow, s.slowAt = before.Modules, before.Alerts, before.slow, before.slowAt
		s.Certificates = before.Certificates
	}
	if r.err == nil {
		s.StateID = client.StateID()
		s.index()
		r.err = s.fingerprint()
	}
	if r.err != nil {
		failed := *before
		failed.Tried, failed.number, failed.Err = at.now, at.number, r.err
		return &failed
	}
	return s
}

func (s *Snapshot) slowDue(at start) bool {
	return !s.Known() || s.Cluster == nil || s.slow < at.written || at.now.Sub(s.slowAt) >= slowEvery
}

func readSlow(ctx context.Context, r *reader, s *Snapshot) {
	fetch(ctx, r, &s.Cluster, r.client.GetCluster)
	fetchOptional(ctx, r, &s.Policy, r.client.GetPolicy)
	fetchOptional(ctx, r, &s.License, r.client.GetLicense)
	fetchOptional(ctx, r, &s.Modules, r.client.ListModules)
	fetchOptional(ctx, r, &s.Alerts, r.client.ListBDBAlerts)
	if s.activeActive() {
		var all map[string]string
		fetchOptional(ctx, r, &all, r.client.GetCertificates)
		s.Certificates = shownToPeers(all)
	}
}

// shownToPeers leaves out private keys and what only clients see.
func shownToPeers(all map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{"proxy_cert", "syncer_cert"} {
		if cert := all[name]; cert != "" {
			out[name] = cert
		}
	}
	return out
}
