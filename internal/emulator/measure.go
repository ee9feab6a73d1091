package emulator

import (
	"context"
	"fmt"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
	"github.com/open-redis-enterprise/operator/internal/emulator/store"
)

// NodeStatus implements api.Measurements.
func (n surface) NodeStatus(_ context.Context, uid int64) (api.Object, error) {
	m := n.membership()
	v := n.reader()
	o, ok := v.node(uid)
	if !ok || m == nil {
		return nil, api.ErrNotFound
	}
	n.overlayNode(v, o)
	leader, _, _ := m.store.Leader()
	masters, slaves := []any{}, []any{}
	var reserved int64
	for _, s := range v.shards() {
		if s.Node != uid {
			continue
		}
		bdb := v.peek(api.KindBDB, text(s.BDB))
		reserved += schema.IntOf(bdb, "memory_size") / max(schema.ShardTotal(bdb), 1)
		if s.Role == roleMaster {
			masters = append(masters, s.UID)
		} else {
			slaves = append(slaves, s.UID)
		}
	}
	total := schema.IntOf(o, "total_memory")
	free := min(total, m.engine.world().reports[uid].Free<<26)
	out := api.Object{
		"hostname": schema.TextOf(o, keyHostname), "role": roleWord(uid == leader), "node_status": o["status"],
		"software_version": o["software_version"], "software_version_sha": "", "cores": o["cores"],
		"free_ram": free, "total_memory": total, "free_provisional_ram": max(total-reserved, 0),
		"total_provisional_ram": total, "node_overbooking_depth": int64(0),
		"master_shards": masters, "slave_shards": slaves,
	}
	snap, there, _ := store.Get[api.Object](v.r, string(api.KindSnapshot), text(uid)+"/"+maintenanceSnapshot+text(uid))
	if there {
		out["maintenance_snapshot"] = snap
	}
	return out, nil
}

// CheckNode implements api.Measurements with the eight checks of the product.
func (n surface) CheckNode(_ context.Context, uid int64) (map[string]string, error) {
	m := n.membership()
	v := n.reader()
	if _, ok := v.node(uid); !ok || m == nil {
		return nil, api.ErrNotFound
	}
	checks := map[string]string{
		"bootstrap_status_ok": "", "services_ok": "", "port_range_ok": "", "pidfiles_ok": "", "capabilities_ok": "",
		"processes_running_as_expected": "", "tcp_connectivity_ok": "", "quorum_only_ok": "",
	}
	w := m.engine.world()
	if !w.alive(uid) && m.store.IsLeader() {
		checks["tcp_connectivity_ok"] = "the node does not answer"
		return checks, nil
	}
	for _, s := range v.shards() {
		if s.Node != uid || !m.store.IsLeader() {
			continue
		}
		if r, known := w.shard(s); !known || !r.Running {
			checks["processes_running_as_expected"] = fmt.Sprintf("redis-server of shard %d does not run", s.UID)
		}
	}
	return checks, nil
}

// Stats implements api.Measurements.
func (n surface) Stats(_ context.Context, kind api.Kind, uid string) (map[string]float64, error) {
	m := n.membership()
	v := n.reader()
	if m == nil {
		return nil, api.ErrNotFound
	}
	out := map[string]float64{}
	w := m.engine.world()
	switch kind {
	case api.KindShard:
		s, ok := v.shard(parseInt(uid))
		if !ok {
			return nil, api.ErrNotFound
		}
		r, _ := w.shard(s)
		out["used_memory"] = float64(r.Memory)
	case api.KindBDB:
		for _, s := range v.shardsOf(parseInt(uid)) {
			r, _ := w.shard(s)
			out["used_memory"] += float64(r.Memory)
		}
		n.endpointStats(m, parseInt(uid), out)
	case api.KindNode, api.KindCluster:
		out["free_memory"], out["available_memory"] = float64(freeMemory()), float64(freeMemory())
		_, free := diskSpace(n.cfg.Dir)
		_, temp := diskSpace(n.cfg.TempDir)
		out["persistent_storage_free"], out["persistent_storage_avail"] = float64(free), float64(free)
		out["ephemeral_storage_free"], out["ephemeral_storage_avail"] = float64(temp), float64(temp)
		out["cpu_idle"] = 1
	}
	return out, nil
}

// endpointStats are counters of the endpoint, if it is on this node.
func (n *Node) endpointStats(m *membership, bdb int64, out map[string]float64) {
	ep := m.agent.endpoint(bdb)
	if ep == nil {
		return
	}
	s := ep.Stats()
	out["conns"] = float64(s.Clients)
	out["read_req"], out["write_req"] = float64(s.Reads.Requests), float64(s.Writes.Requests)
	out["other_req"] = float64(s.Others.Requests)
	out["total_req"] = out["read_req"] + out["write_req"] + out["other_req"]
	out["ingress_bytes"], out["egress_bytes"] = float64(s.IngressBytes), float64(s.EgressBytes)
	out["total_connections_received"] = float64(s.Accepted)
}

// LocalServices implements api.Measurements.
func (n surface) LocalServices() map[string]bool {
	in := n.membership() != nil
	return map[string]bool{
		"cnm_http": true, "cnm_exec": true, "envoy": true, "cm_server": true, "ccs": in, "dmcproxy": in,
		"redis_mgr": in, "node_wd": in, "cluster_wd": in, "metrics_exporter": in, "sentinel_service": in,
	}
}

// RotateCertificates implements api.Measurements.
func (n surface) RotateCertificates(ctx context.Context, names []string) error {
	cluster := n.reader().clusterName()
	var certs []api.Object
	for _, name := range names {
		cert, err := clusterCertificate(name, cluster, n.cfg.Now())
		if err != nil {
			return err
		}
		certs = append(certs, cert)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return n.update(ctx, func(tx *store.Tx) error {
		for _, cert := range certs {
			tx.Put(string(api.KindCertificate), schema.TextOf(cert, "name"), cert)
		}
		return nil
	})
}
