package proxy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// fanouts are the commands that concern every shard. The function returns how answers become one, or nil when this
// form of the command goes to one shard only.
var fanouts = map[string]func(*compiled, command) func([][]byte) []byte{
	"dbsize":   spreadOnly(sum),
	"keys":     spreadOnly(concat),
	"flushall": spreadOnly(firstError),
	"flushdb":  spreadOnly(firstError),
	"randomkey": spreadOnly(func(raws [][]byte) []byte {
		return pick(raws)
	}),
	"script":   bySub(map[string]func([][]byte) []byte{"LOAD": firstError, "FLUSH": firstError, "EXISTS": every, "KILL": anySuccess}),
	"function": bySub(map[string]func([][]byte) []byte{"LOAD": firstError, "DELETE": firstError, "FLUSH": firstError, "RESTORE": firstError, "KILL": anySuccess}),
	"slowlog":  bySub(map[string]func([][]byte) []byte{"LEN": sum, "RESET": firstError, "GET": concat}),
	"config":   bySub(map[string]func([][]byte) []byte{"SET": firstError}),
	"pubsub":   bySub(map[string]func([][]byte) []byte{"SHARDCHANNELS": concat}),
	"wait":     func(*compiled, command) func([][]byte) []byte { return least },
	"info":     func(k *compiled, _ command) func([][]byte) []byte { return k.mergeInfo },
}

func spreadOnly(merge func([][]byte) []byte) func(*compiled, command) func([][]byte) []byte {
	return func(k *compiled, _ command) func([][]byte) []byte {
		if len(k.Backends) == 1 {
			return nil
		}
		return merge
	}
}

func bySub(merges map[string]func([][]byte) []byte) func(*compiled, command) func([][]byte) []byte {
	return func(k *compiled, c command) func([][]byte) []byte {
		if len(k.Backends) == 1 {
			return nil
		}
		return merges[c.sub()]
	}
}

// parseAll parses the answers; the first error among them is returned raw.
func parseAll(raws [][]byte) ([]resp.Value, []byte) {
	values := make([]resp.Value, len(raws))
	for i, raw := range raws {
		v, _, err := resp.Parse(raw)
		if err != nil {
			return nil, resp.AppendError(nil, "ERR "+err.Error())
		}
		if v.Err() != nil {
			return nil, raw
		}
		values[i] = v
	}
	return values, nil
}

// sum adds integers.
func sum(raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	var total int64
	for _, v := range values {
		total += v.Int
	}
	return resp.AppendInt(nil, total)
}

// least is the smallest integer.
func least(raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	return resp.AppendInt(nil, slices.MinFunc(values, func(a, b resp.Value) int { return int(a.Int - b.Int) }).Int)
}

// concat puts arrays one after the other. It keeps elements as they came.
func concat(raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	total := 0
	var body []byte
	for i, v := range values {
		total += len(v.Elems)
		body = append(body, afterHead(raws[i])...)
	}
	return append(resp.AppendHead(nil, raws[0][0], total), body...)
}

// afterHead is a reply without its first line.
func afterHead(raw []byte) []byte {
	return raw[slices.Index(raw, '\n')+1:]
}

// firstError is the first error, or the first answer when there is none.
func firstError(raws [][]byte) []byte {
	if _, failure := parseAll(raws); failure != nil {
		return failure
	}
	return raws[0]
}

// anySuccess is the first answer that is not an error, or the first error.
func anySuccess(raws [][]byte) []byte {
	for _, raw := range raws {
		if raw[0] != resp.ErrorKind {
			return raw
		}
	}
	return raws[0]
}

// every joins arrays of 0 and 1: 1 where all shards say so.
func every(raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	out := resp.AppendArray(nil, len(values[0].Elems))
	for i := range values[0].Elems {
		n := int64(1)
		for _, v := range values {
			n = min(n, v.Elems[i].Int)
		}
		out = resp.AppendInt(out, n)
	}
	return out
}

// pick is the first answer that is not null.
func pick(raws [][]byte) []byte {
	for _, raw := range raws {
		if v, _, err := resp.Parse(raw); err == nil && !v.Nil {
			return raw
		}
	}
	return raws[0]
}

func sumGroups(_ int, _ [][]int, raws [][]byte) []byte { return sum(raws) }

func okGroups(_ int, _ [][]int, raws [][]byte) []byte { return firstError(raws) }

