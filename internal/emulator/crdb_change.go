package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// transition is a change of a configuration that all participants make together or not at all.
type transition struct {
	old, next api.Object // old is nil for a new database
	added     map[int64]bool
	force     bool // without those that do not answer
}

func (e *engine) participants(o api.Object) []participant {
	own := e.snapshot().clusterName()
	var out []participant
	for _, inst := range crdb.Instances(o) {
		out = append(out, participant{
			n: e.n, guid: schema.TextOf(o, "guid"), inst: inst, self: crdb.ClusterName(inst) == own,
		})
	}
	return out
}

// everywhere does something at several clusters at once; one that fails in a way that passes is tried again for a while.
func (e *engine) everywhere(ctx context.Context, all []participant, patience time.Duration, do func(context.Context, participant) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { errs[i] = insist(ctx, func() error { return do(ctx, p) }) })
	}
	wg.Wait()
	var out failures
	for i, err := range errs {
		if err != nil {
			out = append(out, taskError(all[i].name(), err))
		}
	}
	if len(out) > 0 {
		return out
	}
	return nil
}

// insist repeats what fails in a way that may pass, until the context ends.
func insist(ctx context.Context, do func() error) error {
	var last error
	for {
		err := do()
		if err == nil || !passes(err) {
			return err
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return last
		}
	}
}

// patiently is insist with a limit of its own.
func patiently(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, undoPatience)
	defer cancel()
	return insist(ctx, do)
}

// establish asks, tells, waits, commits; what fails before the end is taken back.
func (e *engine) establish(ctx context.Context, t transition) error {
	all := e.participants(t.next)
	reached, err := e.checkAll(ctx, t, all)
	if err != nil {
		return err
	}
	// The first round makes new instances, and waits until they are there; the second tells everybody where they are.
	fresh := slices.DeleteFunc(slices.Clone(reached), func(p participant) bool { return !t.added[schema.IntOf(p.inst, "id")] })
	told := &participantSet{}
	t.next["_status"] = crdbPosted
	err = e.everywhere(ctx, fresh, taskPatience, func(ctx context.Context, p participant) error {
		_, err := p.ask(ctx, http.MethodPut, "", api.Object{"crdb": t.next})
		return err
	})
	if err == nil {
		err = e.everywhere(ctx, fresh, taskPatience, ready)
	}
	if err == nil {
		t.next["_status"] = crdbCommitted
		err = e.everywhere(ctx, reached, taskPatience, func(ctx context.Context, p participant) error {
			_, err := p.ask(ctx, http.MethodPut, "", api.Object{"crdb": t.next})
			if err == nil || passes(err) { // it may have taken it without saying so
				told.add(p)
			}
			return err
		})
	}
	if err == nil {
		err = e.everywhere(ctx, reached, taskPatience, ready)
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	e.takeBack(ctx, t, told.list(), fresh)
	return err
}

// participantSet collects participants from several goroutines, each once.
type participantSet struct {
	mu  sync.Mutex
	all []participant
}

func (s *participantSet) add(p participant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.all, func(q participant) bool { return q.name() == p.name() }) {
		s.all = append(s.all, p)
	}
}

