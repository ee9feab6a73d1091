package api

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // the product ends its usage report with an MD5
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// getLogs is GET /v1/logs: the events the engine wrote down.
func getLogs(c *call) (any, error) {
	all, err := c.Engine.List(c.ctx(), KindEvent)
	if err != nil {
		return nil, err
	}
	query := c.request.URL.Query()
	from, to := query.Get("stime"), query.Get("etime")
	out := []Object{}
	for _, e := range all {
		stamp := schema.TextOf(e, "time")
		// Timestamps of one form and zone sort as text.
		if (from == "" || stamp >= from) && (to == "" || stamp <= to) {
			out = append(out, schema.Render("log_event", e, schema.View{}))
		}
	}
	if query.Get("order") == "desc" {
		slices.Reverse(out)
	}
	if n, ok := schema.Int(query.Get("offset")); ok && n > 0 {
		out = out[min(int(n), len(out)):]
	}
	if n, ok := schema.Int(query.Get("limit")); ok && n >= 0 {
		out = out[:min(int(n), len(out))]
	}
	return out, nil
}

// debugInfo is every support package: a small archive of the configuration, without secrets.
func debugInfo(c *call) (any, error) {
	if uid := c.params["bdb_uid"]; uid != "" {
		if _, err := c.mustBDB("bdb_uid"); err != nil {
			return nil, err
		}
	}
	if c.params["node_uid"] != "" {
		if _, err := c.mustNode("node_uid"); err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	archive := tar.NewWriter(zip)
	for _, part := range []struct {
		name  string
		serve func(*call) (any, error)
	}{{"nodes.json", listNodes}, {"shards.json", listShards}, {"actions.json", listActions}} {
		v, err := part.serve(c)
		if err != nil {
			return nil, err
		}
		if err := addFile(archive, part.name, v, c); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	return binary{"application/x-gzip", buf.Bytes()}, nil
}

func addFile(archive *tar.Writer, name string, v any, c *call) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: c.Now()}
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = archive.Write(data)
	return err
}

// usageReport is GET /v1/usage_report: a line per database and an MD5 over the lines.
func usageReport(c *call) (any, error) {
	cluster, err := clusterSettings.load(c)
	if err != nil {
		return nil, err
	}
	bdbs, err := c.Engine.List(c.ctx(), KindBDB)
	if err != nil {
		return nil, err
	}
	var lines strings.Builder
	for _, b := range bdbs {
		data, err := json.Marshal(c.usageLine(cluster, b))
		if err != nil {
			return nil, err
		}
		lines.Write(append(data, '\n'))
	}
	sum := md5.Sum([]byte(lines.String())) //nolint:gosec // as above
	fmt.Fprintf(&lines, "{\"md5\": %q}\n", hex.EncodeToString(sum[:]))
	return binary{"application/x-ndjson", []byte(lines.String())}, nil
}

func (c *call) usageLine(cluster, b Object) Object {
	used, _ := c.Engine.Stats(c.ctx(), KindBDB, id(schema.IntOf(b, "uid")))
	kind := "core"
	if len(list(b["module_list"])) > 0 {
		kind = "premium"
	}
	return Object{
		"active_active": schema.BoolOf(b, "crdt"), "api_version": "2", "backup": schema.BoolOf(b, "backup"),
		"bdb_uid": id(schema.IntOf(b, "uid")), "cluster_name": schema.TextOf(cluster, "name"),
		"cluster_uuid": schema.TextOf(cluster, "uuid"), "date": schema.Timestamp(c.Now()),
		"dominant_shard_criteria": "mem", "type": kind, "shard_type": "normal",
		"no_eviction": b["eviction_policy"] == "noeviction", "ops/sec": used["instantaneous_ops_per_sec"],
		"persistence": b["data_persistence"] != "disabled", "provisioned_memory": b["memory_size"],
		"replication": schema.BoolOf(b, "replication"), "software_version": schema.SoftwareVersion,
		"used_memory": used["used_memory"], "using_redis_search": kind == "premium",
		"master_shards_count": schema.IntOf(b, "shards_count"), "license": Object{},
	}
}
