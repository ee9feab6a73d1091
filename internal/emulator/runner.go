package emulator

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/shard"
)

// shardWish is what the configuration says about one local shard; gone means that it no longer does.
type shardWish struct {
	gone     bool
	rev      int64
	rec      shardRecord
	settings shard.Settings
	password string
	// source is the process to copy from, and ready whether it is there to be copied from.
	source shard.Address
	ready  bool
}

// shardReport is what a node knows about one of its shards.
type shardReport struct {
	// Token names the process: the boot of the node and how many processes of this shard it has had.
	Token   string `json:"token"`
	Running bool   `json:"running"`
	Master  bool   `json:"master"`
	// Source and Linked are a replica's view of where it copies from.
	Source string `json:"source,omitempty"`
	Linked bool   `json:"linked,omitempty"`
	Memory int64  `json:"memory"`
	// Rev is the revision of the configuration that the process is known to agree with.
	Rev   int64  `json:"rev"`
	Error string `json:"error,omitempty"`
}

// runner keeps one shard process as the configuration wants it. It never decides: in particular it does not start a
// master that the leader has not granted to exactly this process.
type runner struct {
	a    *agent
	uid  int64
	log  *slog.Logger
	kick chan struct{}
	done chan struct{}

	looks int // only the loop counts

	mu      sync.Mutex
	wish    shardWish
	proc    *shard.Process
	count   int
	applied shard.Settings
	report  shardReport
	frozen  bool // killed: touch nothing any more
}

func (a *agent) newRunner(uid int64) *runner {
	r := &runner{a: a, uid: uid, log: a.log.With("shard", uid), kick: make(chan struct{}, 1), done: make(chan struct{})}
	r.report.Token = r.token()
	a.wg.Go(r.loop)
	return r
}

func (r *runner) token() string { return fmt.Sprintf("%s/%d", r.a.boot, r.count) }

func (r *runner) dir() string { return fmt.Sprintf("%s/shard-%d", r.a.dir, r.uid) }

// want sets the wish and wakes the loop.
func (r *runner) want(w shardWish) {
	r.mu.Lock()
	r.wish = w
	r.mu.Unlock()
	r.wake()
}

func (r *runner) wake() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

func (r *runner) loop() {
	defer close(r.done)
	ticker := time.NewTicker(r.a.pace)
	defer ticker.Stop()
	for {
		select {
		case <-r.a.ctx.Done():
			return
		case <-r.ended():
		case <-r.kick:
		case <-ticker.C:
		}
		if r.step(r.a.ctx) {
			return
		}
	}
}

func (r *runner) ended() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc == nil {
		return nil
	}
	return r.proc.Done()
}

// process is the running process, or nil.
func (r *runner) process() *shard.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// step brings the process one step closer to the wish and renews the report; true when the shard is gone.
func (r *runner) step(ctx context.Context) bool {
	r.mu.Lock()
	w, proc, before := r.wish, r.proc, r.report
	r.mu.Unlock()
	if w.gone {
		if proc != nil {
			stop, cancel := context.WithTimeout(ctx, 5*time.Second)
			_ = proc.Stop(stop)
			cancel()
		}
		_ = os.RemoveAll(r.dir())
		r.a.forget(r.uid)
		return true
	}
	if w.rec.UID == 0 {
		return false
	}
	if proc != nil && isClosed(proc.Done()) {
		r.log.Warn("shard process ended", "error", errText(proc.Err()))
		r.mu.Lock()
		r.proc, proc = nil, nil
		r.count++
		r.mu.Unlock()
	}
	sight := r.look(ctx, proc)
	acted, err := r.converge(ctx, w, proc, sight)
	if acted {
		sight = r.look(ctx, r.process())
	}
	after := r.remember(ctx, w, sight, err)
	if before.Token != after.Token || before.Running != after.Running || before.Master != after.Master ||
		before.Linked != after.Linked || before.Rev != after.Rev {
		r.a.pushReport()
	}
	return false
}

// sight is one look at a process.
type sight struct {
	running bool
	state   shard.State
	err     error
}

