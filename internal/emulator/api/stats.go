package api

import (
	"net/http"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// series is a kind of object with statistics.
type series struct {
	kind    Kind
	number  bool // uid is a number in the answers, text otherwise
	missing string
}

var (
	bdbStats   = series{kind: KindBDB, missing: "db_not_exist"}
	nodeStats  = series{kind: KindNode, number: true, missing: "node_not_found"}
	shardStats = series{kind: KindShard, missing: "shard_not_exist"}
)

func (s series) routes(path, viewAll, view string) []route {
	return []route{
		{method: http.MethodGet, pattern: path, permission: viewAll, serve: s.all},
		{method: http.MethodGet, pattern: path + "/last", permission: viewAll, serve: s.last},
		{method: http.MethodGet, pattern: path + "/last/{uid}", permission: view, serve: s.lastOne},
		{method: http.MethodGet, pattern: path + "/{uid}", permission: view, serve: s.one},
	}
}

// interval is one sample. The emulator keeps no history: it answers with the figures of the moment.
func (c *call) interval(kind Kind, uid string) (Object, error) {
	name := c.request.URL.Query().Get("interval")
	length, known := intervals[name]
	if name == "" {
		name, length = "1sec", time.Second
	} else if !known {
		return nil, badRequest("'%s' is not an interval", name)
	}
	now, err := c.Engine.Stats(c.ctx(), kind, uid)
	if err != nil {
		return nil, err
	}
	o := Object{
		"interval": name, "stime": schema.Timestamp(c.Now().Add(-length)), "etime": schema.Timestamp(c.Now()),
	}
	for _, figure := range schema.StatNames(string(kind)) {
		o[figure] = schema.Decimal(now[figure])
	}
	if kind == KindBDB {
		o["last_req_time"], o["last_res_time"] = lastTime(now["last_req_time"]), lastTime(now["last_res_time"])
	}
	return o, nil
}

// lastTime prints Unix seconds; a database that was never asked says 1970.
func lastTime(seconds float64) string { return schema.Timestamp(time.Unix(int64(seconds), 0)) }

var intervals = map[string]time.Duration{
	"1sec": time.Second, "10sec": 10 * time.Second, "5min": 5 * time.Minute, "15min": 15 * time.Minute,
	"1hour": time.Hour, "12hour": 12 * time.Hour, "1week": 7 * 24 * time.Hour,
}

func (s series) uidOf(o Object) (any, string) {
	if text := schema.TextOf(o, "uid"); text != "" {
		return text, text
	}
	n := schema.IntOf(o, "uid")
	if s.number {
		return n, id(n)
	}
	return id(n), id(n)
}

func (s series) of(c *call, o Object) (Object, error) {
	uid, key := s.uidOf(o)
	sample, err := c.interval(s.kind, key)
	if err != nil {
		return nil, err
	}
	out := Object{"uid": uid, "intervals": []any{sample}}
	if s.kind == KindShard {
		for _, k := range []string{"node_uid", "role", "assigned_slots", "status"} {
			out[k] = o[k]
		}
		out["parent_uid"], out["shard_key_regex"] = id(schema.IntOf(o, "bdb_uid")), ""
	}
	return out, nil
}

func (s series) all(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), s.kind)
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, o := range all {
		one, err := s.of(c, o)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func (s series) last(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), s.kind)
	if err != nil {
		return nil, err
	}
	out := Object{}
	for _, o := range all {
		_, key := s.uidOf(o)
		if out[key], err = c.interval(s.kind, key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s series) must(c *call) (Object, error) {
	o, err := c.Engine.Get(c.ctx(), s.kind, c.params["uid"])
	if err == nil && o == nil {
		err = refusal(http.StatusNotFound, s.missing, "%s does not exist", c.params["uid"])
	}
	return o, err
}

func (s series) one(c *call) (any, error) {
	o, err := s.must(c)
	if err != nil {
		return nil, err
	}
	return s.of(c, o)
}

func (s series) lastOne(c *call) (any, error) {
	o, err := s.must(c)
	if err != nil {
		return nil, err
	}
	_, key := s.uidOf(o)
	sample, err := c.interval(s.kind, key)
	if err != nil {
		return nil, err
	}
	return Object{key: sample}, nil
}

// clusterStats is GET /v1/cluster/stats.
func clusterStats(c *call) (any, error) {
	sample, err := c.interval(KindCluster, Singleton)
	if err != nil {
		return nil, err
	}
	return Object{"uid": "", "intervals": []any{sample}}, nil
}

// clusterStatsLast is GET /v1/cluster/stats/last.
func clusterStatsLast(c *call) (any, error) { return c.interval(KindCluster, Singleton) }

// endpointStats is GET /v1/endpoints/stats; there is no /v1/endpoints.
func endpointStats(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	out := []Object{}
	for _, b := range all {
		for _, e := range list(b["endpoints"]) {
			sample, err := c.interval(KindBDB, id(schema.IntOf(b, "uid")))
			if err != nil {
				return nil, err
			}
			out = append(out, Object{"uid": schema.TextOf(object(e), "uid"), "intervals": []any{sample}})
		}
	}
	return out, nil
}

// sourceStats is GET /v1/bdbs/{bdb_uid}/sync_source_stats[/{uid}]: no syncer runs.
func sourceStats(c *call) (any, error) {
	if _, err := c.mustBDB("bdb_uid"); err != nil {
		return nil, err
	}
	if uid := c.params["uid"]; uid != "" {
		return nil, refusal(http.StatusNotFound, "not_found", "Source %s does not exist", uid)
	}
	return Object{"sync_source_stats": []any{}}, nil
}
