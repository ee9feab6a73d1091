package shard

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Info returns INFO as a map; no section means the default ones.
func (p *Process) Info(ctx context.Context, sections ...string) (map[string]string, error) {
	v, err := p.conn.Do(ctx, append([]string{"INFO"}, sections...)...)
	if err != nil {
		return nil, err
	}
	return ParseInfo(v.String()), nil
}

// ParseInfo parses the text of INFO.
func ParseInfo(text string) map[string]string {
	info := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r"), ":"); ok && !strings.HasPrefix(name, "#") {
			info[name] = value
		}
	}
	return info
}

// State asks for the replication state.
func (p *Process) State(ctx context.Context) (State, error) {
	info, err := p.Info(ctx, "replication", "persistence")
	if err != nil {
		return State{}, err
	}
	return parseState(info), nil
}

func parseState(info map[string]string) State {
	s := State{
		Role:    Master,
		ReplID:  info["master_replid"],
		Offset:  number(info["master_repl_offset"]),
		Loading: info["loading"] == "1",
	}
	if info["role"] == "slave" {
		s.Role = Replica
		s.Master = Address{Host: info["master_host"], Port: int(number(info["master_port"]))}
		s.LinkUp = info["master_link_status"] == "up"
		s.Syncing = info["master_sync_in_progress"] == "1"
		s.Offset = number(info["slave_repl_offset"])
		s.LinkDownFor = max(0, time.Duration(number(info["master_link_down_since_seconds"]))*time.Second)
		return s
	}
	for i := range int(number(info["connected_slaves"])) {
		s.Replicas = append(s.Replicas, parseReplica(info["slave"+strconv.Itoa(i)]))
	}
	return s
}

// parseReplica parses a line such as "ip=10.0.0.2,port=20001,state=online,offset=42,lag=0".
func parseReplica(line string) ReplicaState {
	var r ReplicaState
	for field := range strings.SplitSeq(line, ",") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "ip":
			r.Address.Host = value
		case "port":
			r.Address.Port = int(number(value))
		case "state":
			r.Online = value == "online"
		case "offset":
			r.Offset = number(value)
		case "lag":
			r.Lag = time.Duration(number(value)) * time.Second
		}
	}
	return r
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// waitInfo waits until a condition on INFO holds.
func (p *Process) waitInfo(ctx context.Context, section string, holds func(map[string]string) bool) error {
	for {
		info, err := p.Info(ctx, section)
		if err == nil && holds(info) {
			return nil
		}
		if err := p.pause(ctx); err != nil {
			return err
		}
	}
}

// ReplicaOf makes the process a replica of another one, now and after a restart. It does not wait for the copy.
func (p *Process) ReplicaOf(ctx context.Context, master Address) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.conn.Do(ctx, "REPLICAOF", master.Host, strconv.Itoa(master.Port)); err != nil {
		return fmt.Errorf("following %s: %w", master, err)
	}
	p.master = &master
	return p.writeConfig(p.settings.AOF)
}

// Promote makes the process a master, now and after a restart.
func (p *Process) Promote(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.conn.Do(ctx, "REPLICAOF", "NO", "ONE"); err != nil {
		return fmt.Errorf("promoting: %w", err)
	}
	p.master = nil
	return p.writeConfig(p.settings.AOF)
}

// PauseWrites holds back writes of clients (not replication, expiry and eviction included) for at most the given time.
// Clients see no error; their commands wait.
func (p *Process) PauseWrites(ctx context.Context, atMost time.Duration) error {
	_, err := p.conn.Do(ctx, "CLIENT", "PAUSE", strconv.FormatInt(atMost.Milliseconds(), 10), "WRITE")
	return err
}

// ResumeWrites ends PauseWrites.
func (p *Process) ResumeWrites(ctx context.Context) error {
	_, err := p.conn.Do(ctx, "CLIENT", "UNPAUSE")
	return err
}

// DisconnectClients ends all client connections except this package's own and those of replication. An engine calls it
// on a former master that must not serve anyone any more.
func (p *Process) DisconnectClients(ctx context.Context) error {
	for _, kind := range []string{"normal", "pubsub"} {
		if _, err := p.conn.Do(ctx, "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"); err != nil {
			return err
		}
	}
	return nil
}

// CaughtUp waits until a replica has applied everything up to an offset of its master.
func (p *Process) CaughtUp(ctx context.Context, offset int64) error {
	return p.waitInfo(ctx, "replication", func(info map[string]string) bool {
		s := parseState(info)
		if s.Role != Replica {
			return false
		}
		return s.InSync() && s.Offset >= offset
	})
}

// Save takes a snapshot and waits until it is on disk.
func (p *Process) Save(ctx context.Context) error {
	before, err := p.Info(ctx, "persistence")
	if err != nil {
		return err
	}
	if _, err := p.conn.Do(ctx, "BGSAVE", "SCHEDULE"); err != nil {
		if !strings.Contains(err.Error(), "in progress") {
			return fmt.Errorf("taking a snapshot: %w", err)
		}
	}
	return p.waitInfo(ctx, "persistence", func(info map[string]string) bool {
		return info["rdb_bgsave_in_progress"] == "0" && info["rdb_last_bgsave_status"] == "ok" &&
			info["rdb_saves"] != before["rdb_saves"]
	})
}

// Flush removes all data.
func (p *Process) Flush(ctx context.Context) error {
	_, err := p.conn.Do(ctx, "FLUSHALL")
	return err
}