func (r *runner) look(ctx context.Context, proc *shard.Process) sight {
	if proc == nil {
		return sight{}
	}
	ctx, cancel := context.WithTimeout(ctx, r.a.pace*10)
	defer cancel()
	st, err := proc.State(ctx)
	return sight{running: err == nil && !isClosed(proc.Done()), state: st, err: err}
}

// converge takes the next step towards the wish and tells whether it did anything.
func (r *runner) converge(ctx context.Context, w shardWish, proc *shard.Process, now sight) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	granted := w.rec.Grant == r.token()
	switch {
	case proc == nil && w.rec.Role == roleMaster && !granted:
		return false, nil // the leader decides first
	case proc == nil:
		return true, r.start(ctx, w)
	case now.err != nil:
		return false, now.err
	case w.rec.Role == roleMaster && granted && now.state.Role == shard.Replica:
		r.log.Info("promoting", "epoch", w.rec.Epoch)
		if err := proc.Promote(ctx); err != nil {
			return true, err
		}
	case w.rec.Role == roleSlave && w.ready && (now.state.Role == shard.Master || now.state.Master != w.source):
		r.log.Info("copying from", "source", w.source.String())
		if err := proc.ReplicaOf(ctx, w.source); err != nil {
			return true, err
		}
	case reflect.DeepEqual(r.appliedSettings(), w.settings):
		return false, nil
	}
	return true, r.configure(ctx, proc, w.settings)
}

func (r *runner) appliedSettings() shard.Settings {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.applied
}

func (r *runner) configure(ctx context.Context, proc *shard.Process, s shard.Settings) error {
	if reflect.DeepEqual(r.appliedSettings(), s) {
		return nil
	}
	if err := proc.Configure(ctx, s); err != nil {
		return err
	}
	r.mu.Lock()
	r.applied = s
	r.mu.Unlock()
	return nil
}

func (r *runner) hasData() bool {
	_, err := os.Stat(r.dir())
	return err == nil
}

func (r *runner) start(ctx context.Context, w shardWish) error {
	c := shard.Config{
		Binary: r.a.redis, Dir: r.dir(), Address: shard.Address{Host: r.a.addr, Port: w.rec.Port},
		Password: w.password, Settings: w.settings,
	}
	if w.rec.Role == roleSlave {
		// A new replica waits for its source: redis-server would come back to an early attempt only after a second. One
		// with data starts in any case, as it may have to take over.
		if w.source.Port == 0 || !w.ready && !r.hasData() {
			return nil
		}
		c.Master = &w.source
	}
	proc, err := shard.Start(ctx, c)
	if err != nil {
		return err
	}
	r.mu.Lock()
	frozen := r.frozen
	if !frozen {
		r.proc, r.applied = proc, w.settings
	}
	r.mu.Unlock()
	if frozen {
		proc.Kill()
		return shard.ErrStopped
	}
	r.log.Info("shard process started", "role", w.rec.Role, "port", w.rec.Port, "pid", proc.PID())
	return nil
}

// memoryEvery is how many looks at a process go without asking for its memory.
const memoryEvery = 10

// remember makes the report of what was seen.
func (r *runner) remember(ctx context.Context, w shardWish, now sight, err error) shardReport {
	last := r.lastReport()
	out := shardReport{Token: r.token(), Rev: w.rev, Error: errText(err), Running: now.running, Memory: last.Memory}
	if err != nil {
		out.Rev = last.Rev
	}
	if now.running {
		out.Master = now.state.Role == shard.Master
		if !out.Master {
			out.Source, out.Linked = now.state.Master.String(), now.state.InSync()
		}
		if r.looks++; r.looks%memoryEvery == 1 {
			if info, err := r.process().Info(ctx, "memory"); err == nil {
				out.Memory = parseInt(info["used_memory"])
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report = out
	return out
}

func (r *runner) lastReport() shardReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.report
}

// kill ends the process as a power failure would.
func (r *runner) kill() {
	r.mu.Lock()
	r.frozen = true
	proc := r.proc
	r.mu.Unlock()
	if proc != nil {
		proc.Kill()
	}
}

// stop ends the process with its data on disk.
func (r *runner) stop(ctx context.Context) {
	r.mu.Lock()
	r.frozen = true
	proc := r.proc
	r.mu.Unlock()
	if proc != nil {
		_ = proc.Stop(ctx)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
