package emulator

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/metrics"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// figures are what a node measures about itself, for whichever node is asked for metrics.
type figures struct {
	Free, Total                     int64
	PersistentFree, PersistentTotal int64
	EphemeralFree, EphemeralTotal   int64
	Shards                          map[string]map[string]string
	Endpoints                       map[string]proxy.Stats
	Links                           map[string]map[string]crdb.State
	// Memory and CPU are those of the machine; Watchdog is what the node thinks of its cluster.
	Memory   int64
	CPU      map[string]map[string]float64
	Watchdog metrics.Watchdog
}

// measure is an agent call.
func (a *agent) measure(ctx context.Context, _ nothing) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	a.mu.Lock()
	runners, endpoints := make([]*runner, 0, len(a.runners)), make([]*endpoint, 0, len(a.endpoints))
	for _, r := range a.runners {
		runners = append(runners, r)
	}
	for _, e := range a.endpoints {
		endpoints = append(endpoints, e)
	}
	links := a.linkStates()
	a.mu.Unlock()
	f := figures{Free: freeMemory(), Memory: machineMemory(), CPU: processorTimes(), Shards: map[string]map[string]string{}, Endpoints: map[string]proxy.Stats{}, Links: links}
	_, _, quorum := a.store.Leader()
	f.Watchdog = metrics.Watchdog{Node: text(a.self), HasQuorum: quorum, IsPrimary: a.store.IsLeader(),
		Generation: a.store.Snapshot().Rev(), PrimarySelections: a.store.Elections()}
	f.PersistentTotal, f.PersistentFree = diskSpace(a.dir)
	f.EphemeralTotal, f.EphemeralFree = diskSpace(a.temp)
	for _, r := range runners {
		if proc := r.process(); proc != nil {
			if info, err := proc.Info(ctx); err == nil {
				f.Shards[text(r.uid)] = info
			}
		}
	}
	for _, e := range endpoints {
		if ep := e.listener(); ep != nil {
			f.Endpoints[text(e.bdb)] = ep.Stats()
		}
	}
	return f, nil
}

// metricSource collects the figures of all nodes.
type metricSource struct {
	n *Node
}

// Snapshot implements metrics.Source.
func (m metricSource) Snapshot(ctx context.Context) (metrics.Snapshot, error) {
	mem := m.n.membership()
	if mem == nil {
		return metrics.Snapshot{}, api.ErrNoQuorum
	}
	v := m.n.reader()
	all := m.collect(ctx, mem, v)
	out := metrics.Snapshot{Self: text(mem.store.UID()), Cluster: m.cluster(v, all)}
	for _, o := range v.nodes() {
		f, up := all[schema.IntOf(o, "uid")]
		out.Nodes = append(out.Nodes, m.node(v, o, f, up))
	}
	for _, o := range v.list(api.KindBDB) {
		uid := schema.IntOf(o, "uid")
		out.Databases = append(out.Databases, metrics.Database{
			UID: text(uid), Name: schema.TextOf(o, "name"), Status: schema.TextOf(o, "status"),
			MemoryLimit: schema.IntOf(o, "memory_size"), Version: schema.TextOf(o, "redis_version"), Port: schema.IntOf(o, "port"),
			TLSMode: schema.TextOf(o, "tls_mode"), Replication: schema.BoolOf(o, "replication"), Tags: tags(o),
		})
		var links map[string]crdb.State
		if d, _ := v.database(uid); len(d.Nodes) > 0 {
			links = all[d.Nodes[0]].Links[text(uid)]
		}
		out.Syncers = append(out.Syncers, append(syncers(o, "replica_sources", "replicaof", nil), syncers(o, "crdt_sources", "crdt", links)...)...)
	}
	for _, s := range v.shards() {
		info, up := all[s.Node].Shards[s.id()]
		out.Shards = append(out.Shards, metrics.Shard{
			UID: s.id(), Database: text(s.BDB), Node: text(s.Node), Role: string(s.Role), Up: up, Info: info,
		})
	}
	for node, f := range all {
		for bdb, stats := range f.Endpoints {
			out.Endpoints = append(out.Endpoints, metrics.Endpoint{Database: bdb, Node: text(node), Stats: stats})
		}
	}
	return out, nil
}

