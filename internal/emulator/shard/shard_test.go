package shard_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SHARD_TEST_PARENT_DIR"); dir != "" {
		parentThatDies(dir)
	}
	goleak.VerifyTestMain(m)
}

func freeAddress(t *testing.T) shard.Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return shard.Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func mustStart(t *testing.T, c shard.Config) *shard.Process {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.Address.Port == 0 {
		c.Address = freeAddress(t)
	}
	p, err := shard.Start(testContext(t), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func do(t *testing.T, p *shard.Process, args ...string) string {
	t.Helper()
	v, err := p.Do(testContext(t), args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return v.String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestDataSurvivesRestartAsThePersistenceSays(t *testing.T) {
	snapshots := []shard.Snapshot{{Seconds: 3600, Changes: 1}}
	cases := []struct {
		name          string
		before, after shard.Settings
		orderly       bool
		want          string
	}{
		{"append-only file, killed", shard.Settings{AOF: shard.AOFAlways}, shard.Settings{AOF: shard.AOFAlways}, false, "v"},
		{"snapshots, stopped", shard.Settings{Snapshots: snapshots}, shard.Settings{Snapshots: snapshots}, true, "v"},
		{"nothing, stopped", shard.Settings{}, shard.Settings{}, true, ""},
		{"snapshot to append-only file", shard.Settings{Snapshots: snapshots}, shard.Settings{AOF: shard.AOFEverySec}, true, "v"},
		{"append-only file to snapshot", shard.Settings{AOF: shard.AOFAlways}, shard.Settings{Snapshots: snapshots}, false, "v"},
		{"switched off leaves nothing to load", shard.Settings{AOF: shard.AOFAlways}, shard.Settings{}, true, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			p := mustStart(t, shard.Config{Dir: dir, Password: "pw \"x\"", Settings: c.before})
			do(t, p, "SET", "k", "v")
			if c.orderly {
				if err := p.Stop(testContext(t)); err != nil {
					t.Fatal(err)
				}
			} else {
				p.Kill()
			}
			p = mustStart(t, shard.Config{Dir: dir, Password: "pw \"x\"", Settings: c.after})
			if got := do(t, p, "GET", "k"); got != c.want {
				t.Fatalf("after the restart k is %q, want %q", got, c.want)
			}
		})
	}
}

func TestConfigureKeepsTheDataOnDisk(t *testing.T) {
	dir := t.TempDir()
	p := mustStart(t, shard.Config{Dir: dir})
	do(t, p, "SET", "k", "v")
	aof := shard.Settings{AOF: shard.AOFAlways, MemoryBytes: 50 << 20, Eviction: "allkeys-lru"}
	snap := shard.Settings{Snapshots: []shard.Snapshot{{Seconds: 3600, Changes: 1}}}
	for i, s := range []shard.Settings{aof, snap, aof, snap} {
		if err := p.Configure(testContext(t), s); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		p.Kill()
		p = mustStart(t, shard.Config{Dir: dir, Settings: s})
		if got := do(t, p, "GET", "k"); got != "v" {
			t.Fatalf("step %d: k is %q after a crash", i, got)
		}
	}
	if err := p.Configure(testContext(t), aof); err != nil {
		t.Fatal(err)
	}
	info, err := p.Info(testContext(t), "memory")
	if err != nil || info["maxmemory"] != fmt.Sprint(50<<20) || info["maxmemory_policy"] != "allkeys-lru" {
		t.Fatalf("memory settings: %v %v", info, err)
	}
	if err := p.Configure(testContext(t), shard.Settings{}); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, name := range left {
		if base := filepath.Base(name); base != "redis.conf" && base != "redis.log" {
			t.Errorf("%s is left although nothing is to be kept", base)
		}
	}
}

func TestAnInterruptedChangeLoadsTheNewerFile(t *testing.T) {
	snapshots := shard.Settings{Snapshots: []shard.Snapshot{{Seconds: 3600, Changes: 1}}}
	for newer, want := range map[string]string{"dump.rdb": "snapshot", "appendonlydir": "file"} {
		t.Run(newer, func(t *testing.T) {
			dir := t.TempDir()
			p := mustStart(t, shard.Config{Dir: dir, Settings: shard.Settings{AOF: shard.AOFAlways}})
			do(t, p, "SET", "k", "snapshot")
			if err := p.Save(testContext(t)); err != nil {
				t.Fatal(err)
			}
			do(t, p, "SET", "k", "file")
			p.Kill()
			later := time.Now().Add(time.Hour)
			files, _ := filepath.Glob(filepath.Join(dir, newer, "*"))
			for _, f := range append(files, filepath.Join(dir, newer)) {
				if err := os.Chtimes(f, later, later); err != nil {
					t.Fatal(err)
				}
			}
			p = mustStart(t, shard.Config{Dir: dir, Settings: snapshots})
			if got := do(t, p, "GET", "k"); got != want {
				t.Errorf("k comes from the %s, want the %s", got, want)
			}
		})
	}
}

func TestReplicaFollowsAndTakesOver(t *testing.T) {
	master := mustStart(t, shard.Config{Password: "secret", Settings: shard.Settings{AOF: shard.AOFEverySec}})
	do(t, master, "SET", "k", "1")
	at := master.Address()
	replicaDir := t.TempDir()
	replica := mustStart(t, shard.Config{Dir: replicaDir, Password: "secret", Master: &at})
	do(t, master, "SET", "k", "2")
	state, err := master.State(testContext(t))
	if err != nil || state.Role != shard.Master {
		t.Fatalf("master: %+v %v", state, err)
	}
	if err := replica.CaughtUp(testContext(t), state.Offset); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the master sees its replica online", func() bool {
		s, err := master.State(testContext(t))
		return err == nil && len(s.Replicas) == 1 && s.Replicas[0].Online && s.Replicas[0].Address == replica.Address()
	})
	if _, err := replica.Do(testContext(t), "SET", "k", "3"); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
		t.Fatalf("a replica took a write: %v", err)
	}
	master.Kill()
	eventually(t, "the replica sees its link down", func() bool {
		s, err := replica.State(testContext(t))
		return err == nil && s.Role == shard.Replica && !s.LinkUp && !s.InSync()
	})
	if err := replica.Promote(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if got := do(t, replica, "GET", "k"); got != "2" {
		t.Fatalf("after the fail-over k is %q", got)
	}
	do(t, replica, "SET", "k", "4")
	old := replica.Address()
	back := mustStart(t, shard.Config{Password: "secret", Master: &old})
	eventually(t, "the former master follows", func() bool {
		s, err := back.State(testContext(t))
		return err == nil && s.InSync() && s.Master == old
	})
	if got := do(t, back, "GET", "k"); got != "4" {
		t.Fatalf("the new replica has %q", got)
	}
}

func TestEndIsNoticed(t *testing.T) {
	p := mustStart(t, shard.Config{})
	if p.Err() != nil {
		t.Fatal("an error while it runs")
	}
	if err := syscall.Kill(p.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Err() == nil {
		t.Fatal("a process that was killed by somebody else ended without an error")
	}
	q := mustStart(t, shard.Config{})
	if err := q.Stop(testContext(t)); err != nil || q.Err() != nil {
		t.Fatalf("an orderly stop: %v, %v", err, q.Err())
	}
}

func TestStartFails(t *testing.T) {
	t.Run("no such program", func(t *testing.T) {
		_, err := shard.Start(testContext(t), shard.Config{Binary: "/no/such/redis", Dir: t.TempDir(), Address: freeAddress(t)})
		if err == nil {
			t.Fatal("no error")
		}
	})
	t.Run("a port in use is told from the log", func(t *testing.T) {
		p := mustStart(t, shard.Config{Password: "a"})
		_, err := shard.Start(testContext(t), shard.Config{Dir: t.TempDir(), Address: p.Address(), Password: "b"})
		if err == nil || !strings.Contains(err.Error(), "in use") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestSecretsStayInTheFile(t *testing.T) {
	dir := t.TempDir()
	p := mustStart(t, shard.Config{Dir: dir, Password: "very-secret"})
	st, err := os.Stat(filepath.Join(dir, "redis.conf"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("configuration file: %v %v", st.Mode(), err)
	}
	for _, name := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), name))
		if err != nil || strings.Contains(string(data), "very-secret") {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
}

// parentThatDies starts a shard, tells its pid, and waits to be killed.
func parentThatDies(dir string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(3)
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	p, err := shard.Start(context.Background(), shard.Config{Dir: dir, Address: shard.Address{Host: "127.0.0.1", Port: port}})
	if err != nil {
		os.Exit(4)
	}
	_ = os.WriteFile(filepath.Join(dir, "pid.new"), fmt.Append(nil, p.PID()), 0o600)
	_ = os.Rename(filepath.Join(dir, "pid.new"), filepath.Join(dir, "pid"))
	select {}
}

func TestProcessDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SHARD_TEST_PARENT_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	eventually(t, "the parent has started its shard", func() bool {
		data, err := os.ReadFile(filepath.Join(dir, "pid"))
		if err != nil {
			return false
		}
		_, err = fmt.Sscan(string(data), &pid)
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the shard is gone", func() bool {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(data), ") Z ")
	})
}