// mergeValues puts the values of a spread MGET back into the order of its keys.
func mergeValues(version int, groups [][]int, raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	total := 0
	for _, g := range groups {
		total += len(g)
	}
	ordered := make([]resp.Value, total)
	for i, g := range groups {
		if len(values[i].Elems) != len(g) {
			return resp.AppendError(nil, "ERR a shard answered for another number of keys")
		}
		for j, at := range g {
			ordered[at] = values[i].Elems[j]
		}
	}
	out := resp.AppendArray(nil, total)
	for _, v := range ordered {
		if v.Nil {
			out = resp.AppendNull(out, version)
		} else {
			out = resp.AppendBulk(out, v.Str)
		}
	}
	return out
}

// nextCursor puts the number of the shard into the cursor of a SCAN reply; at the end of one shard the next one follows.
func nextCursor(raw []byte, at uint64, last bool) []byte {
	v, _, err := resp.Parse(raw)
	if err != nil || len(v.Elems) != 2 {
		return raw
	}
	cursor, _ := strconv.ParseUint(v.Elems[0].String(), 10, 64)
	switch {
	case cursor == 0 && last:
		// all shards have been walked
	case cursor == 0:
		cursor = at + 1
	default:
		cursor = cursor<<scanBits | at
	}
	out := resp.AppendArray(nil, 2)
	out = resp.AppendBulk(out, strconv.FormatUint(cursor, 10))
	out = resp.AppendArray(out, len(v.Elems[1].Elems))
	for _, key := range v.Elems[1].Elems {
		out = resp.AppendBulk(out, key.Str)
	}
	return out
}

// hiddenInfo are fields of INFO that describe the shard's process and not the database.
var hiddenInfo = map[string]string{
	"role": "master", "connected_slaves": "0", "config_file": "", "executable": "", "process_id": "0", "redis_mode": "standalone",
}

// addedInfo are fields that add up over shards.
var addedInfo = map[string]bool{
	"used_memory": true, "used_memory_rss": true, "used_memory_peak": true, "used_memory_dataset": true, "maxmemory": true,
	"total_commands_processed": true, "instantaneous_ops_per_sec": true, "expired_keys": true, "evicted_keys": true,
	"keyspace_hits": true, "keyspace_misses": true, "total_net_input_bytes": true, "total_net_output_bytes": true,
}

// mergeInfo makes one INFO of those of all shards: what adds up is added, what describes one process is hidden.
func (k *compiled) mergeInfo(raws [][]byte) []byte {
	values, failure := parseAll(raws)
	if failure != nil {
		return failure
	}
	totals := make(map[string]int64)
	for _, v := range values {
		for line := range strings.SplitSeq(v.String(), "\r\n") {
			addInfo(totals, line)
		}
	}
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(values[0].String(), "\r\n"), "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if ok && (!keepInfo(name) || name == "db1") { // notes of Active-Active instances
			continue
		}
		if hidden, is := hiddenInfo[name]; ok && is {
			value = hidden
		}
		if ok && name == "redis_version" && k.Version != "" {
			value = k.Version
		}
		if ok && addedInfo[name] {
			value = strconv.FormatInt(totals[name], 10)
		}
		if ok && name == "db0" {
			value = keyspace(totals)
		}
		if ok {
			line = name + ":" + value
		}
		out.WriteString(line + "\r\n")
	}
	if totals["db0.keys"] > 0 && !strings.Contains(out.String(), "\r\ndb0:") && strings.Contains(out.String(), "# Keyspace") {
		out.WriteString("db0:" + keyspace(totals) + "\r\n")
	}
	return resp.AppendBulk(nil, out.String())
}

// keepInfo tells whether a field may be shown: those of single replicas name internal addresses.
func keepInfo(name string) bool {
	rest, isReplica := strings.CutPrefix(name, "slave")
	if !isReplica {
		return true
	}
	_, err := strconv.Atoi(rest)
	return err != nil
}

// addInfo adds one line of INFO to the totals.
func addInfo(totals map[string]int64, line string) {
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	if addedInfo[name] {
		n, _ := strconv.ParseInt(value, 10, 64)
		totals[name] += n
	}
	if name != "db0" {
		return
	}
	for field := range strings.SplitSeq(value, ",") {
		key, number, _ := strings.Cut(field, "=")
		n, _ := strconv.ParseInt(number, 10, 64)
		totals["db0."+key] += n
	}
}

func keyspace(totals map[string]int64) string {
	return "keys=" + strconv.FormatInt(totals["db0.keys"], 10) + ",expires=" + strconv.FormatInt(totals["db0.expires"], 10) +
		",avg_ttl=" + strconv.FormatInt(totals["db0.avg_ttl"], 10)
}