// syncers are the sources of a database in other clusters. Nothing runs for those of Replica Of.
func syncers(o api.Object, field, kind string, links map[string]crdb.State) []metrics.Syncer {
	var out []metrics.Syncer
	list, _ := o[field].([]any)
	for i, e := range list {
		source, _ := e.(map[string]any)
		id := schema.IntOf(source, "uid")
		if id == 0 {
			id = int64(i + 1)
		}
		y := metrics.Syncer{Database: text(schema.IntOf(o, "uid")), Source: text(id), Type: kind}
		if state, runs := links[text(id)]; runs {
			y.Link = &state
		}
		out = append(out, y)
	}
	return out
}

// exposedTags are the keys of tags that become labels; nil for none.
func exposedTags(config api.Object) []string {
	if !schema.BoolOf(config, "expose_db_tags") {
		return nil
	}
	var keys []string
	list, _ := config["metrics_tag_keys_exposed"].([]any)
	for _, key := range list {
		if s, ok := key.(string); ok {
			keys = append(keys, s)
		}
	}
	return keys
}

func tags(o api.Object) map[string]string {
	out := map[string]string{}
	list, _ := o["tags"].([]any)
	for _, e := range list {
		tag, _ := e.(map[string]any)
		out[schema.TextOf(tag, "key")] = schema.TextOf(tag, "value")
	}
	return out
}

// collect asks all nodes at once; those that do not answer are not in the result.
func (m metricSource) collect(ctx context.Context, mem *membership, v view) map[int64]figures {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[int64]figures{}
	for _, o := range v.nodes() {
		uid := schema.IntOf(o, "uid")
		wg.Go(func() {
			f, err := call(ctx, mem.engine, uid, pathMeasure, mem.agent.measure, nothing{})
			if err == nil {
				mu.Lock()
				out[uid] = f
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out
}

func (m metricSource) cluster(v view, all map[int64]figures) metrics.Cluster {
	var watchdogs []metrics.Watchdog
	for _, o := range v.nodes() {
		if f, up := all[schema.IntOf(o, "uid")]; up {
			w := f.Watchdog
			w.LiveNodes, w.TotalNodes = len(all), len(v.nodes())
			watchdogs = append(watchdogs, w)
		}
	}
	license := v.singleton(api.KindLicense)
	expires, _ := time.Parse(time.RFC3339, schema.TextOf(license, "expiration_date"))
	limits := map[string]int64{}
	for _, kind := range []string{"ram", "flash"} {
		limits[kind] = schema.IntOf(license, "shards_limit")
		if n, ok := schema.Int(license[kind+"_shards_limit"]); ok {
			limits[kind] = n
		}
	}
	return metrics.Cluster{
		Name: v.clusterName(), Watchdogs: watchdogs, Users: len(v.list(api.KindUser)), LicenseExpires: expires,
		LicenseShards: limits, TagKeys: exposedTags(v.singleton(api.KindMetrics)),
	}
}

func (m metricSource) node(v view, o api.Object, f figures, up bool) metrics.Node {
	uid := schema.IntOf(o, "uid")
	reserved := int64(0)
	for _, s := range v.shards() {
		if s.Node == uid {
			bdb, _ := v.bdb(s.BDB)
			reserved += schema.IntOf(bdb, "memory_size") / max(schema.ShardTotal(bdb), 1)
		}
	}
	total := schema.IntOf(o, "total_memory")
	certs := map[string]time.Time{}
	for _, c := range v.list(api.KindCertificate) {
		if block, _ := pem.Decode([]byte(schema.TextOf(c, "certificate"))); block != nil {
			if cert, err := x509.ParseCertificate(block.Bytes); err == nil {
				certs[schema.TextOf(c, "name")] = cert.NotAfter
			}
		}
	}
	return metrics.Node{
		UID: text(uid), Up: up, FreeMemory: min(f.Free, total), AvailableMemory: min(f.Free, total),
		ProvisionalMemory: max(total-reserved, 0), PersistentFree: f.PersistentFree, PersistentAvail: f.PersistentFree,
		EphemeralFree: f.EphemeralFree, EphemeralAvail: f.EphemeralFree, TotalMemory: f.Memory, CPU: f.CPU, Certificates: certs,
	}
}

// Leader implements metrics.Source.
func (m metricSource) Leader() string {
	leader, err := surface{m.n}.Leader(context.Background())
	if err != nil || leader.Self {
		return ""
	}
	return "https://" + hostPort(hostOf(leader.Addr), m.n.cfg.Ports.Metrics)
}

// Authorized implements metrics.Source.
func (m metricSource) Authorized(r *http.Request) bool {
	if !schema.BoolOf(m.n.reader().singleton(api.KindCluster), "metrics_auth") {
		return true
	}
	name, password, ok := r.BasicAuth()
	return ok && validUser(m.n.reader(), name, password)
}
