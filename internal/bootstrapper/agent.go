package bootstrapper

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/board"
)

// Node is what the agent needs of the node beside it.
type Node interface {
	// Facts reads the bootstrap status. A node that does not answer is an error.
	Facts(ctx context.Context) (NodeFacts, error)
	// Certificate reads the PEM chain that the node's API serves.
	Certificate(ctx context.Context) (string, error)
	// CreateCluster starts forming a cluster with the given name.
	CreateCluster(ctx context.Context, name string) error
	// JoinCluster starts joining through one of the members, in the place of node uid unless that is empty.
	JoinCluster(ctx context.Context, members []string, uid string) error
	// Duty says what the cluster has given the node to do.
	Duty(ctx context.Context, uid string) (Duty, error)
	// MaintenanceOn starts moving everything off the node; MaintenanceOff starts the way back.
	MaintenanceOn(ctx context.Context, uid string) error
	MaintenanceOff(ctx context.Context, uid string) error
	// GiveUpMaster makes another node the cluster's master.
	GiveUpMaster(ctx context.Context, uid string) error
}

// Duty is what a node holds and does for the cluster.
type Duty struct {
	Master       bool // it is the cluster's master
	Active       bool // the cluster counts it among its living nodes
	Maintenance  bool // a maintenance snapshot exists
	Busy         bool // a node action is running
	MasterShards int  // master shards on it
	Endpoints    int  // database endpoints on it
}

// Drained reports whether the node can stop without anybody noticing.
func (d Duty) Drained() bool {
	return d.Maintenance && !d.Busy && !d.Master && d.MasterShards == 0 && d.Endpoints == 0
}

// Noticeboard is the bulletin board and the pod as the API server knows them.
type Noticeboard interface {
	// Read returns the board as last seen; nil while it has not been seen.
	Read() board.Data
	// Gone reports whether the API server says that there is no board: the cluster is being deleted.
	Gone(ctx context.Context) bool
	// PodEnding reports whether our pod is being deleted.
	PodEnding(ctx context.Context) (bool, error)
	// Publish writes this pod's entry.
	Publish(ctx context.Context, r board.Report) error
}

// Agent is the bootstrapper of one pod.
type Agent struct {
	Node    Node
	Board   Noticeboard
	Pod     string // the pod's name
	Ordinal int
	Address string        // at which other pods reach the node
	Cluster string        // FQDN of the cluster
	Every   time.Duration // between two looks at the node; one second unless set
	Log     *slog.Logger

	mu       sync.Mutex
	facts    NodeFacts
	lastSeen time.Time // when the node last answered
	released bool      // maintenance left over from the last life of the pod is over
	draining bool

	made    sync.Once
	wanted  chan struct{} // closed when the node shall be drained
	drained chan struct{} // closed when it has been, or the agent has ended
}

// channels makes the channels; an Agent needs no constructor.
func (a *Agent) channels() {
	a.made.Do(func() { a.wanted, a.drained = make(chan struct{}), make(chan struct{}) })
}

// retryAfter is how long a failed attempt to form or join rests, so that wrong credentials do not lock the account.
const retryAfter = 15 * time.Second

// Run looks at the node every second and acts, until ctx ends. It also does the draining, whoever asks for it.
func (a *Agent) Run(ctx context.Context) error {
	a.channels()
	var drain sync.WaitGroup
	defer drain.Wait()
	drain.Go(func() {
		defer close(a.drained)
		select {
		case <-ctx.Done():
		case <-a.wanted:
			a.drain(ctx)
		}
	})
	ticker := time.NewTicker(a.every())
	defer ticker.Stop()
	var published board.Report
	var attempted time.Time
	for {
		facts, report := a.look(ctx)
		if facts.State == Completed && !a.released {
			a.release(ctx, facts.UID)
		}
		if notes := a.Board.Read(); notes != nil && (report != published || !stands(notes, a.Pod)) {
			if err := a.Board.Publish(ctx, report); err != nil {
				a.Log.Warn("bulletin board not written", "error", err)
			} else {
				published = report
			}
		}
		attempted = a.act(ctx, facts, attempted)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// stands tells whether the pod has an entry on the board: one that is made anew after somebody removed it has none.
func stands(notes board.Data, pod string) bool {
	_, ok := notes.Report(pod)
	return ok
}

func (a *Agent) every() time.Duration {
	if a.Every == 0 {
		return time.Second
	}
	return a.Every
}

// pause rests between two looks, and tells whether there is reason to go on.
func (a *Agent) pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(a.every()):
		return true
	}
}

// look reads the node and makes the entry for the board from it.
func (a *Agent) look(ctx context.Context) (NodeFacts, board.Report) {
	facts, err := a.Node.Facts(ctx)
	report := board.Report{Address: a.Address}
	a.mu.Lock()
	if err == nil {
		a.lastSeen = time.Now()
	} else {
		facts = NodeFacts{}
	}
	if facts.UID == "" && (err != nil || facts.State == Completed) {
		facts.UID = a.facts.UID // a member that does not tell, because the credentials are being refused, is still who it was
	}
	a.facts = facts
	a.mu.Unlock()
	if err != nil {
		a.Log.Debug("node does not answer", "error", err)
	}
	report.State, report.UID = string(facts.State), facts.UID
	if report.UID == "" {
		report.UID = a.previousUID()
	}
	if facts.State == Error {
		report.Error, report.ErrorMessage = facts.ErrorCode, facts.ErrorMessage
	}
	if facts.State == Completed {
		pem, err := a.Node.Certificate(ctx)
		if err != nil {
			a.Log.Warn("certificate not read", "error", err)
		}
		report.Certificate = pem
	}
	return facts, report
}

// previousUID is the node's uid as an earlier life of this pod wrote it on the board.
func (a *Agent) previousUID() string {
	r, _ := a.Board.Read().Report(a.Pod)
	return r.UID
}

// act forms or joins when that is called for, and returns when it last tried.
func (a *Agent) act(ctx context.Context, facts NodeFacts, attempted time.Time) time.Time {
	decision := Decide(a.Ordinal, a.Address, a.previousUID(), a.Board.Read(), facts)
	if decision.Act != Create && decision.Act != Join {
		return attempted
	}
	if facts.State == Error && time.Since(attempted) < retryAfter {
		return attempted
	}
	a.Log.Info("bootstrap", "action", decision.Act, "why", decision.Why, "through", decision.Members, "replace", decision.UID)
	var err error
	if decision.Act == Create {
		err = a.Node.CreateCluster(ctx, a.Cluster)
	} else {
		err = a.Node.JoinCluster(ctx, decision.Members, decision.UID)
	}
	if err != nil {
		a.Log.Warn("bootstrap call failed; its effect shows in the node's status", "action", decision.Act, "error", err)
	}
	return time.Now()
}

// release ends the maintenance that the drain of the pod's last life began.
func (a *Agent) release(ctx context.Context, uid string) {
	if a.isDraining() {
		return
	}
	duty, err := a.Node.Duty(ctx, uid)
	if err != nil {
		a.Log.Debug("node's duty not known yet", "error", err)
		return
	}
	if !duty.Maintenance && !duty.Busy {
		a.released = true
		return
	}
	if !duty.Busy {
		a.Log.Info("ending maintenance left from before the restart")
		if err := a.Node.MaintenanceOff(ctx, uid); err != nil {
			a.Log.Warn("maintenance not ended yet", "error", err)
		}
	}
}

func (a *Agent) isDraining() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.draining
}

func (a *Agent) snapshot() (NodeFacts, time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.facts, a.lastSeen
}
