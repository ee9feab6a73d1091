package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// Calls that the leader makes to the agents of other nodes. Everything lasting goes through the configuration; these
// are for moments that must be in step.
const (
	pathHold     = "/agent/hold"
	pathRelease  = "/agent/release"
	pathOffset   = "/agent/offset"
	pathCaughtUp = "/agent/caughtup"
	pathPurge    = "/agent/purge"
	pathFlush    = "/agent/flush"
	pathMeasure  = "/agent/measure"
)

var errNoShard = errors.New("the shard does not run here")

func serveCall[Req, Ans any](do func(context.Context, Req) (Ans, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var req Req
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&req); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ans, err := do(r.Context(), req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		_ = json.NewEncoder(w).Encode(ans)
	})
}

type holdCall struct {
	BDB    int64  `json:"bdb"`
	Holder string `json:"holder"`
	Millis int64  `json:"millis"`
}

type nothing struct{}

// hold makes new commands of a database wait here, once those in flight are answered, until release or a time-out.
func (a *agent) hold(ctx context.Context, c holdCall) (nothing, error) {
	a.mu.Lock()
	e := a.endpoints[c.BDB]
	a.mu.Unlock()
	if e == nil {
		return nothing{}, nil
	}
	return nothing{}, e.hold(ctx, c.Holder, time.Duration(c.Millis)*time.Millisecond)
}

func (a *agent) release(_ context.Context, c holdCall) (nothing, error) {
	a.mu.Lock()
	e := a.endpoints[c.BDB]
	a.mu.Unlock()
	if e != nil {
		e.release(c.Holder)
	}
	return nothing{}, nil
}

type shardCall struct {
	Shard  int64 `json:"shard"`
	Offset int64 `json:"offset,omitempty"`
	Floor  int64 `json:"floor,omitempty"` // flush: only what was written up to this moment
}

// offset reads the position in the stream of writes.
func (a *agent) offset(ctx context.Context, c shardCall) (shardCall, error) {
	r := a.runner(c.Shard)
	if r == nil || r.process() == nil {
		return c, errNoShard
	}
	st, err := r.process().State(ctx)
	c.Offset = st.Offset
	return c, err
}

// caughtUp waits until a replica has come as far.
func (a *agent) caughtUp(ctx context.Context, c shardCall) (nothing, error) {
	r := a.runner(c.Shard)
	if r == nil || r.process() == nil {
		return nothing{}, errNoShard
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return nothing{}, r.process().CaughtUp(ctx, c.Offset)
}

// flush empties a shard; its replica follows.
func (a *agent) flush(ctx context.Context, c shardCall) (nothing, error) {
	r := a.runner(c.Shard)
	if r == nil || r.process() == nil {
		return nothing{}, errNoShard
	}
	args := []string{"FLUSHALL", "SYNC"}
	if c.Floor != 0 {
		args = []string{"EVAL", crdb.Flush, "0", text(c.Floor)}
	}
	_, err := r.process().Do(ctx, args...)
	return nothing{}, err
}

type purgeCall struct {
	Shard int64    `json:"shard"`
	First int      `json:"first"`
	Last  int      `json:"last"`
	Rules []string `json:"rules"`
}

// purge removes the keys of slots that the shard no longer has.
func (a *agent) purge(ctx context.Context, c purgeCall) (nothing, error) {
	r := a.runner(c.Shard)
	if r == nil || r.process() == nil {
		return nothing{}, errNoShard
	}
	slot, err := proxy.Hasher(c.Rules)
	if err != nil {
		return nothing{}, err
	}
	proc := r.process()
	for cursor := "0"; ; {
		v, err := proc.Do(ctx, "SCAN", cursor, "COUNT", "1000")
		if err != nil {
			return nothing{}, err
		}
		next, keys, err := scanPage(v)
		if err != nil {
			return nothing{}, err
		}
		foreign := []string{"UNLINK"}
		for _, key := range keys {
			if n := slot([]byte(key)); n < c.First || n > c.Last {
				foreign = append(foreign, key)
			}
		}
		if len(foreign) > 1 {
			if _, err := proc.Do(ctx, foreign...); err != nil {
				return nothing{}, err
			}
		}
		if cursor = next; cursor == "0" {
			return nothing{}, nil
		}
	}
}

func scanPage(v resp.Value) (next string, keys []string, err error) {
	if len(v.Elems) != 2 {
		return "", nil, errors.New("unexpected answer to SCAN")
	}
	next = v.Elems[0].String()
	if _, err := strconv.ParseUint(next, 10, 64); err != nil {
		return "", nil, fmt.Errorf("cursor: %w", err)
	}
	for _, k := range v.Elems[1].Elems {
		keys = append(keys, k.String())
	}
	return next, keys, nil
}
