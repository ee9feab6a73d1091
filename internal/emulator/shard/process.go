package shard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// poll is how often a condition of a process is looked at while waiting for it.
const poll = 20 * time.Millisecond

// Process is one running redis-server.
type Process struct {
	config Config
	conn   *resp.Client
	pid    int
	done   chan struct{}
	err    error // set before done is closed

	stopping atomic.Bool

	mu       sync.Mutex // guards what follows, and orders changes of settings; the end of the process does not need it
	settings Settings
	master   *Address
}

func start(ctx context.Context, c Config) (*Process, error) {
	c = withDefaults(c)
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("shard directory: %w", err)
	}
	p := &Process{
		config: c, done: make(chan struct{}), settings: c.Settings, master: c.Master,
		conn: resp.NewClient(c.Address.String(), c.Password),
	}
	boot := bootAOF(c.Dir, c.Settings)
	if !c.Settings.Persistent() {
		if err := removeData(c.Dir); err != nil {
			return nil, err
		}
	}
	if err := p.writeConfig(boot); err != nil {
		return nil, err
	}
	if err := p.spawn(ctx); err != nil {
		return nil, err
	}
	if err := p.settle(ctx, boot); err != nil {
		p.Kill()
		_ = p.conn.Close()
		return nil, err
	}
	return p, nil
}

func withDefaults(c Config) Config {
	if c.Binary == "" {
		c.Binary = "redis-server"
	}
	if c.LogFile == "" {
		c.LogFile = filepath.Join(c.Dir, "redis.log")
	}
	if c.AnnounceHost == "" {
		c.AnnounceHost = c.Address.Host
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = time.Minute
	}
	return c
}

// settle waits for the data set and moves from the boot configuration to the wanted one.
func (p *Process) settle(ctx context.Context, boot AOF) error {
	ctx, cancel := context.WithTimeout(ctx, p.config.StartTimeout)
	defer cancel()
	if err := p.waitReady(ctx); err != nil {
		return fmt.Errorf("redis-server on %s: %w%s", p.config.Address, err, p.lastLog())
	}
	if boot == p.config.Settings.AOF {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.applySettings(ctx, p.config.Settings)
}

// spawn starts the program. The goroutine that starts it keeps its thread until the process has ended, because on Linux
// the parent-death signal is tied to the thread that forked and would otherwise fire when Go retires that thread.
func (p *Process) spawn(ctx context.Context) error {
	// The process outlives the context of its start; both words are the caller's choice, and no shell is involved.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), p.config.Binary, p.configFile()) //nolint:gosec // see above
	cmd.Dir = p.config.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		p.ended(cmd.Wait())
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", p.config.Binary, err)
	}
	return nil
}

func (p *Process) ended(err error) {
	_ = p.conn.Close()
	if !p.stopping.Load() {
		p.err = errors.New("redis-server ended by itself")
		if err != nil {
			p.err = fmt.Errorf("redis-server ended by itself: %w", err)
		}
	}
	close(p.done)
}

// waitReady waits until the process answers and has loaded its data.
func (p *Process) waitReady(ctx context.Context) error {
	for {
		v, err := p.once(ctx, "PING")
		if err == nil && v.String() == "PONG" {
			return nil
		}
		if stopped := p.pause(ctx); stopped != nil {
			return errors.Join(stopped, err)
		}
	}
}

// once runs a command with a bound of its own, so that one lost answer does not use up the whole wait.
func (p *Process) once(ctx context.Context, args ...string) (resp.Value, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return p.conn.Do(ctx, args...)
}

// pause lets a little time pass between two looks; it fails when there is no point in looking again.
func (p *Process) pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-p.done:
		return ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// lastLog is the end of the log, for the message of a failed start.
func (p *Process) lastLog() string {
	data, err := os.ReadFile(p.config.LogFile)
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return ": " + strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// Stop ends the process in order: a master waits for its replicas within redis-server's own shutdown-timeout, persistence
// reaches the disk. When the context ends first, the process is killed and the context's error returned.
func (p *Process) Stop(ctx context.Context) error {
	p.stopping.Store(true)
	if p.hasEnded() {
		return nil
	}
	_ = syscall.Kill(p.pid, syscall.SIGCONT) // a frozen process could not end
	_ = syscall.Kill(p.pid, syscall.SIGTERM)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		p.Kill()
		return context.Cause(ctx)
	}
}

// Kill ends the process at once and waits until it is gone.
func (p *Process) Kill() {
	p.stopping.Store(true)
	if p.hasEnded() {
		return
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL)
	<-p.done
}

// hasEnded keeps signals from a process id that may belong to somebody else by now.
func (p *Process) hasEnded() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Freeze stops the process without ending it, as a node that hangs would; Thaw lets it go on. They serve tests.
func (p *Process) Freeze() error { return syscall.Kill(p.pid, syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (p *Process) Thaw() error { return syscall.Kill(p.pid, syscall.SIGCONT) }
