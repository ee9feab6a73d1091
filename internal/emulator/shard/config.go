package shard

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of the files in a shard's directory.
const (
	configName = "redis.conf"
	rdbName    = "dump.rdb"
	aofDir     = "appendonlydir"
	aofName    = "appendonly.aof"
)

func (p *Process) configFile() string { return filepath.Join(p.config.Dir, configName) }

// directive is one line of a configuration.
type directive struct{ name, value string }

// fixed are the directives that do not change while the process runs.
func fixed(c Config) []directive {
	d := []directive{
		{"bind", c.Address.Host},
		{"port", strconv.Itoa(c.Address.Port)},
		{"protected-mode", "no"},
		{"dir", c.Dir},
		{"dbfilename", rdbName},
		{"appendfilename", aofName},
		{"appenddirname", aofDir},
		{"logfile", c.LogFile},
		{"daemonize", "no"},
		{"supervised", "no"},
		{"replica-announce-ip", c.AnnounceHost},
		{"replica-announce-port", strconv.Itoa(c.Address.Port)},
		// A replica never answers from data it knows to be stale, and a new one is served without waiting for others.
		{"replica-serve-stale-data", "yes"},
		{"replica-read-only", "yes"},
		{"repl-diskless-sync", "yes"},
		{"repl-diskless-sync-delay", "0"},
		{"repl-ping-replica-period", "1"},
		{"repl-timeout", "10"},
		{"aof-use-rdb-preamble", "yes"},
		{"aof-load-truncated", "yes"},
		{"shutdown-timeout", "3"},
		{"maxclients", "10000"},
		{"tcp-keepalive", "5"},
	}
	if c.Password != "" {
		d = append(d, directive{"requirepass", c.Password}, directive{"masterauth", c.Password})
	}
	return d
}

// changeable are the directives behind Settings, in a stable order.
func changeable(s Settings) []directive {
	eviction := s.Eviction
	if eviction == "" {
		eviction = "noeviction"
	}
	var rules []string
	for _, r := range s.Snapshots {
		rules = append(rules, strconv.Itoa(r.Seconds), strconv.Itoa(r.Changes))
	}
	d := []directive{
		{"maxmemory", strconv.FormatInt(s.MemoryBytes, 10)},
		{"maxmemory-policy", eviction},
		{"save", strings.Join(rules, " ")},
		{"stop-writes-on-bgsave-error", "no"},
		{"rdb-del-sync-files", yesNo(!s.Persistent())},
		{"appendfsync", string(fsync(s.AOF))},
		{"appendonly", yesNo(s.AOF != AOFOff)},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Extra)) {
		d = append(d, directive{name, s.Extra[name]})
	}
	return d
}

func fsync(a AOF) AOF {
	if a == AOFOff {
		return AOFEverySec
	}
	return a
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// writeConfig writes the configuration file, readable by the owner alone, by way of a rename.
func (p *Process) writeConfig(aof AOF) error {
	s := p.settings
	s.AOF = aof
	var b strings.Builder
	for _, d := range append(fixed(p.config), changeable(s)...) {
		if d.name == "rdb-del-sync-files" && aof != p.settings.AOF {
			d.value = "no" // the file is still needed to boot from
		}
		fmt.Fprintf(&b, "%s %s\n", d.name, quote(d.value))
	}
	if p.master != nil {
		fmt.Fprintf(&b, "replicaof %s %d\n", p.master.Host, p.master.Port)
	}
	tmp := p.configFile() + ".new"
	if err := os.WriteFile(tmp, []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("shard configuration: %w", err)
	}
	return os.Rename(tmp, p.configFile())
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// bootAOF is the append-only policy to start with. redis-server loads either the append-only file or the snapshot,
// depending on that switch alone; started with the wrong one it would come up empty and later overwrite what it did not
// load. So it starts with the one that has the data, and is switched over afterwards. When both exist although only
// snapshots are wanted, a change was interrupted, and the newer one counts.
func bootAOF(dir string, s Settings) AOF {
	hasAOF := exists(filepath.Join(dir, aofDir, aofName+".manifest"))
	hasRDB := exists(filepath.Join(dir, rdbName))
	newerRDB := changed(filepath.Join(dir, rdbName)).After(lastChange(filepath.Join(dir, aofDir)))
	switch {
	case !s.Persistent():
		return AOFOff
	case s.AOF == AOFOff && hasAOF && !newerRDB:
		return AOFEverySec
	case s.AOF != AOFOff && !hasAOF && hasRDB:
		return AOFOff
	}
	return s.AOF
}

// changed is when a file was last written.
func changed(path string) time.Time {
	st, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return st.ModTime()
}

// lastChange is when the newest file of a directory was last written.
func lastChange(dir string) (newest time.Time) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if t := changed(filepath.Join(dir, e.Name())); t.After(newest) {
			newest = t
		}
	}
	return newest
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// removeData removes the persistence files.
func removeData(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, aofDir)); err != nil {
		return fmt.Errorf("removing the append-only file: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, rdbName)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the snapshot: %w", err)
	}
	return nil
}

// Configure changes the settings of the running process and of its configuration file. When the append-only file is
// switched on it returns after the file is complete.
func (p *Process) Configure(ctx context.Context, s Settings) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.applySettings(ctx, s)
}

// applySettings does the work of Configure; the caller holds the lock.
func (p *Process) applySettings(ctx context.Context, s Settings) error {
	args := []string{"CONFIG", "SET"}
	for _, d := range changeable(s) {
		args = append(args, d.name, d.value)
	}
	if _, err := p.conn.Do(ctx, args...); err != nil {
		return fmt.Errorf("changing settings: %w", err)
	}
	if s.AOF != AOFOff {
		if err := p.waitInfo(ctx, "persistence", aofComplete); err != nil {
			return fmt.Errorf("waiting for the append-only file: %w", err)
		}
	}
	p.settings = s
	if err := p.writeConfig(s.AOF); err != nil {
		return err
	}
	return p.dropUnused(ctx, s)
}

// aofComplete tells whether the first write of the append-only file is over.
func aofComplete(info map[string]string) bool {
	return info["aof_rewrite_in_progress"] == "0" && info["aof_rewrite_scheduled"] == "0" &&
		info["aof_last_bgrewrite_status"] == "ok"
}

// dropUnused removes persistence files that the settings no longer call for, so that no later start loads them. When
// snapshots take over from the append-only file, one is taken first: there must be no moment without a file.
func (p *Process) dropUnused(ctx context.Context, s Settings) error {
	if !s.Persistent() {
		return removeData(p.config.Dir)
	}
	stale := filepath.Join(p.config.Dir, aofDir)
	if s.AOF != AOFOff || !exists(stale) {
		return nil
	}
	if err := p.Save(ctx); err != nil {
		return err
	}
	return os.RemoveAll(stale)
}
