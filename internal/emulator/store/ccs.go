package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// Keys inside the redis-server that holds the configuration.
const (
	keyObjects = "ccs:objects" // hash "<kind>/<id>" → JSON
	keyMeta    = "ccs:meta"    // hash with term and rev, the position
	channelLog = "ccs:log"     // each change is published here, and so reaches the replicas in order
)

var errLoading = errors.New("store: the data set is not readable now")

// ccs is this node's copy: a redis-server process and a client of it.
type ccs struct {
	proc *shard.Process
	rdb  *redis.Client
}

func startCCS(ctx context.Context, c shard.Config) (*ccs, error) {
	proc, err := shard.Start(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("store: configuration store process: %w", err)
	}
	rdb := redis.NewClient(&redis.Options{
		Addr: c.Address.String(), Password: c.Password, Protocol: 2, DisableIdentity: true, MaxRetries: -1,
	})
	return &ccs{proc: proc, rdb: rdb}, nil
}

func (c *ccs) close(stop func(*shard.Process)) {
	_ = c.rdb.Close()
	stop(c.proc)
}

// position reads how far the data set is.
func (c *ccs) position(ctx context.Context) (position, error) {
	m, err := c.rdb.HGetAll(ctx, keyMeta).Result()
	if err != nil {
		return position{}, fmt.Errorf("%w: %w", errLoading, err)
	}
	return parsePosition(m), nil
}

func parsePosition(m map[string]string) position {
	term, _ := strconv.ParseInt(m["term"], 10, 64)
	rev, _ := strconv.ParseInt(m["rev"], 10, 64)
	return position{term, rev}
}

// load reads everything at one moment.
func (c *ccs) load(ctx context.Context) (*Snapshot, error) {
	pipe := c.rdb.TxPipeline()
	meta, objects := pipe.HGetAll(ctx, keyMeta), pipe.HGetAll(ctx, keyObjects)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errLoading, err)
	}
	pos := parsePosition(meta.Val())
	s := &Snapshot{term: pos.Term, rev: pos.Rev, kinds: map[string]map[string]*stored{}}
	for key, text := range objects.Val() {
		kind, id, _ := strings.Cut(key, "/")
		if s.kinds[kind] == nil {
			s.kinds[kind] = map[string]*stored{}
		}
		s.kinds[kind][id] = &stored{raw: json.RawMessage(text)}
	}
	return s, nil
}

// append writes a change atomically; a replica refuses.
func (c *ccs) append(ctx context.Context, e *entry) error {
	message, err := json.Marshal(e)
	if err != nil {
		return err
	}
	pipe := c.rdb.TxPipeline()
	for kind, objects := range e.Put {
		for id, raw := range objects {
			pipe.HSet(ctx, keyObjects, kind+"/"+id, string(raw))
		}
	}
	for kind, ids := range e.Del {
		for _, id := range ids {
			pipe.HDel(ctx, keyObjects, kind+"/"+id)
		}
	}
	pipe.HSet(ctx, keyMeta, "term", e.Pos.Term, "rev", e.Pos.Rev)
	pipe.Publish(ctx, channelLog, message)
	_, err = pipe.Exec(ctx)
	return err
}

// durable tells whether what the process has in memory is what it would come back with: after a full copy from the
// master it first has to write a new append-only file.
func (c *ccs) durable(ctx context.Context) bool {
	text, err := c.rdb.Info(ctx, "persistence").Result()
	return err == nil && strings.Contains(text, "aof_enabled:1") &&
		strings.Contains(text, "loading:0") &&
		strings.Contains(text, "aof_rewrite_in_progress:0") && strings.Contains(text, "aof_rewrite_scheduled:0")
}
