package api

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// What an instance says about receiving from its peers.

// peerFigures are the documented figures of one peer. Traffic is rates over the life of the link.
var peerFigures = []string{
	"egress_bytes", "egress_bytes_decompressed", "ingress_bytes", "ingress_bytes_decompressed", "local_ingress_lag_time",
	"pending_local_writes_max", "pending_local_writes_min",
}

// peerStats is GET /v1/bdbs/{bdb_uid}/peer_stats[/{uid}].
func peerStats(c *call) (any, error) {
	bdb, err := c.mustBDB("bdb_uid")
	if err != nil {
		return nil, err
	}
	if !schema.BoolOf(bdb, "crdt") {
		return nil, refusal(http.StatusNotAcceptable, "invalid_param", "Database %s is not Active-Active", c.params["bdb_uid"])
	}
	name := c.request.URL.Query().Get("interval")
	length, known := intervals[name]
	if name == "" {
		name, length = "1sec", time.Second
	} else if !known {
		return nil, badRequest("'%s' is not an interval", name)
	}
	all := []any{}
	for _, v := range list(bdb["crdt_sources"]) {
		s := object(v)
		uid := id(schema.IntOf(s, "uid"))
		sample := c.peerSample(s, name, length)
		if c.params["uid"] == uid {
			return Object{"uid": uid, "intervals": []any{sample}}, nil
		}
		all = append(all, Object{"uid": uid, "intervals": []any{sample}})
	}
	if uid := c.params["uid"]; uid != "" {
		return nil, refusal(http.StatusNotFound, "not_found", "Peer %s does not exist", uid)
	}
	return Object{"peer_stats": all}, nil
}

func (c *call) peerSample(source Object, name string, length time.Duration) Object {
	sample := Object{"interval": name, "stime": schema.Timestamp(c.Now().Add(-length)), "etime": schema.Timestamp(c.Now())}
	for _, figure := range peerFigures {
		sample[figure] = schema.Decimal(0)
	}
	for figure, key := range map[string]string{
		"ingress_bytes": "_received", "ingress_bytes_decompressed": "_received", "egress_bytes": "_sent",
		"egress_bytes_decompressed": "_sent", "local_ingress_lag_time": "lag",
	} {
		sample[figure] = schema.Decimal(schema.IntOf(source, key))
	}
	return sample
}

// crdtSyncer is GET /v1/bdbs/{uid}/syncer_state[/crdt]: 404 while no syncer runs.
func crdtSyncer(c *call) (any, error) {
	bdb, err := c.mustBDB("uid")
	if err != nil {
		return nil, err
	}
	if !schema.BoolOf(bdb, "crdt") || schema.TextOf(bdb, "crdt_sync") != "enabled" {
		return noSyncer(c)
	}
	run := fnv.New32a()
	_, _ = run.Write([]byte(schema.TextOf(bdb, "crdt_guid")))
	sources := []any{}
	for _, v := range list(bdb["crdt_sources"]) {
		s := object(v)
		sources = append(sources, Object{"uid": s["uid"], "status": s["status"], "lag": schema.IntOf(s, "lag")})
	}
	return Object{"DB": bdb["uid"], "RunID": int64(run.Sum32()), "sources": sources}, nil
}

// lagTolerance is the tolerance of the availability check that looks at lag, in milliseconds: that of the request, or of
// the cluster.
func (c *call) lagTolerance() (int64, error) {
	if text := c.request.URL.Query().Get("availability_lag_tolerance_ms"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return 0, badRequest("'%s' is no number of milliseconds", text)
		}
		return n, nil
	}
	cluster, err := clusterSettings.load(c)
	return schema.IntOf(cluster, "availability_lag_tolerance_ms"), err
}

// lagging tells whether an instance does not take in, or not quickly enough, what a peer has.
func lagging(bdb Object, tolerance int64) bool {
	if schema.TextOf(bdb, "crdt_sync") != "enabled" {
		return true
	}
	for _, v := range list(bdb["crdt_sources"]) {
		if s := object(v); schema.TextOf(s, "status") != "in-sync" || schema.IntOf(s, "lag") > tolerance {
			return true
		}
	}
	return false
}