func (s *participantSet) list() []participant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// checkAll asks whether all could, and notes what they show each other. It returns those that take part.
func (e *engine) checkAll(ctx context.Context, t transition, all []participant) ([]participant, error) {
	var mu sync.Mutex
	var out []participant
	shown := map[string]api.Object{} // by cluster; noted at the end, as requests carry all of the configuration
	err := e.everywhere(ctx, all, e.n.cfg.PeerPatience, func(ctx context.Context, p participant) error {
		answer, err := p.ask(ctx, http.MethodPost, "/check", api.Object{"crdb": t.next})
		if err != nil && passes(err) && t.force && !p.self {
			return nil
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out, shown[p.name()] = append(out, p), answer
		return nil
	})
	for _, p := range out {
		answer := shown[p.name()]
		p.inst["_proxy_cert"], p.inst["_syncer_cert"] = answer["proxy"], answer["syncer"]
	}
	slices.SortFunc(out, func(a, b participant) int { return int(schema.IntOf(a.inst, "id") - schema.IntOf(b.inst, "id")) })
	return out, err
}

var errNotReady = errors.New("the database of the instance did not get ready in time")

// ready waits for the database of an instance and notes where it is.
func ready(ctx context.Context, p participant) error {
	answer, err := p.ask(ctx, http.MethodGet, "", nil)
	switch {
	case err != nil:
		return err
	case answer["bdb_status"] == "creation-failed":
		return &api.Error{Status: http.StatusNotAcceptable, Code: "db_create_failed", Description: "The database could not be created"}
	case answer["bdb_status"] != "active" || answer["available"] != true || schema.TextOf(answer, "address") == "":
		return errNotReady
	}
	p.inst["_address"] = answer["address"]
	return nil
}

// takeBack makes participants forget a change that not all could make.
func (e *engine) takeBack(ctx context.Context, t transition, told, fresh []participant) {
	err := e.everywhere(ctx, fresh, undoPatience, e.takeDown)
	if t.old != nil {
		back := schema.Clone(t.old)
		back["_version"], back["_status"] = schema.IntOf(t.next, "_version")+1, crdbCommitted
		back["_next"] = t.next["_next"] // numbers are not used twice
		old := slices.DeleteFunc(slices.Clone(told), func(p participant) bool { return t.added[schema.IntOf(p.inst, "id")] })
		err = errors.Join(err, e.everywhere(ctx, old, undoPatience, func(ctx context.Context, p participant) error {
			_, err := p.ask(ctx, http.MethodPut, "", api.Object{"crdb": back})
			return err
		}))
	}
	if err != nil {
		e.log.Warn("a failed change is not taken back everywhere", "error", err.Error())
	}
}

var errStillThere = errors.New("the instance is still there")

// takeDown deletes the instance of a cluster and waits until it is gone.
func (e *engine) takeDown(ctx context.Context, p participant) error {
	return insist(ctx, func() error {
		_, err := p.ask(ctx, http.MethodGet, "", nil)
		if isGone(err) {
			return nil
		}
		if err == nil {
			_, err = p.ask(ctx, http.MethodDelete, "", nil)
		}
		if err == nil {
			err = errStillThere
		}
		return err
	})
}

func isGone(err error) bool {
	var refusal *api.Error
	return errors.As(err, &refusal) && refusal.Status == http.StatusNotFound
}

// modify is the work of PATCH and of updates.
func (e *engine) modify(ctx context.Context, t, next api.Object) error {
	ask, _ := t["_ask"].(map[string]any)
	old, _ := t["_old"].(map[string]any)
	added, removed := numbers(t["_added"]), numbers(t["_removed"])
	forceRemove := schema.BoolOf(ask, "force_remove")
	change := transition{old: old, next: next, added: added, force: schema.BoolOf(ask, "force_update")}
	if len(added)+len(removed) > 0 && !forceRemove && !change.force {
		if err := e.allInSync(ctx, old); err != nil {
			return err
		}
	}
	if err := e.establish(ctx, change); err != nil {
		return err
	}
	if forceRemove {
		return nil // the cluster keeps what it has until it purges it
	}
	leaving := slices.DeleteFunc(e.participants(old), func(p participant) bool { return !removed[schema.IntOf(p.inst, "id")] })
	return e.everywhere(ctx, leaving, taskPatience, e.takeDown)
}

func numbers(v any) map[int64]bool {
	out := map[int64]bool{}
	list, _ := v.([]any)
	for _, n := range list {
		if id, ok := schema.Int(n); ok {
			out[id] = true
		}
	}
	return out
}

// allInSync wants every participant to be there and to receive from all others.
func (e *engine) allInSync(ctx context.Context, o api.Object) error {
	return e.everywhere(ctx, e.participants(o), e.n.cfg.PeerPatience, func(ctx context.Context, p participant) error {
		answer, err := p.ask(ctx, http.MethodGet, "", nil)
		if err != nil {
			return err
		}
		if down, _ := answer["down"].([]any); len(down) > 0 {
			return fmt.Errorf("the instance is not in sync with %s", strings.Trim(fmt.Sprint(down), "[]"))
		}
		return nil
	})
}

// deleteEverywhere deletes nothing while a participant does not answer. This cluster goes last, so that the database can
// be found until the others are done.
func (e *engine) deleteEverywhere(ctx context.Context, o api.Object) error {
	all := e.participants(o)
	err := e.everywhere(ctx, all, e.n.cfg.PeerPatience, func(ctx context.Context, p participant) error {
		if _, err := p.ask(ctx, http.MethodGet, "", nil); !isGone(err) {
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(all), func(p participant) bool { return p.self })
	if err := e.everywhere(ctx, others, taskPatience, e.takeDown); err != nil {
		return err
	}
	own := slices.DeleteFunc(all, func(p participant) bool { return !p.self })
	return e.everywhere(ctx, own, taskPatience, e.takeDown)
}

// flushEverywhere drops what was written up to one moment, at all participants.
func (e *engine) flushEverywhere(ctx context.Context, t, o api.Object) error {
	floor := schema.IntOf(t, "_floor")
	if floor == 0 {
		floor = e.n.cfg.Now().UnixMicro()
		if err := e.noteTask(ctx, schema.TextOf(t, "id"), func(o api.Object) { o["_floor"] = floor }); err != nil {
			return err
		}
	}
	all := e.participants(o)
	err := e.everywhere(ctx, all, e.n.cfg.PeerPatience, func(ctx context.Context, p participant) error {
		_, err := p.ask(ctx, http.MethodGet, "", nil)
		return err
	})
	if err != nil {
		return err
	}
	err = e.everywhere(ctx, all, taskPatience, func(ctx context.Context, p participant) error {
		_, err := p.ask(ctx, http.MethodPost, "/flush", api.Object{"floor": floor})
		return err
	})
	if err != nil {
		return err
	}
	return e.everywhere(ctx, all, taskPatience, ready)
}

// upgradeEverywhere raises the database version of all instances.
func (e *engine) upgradeEverywhere(ctx context.Context, t, o api.Object) error {
	ask, _ := t["_ask"].(map[string]any)
	err := e.everywhere(ctx, e.participants(o), taskPatience, func(ctx context.Context, p participant) error {
		_, err := p.ask(ctx, http.MethodPost, "/upgrade", ask)
		return err
	})
	if err != nil {
		return err
	}
	return e.everywhere(ctx, e.participants(o), taskPatience, ready)
}
