package bootstrapper

import (
	"context"
	"time"
)

// podEndingPatience is how long a drain waits for the API server's word that the pod is being deleted before it goes
// ahead without it. Longer than a restart of the API server, shorter than anybody's patience with a stuck pod.
const podEndingPatience = 30 * time.Second

// Drain moves everything off the node and returns when nothing is left on it. It retries without end, as rule REC-17
// asks, because stopping early could cost data; it gives up at once when the node is in no cluster, when it has stopped
// answering, or when the cluster itself is being deleted. Run does the work, and an end of ctx does not stop it, only the
// end of Run does; further calls wait for the first.
func (a *Agent) Drain(ctx context.Context) {
	a.channels()
	a.mu.Lock()
	if !a.draining {
		a.draining = true
		close(a.wanted)
	}
	a.mu.Unlock()
	select {
	case <-a.drained:
	case <-ctx.Done():
	}
}

func (a *Agent) drain(ctx context.Context) {
	started := time.Now()
	for going := true; going; going = a.pause(ctx) {
		if why, over := a.nothingToDrain(ctx); over {
			a.Log.Info("no drain", "why", why)
			return
		}
		facts, _ := a.snapshot()
		duty, err := a.Node.Duty(ctx, facts.UID)
		if err != nil {
			a.Log.Warn("drain: the cluster does not answer", "error", err)
			continue
		}
		if duty.Drained() {
			a.Log.Info("drained", "took", time.Since(started).Round(time.Millisecond))
			return
		}
		if err := a.drainStep(ctx, facts.UID, duty); err != nil {
			a.Log.Warn("drain: not yet", "error", err)
		}
	}
}

// drainStep makes the one call that brings the node closer to holding nothing.
func (a *Agent) drainStep(ctx context.Context, uid string, duty Duty) error {
	switch {
	case duty.Busy:
		return nil
	case !duty.Maintenance || duty.MasterShards > 0 || duty.Endpoints > 0:
		a.Log.Info("drain: maintenance on", "masterShards", duty.MasterShards, "endpoints", duty.Endpoints)
		return a.Node.MaintenanceOn(ctx, uid)
	case duty.Master:
		a.Log.Info("drain: handing over the cluster's master role")
		return a.Node.GiveUpMaster(ctx, uid)
	}
	return nil
}

func (a *Agent) nothingToDrain(ctx context.Context) (why string, over bool) {
	facts, seen := a.snapshot()
	switch {
	case facts.State == Unreachable && time.Since(seen) > 10*time.Second:
		return "the node has stopped answering", true
	case facts.State == Idle || facts.State == Error:
		return "the node is in no cluster", true
	case a.Board.Gone(ctx):
		return "the cluster is being deleted", true
	}
	return "", false
}

// preStop waits for the drain if the pod is really being deleted; a container that only restarts keeps its duties.
func (a *Agent) preStop(ctx context.Context) {
	started := time.Now()
	for time.Since(started) < podEndingPatience {
		ending, err := a.Board.PodEnding(ctx)
		if err == nil && !ending {
			a.Log.Info("no drain", "why", "the pod is not being deleted")
			return
		}
		if err == nil || !a.pause(ctx) {
			break
		}
	}
	a.Drain(ctx)
}

// Finish keeps the agent useful after SIGTERM: it drains, then stays until the node's API is gone, so that a preStop
// request of the node container still finds an answer. ctx bounds the whole.
func (a *Agent) Finish(ctx context.Context) {
	a.Drain(ctx)
	for going := ctx.Err() == nil; going; going = a.pause(ctx) {
		if _, err := a.Node.Facts(ctx); err != nil {
			return
		}
	}
}
