//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-redis-enterprise/operator/test/load"
)

// writing is who writes to the sites: to each a client with keys of its own, and one that writes the same keys as its fellows.
type writing struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	own    []*writer
	shared []*writer
}

type writer struct {
	at     *site
	writer *load.Writer
}

func (a *three) write(t *testing.T, sites ...*site) *writing {
	t.Helper()
	w := &writing{}
	w.ctx, w.cancel = context.WithCancel(t.Context())
	t.Cleanup(func() { w.end(t) })
	for _, each := range sites {
		w.add(t, each)
	}
	w.goOn(t)
	return w
}

func (w *writing) add(t *testing.T, at *site) {
	t.Helper()
	run := func(prefix string) *writer {
		one := &writer{at: at, writer: load.NewWriter(at.load(t, prefix))}
		w.work.Go(func() { _ = one.writer.Write(w.ctx) }) // it keeps no record that could fail
		return one
	}
	w.own = append(w.own, run(fmt.Sprintf("%s:%d", at.name, time.Now().UnixNano())))
	w.shared = append(w.shared, run("shared"))
}

// goOn waits until each client has got some more writes through.
func (w *writing) goOn(t *testing.T) {
	t.Helper()
	const more = 100
	before := map[*writer]int64{}
	all := slices.Concat(w.own, w.shared)
	for _, each := range all {
		before[each] = each.writer.Report().Acknowledged
	}
	must(t, all[0].at.Await(t.Context(), "writes", noticed, func() (bool, string, error) {
		for _, each := range all {
			if report := each.writer.Report(); report.Acknowledged < before[each]+more {
				return false, fmt.Sprintf("%s is waited for; its last error: %s", each.at.name, report.LastError), nil
			}
		}
		return true, "acknowledged on all sides", nil
	}))
}

// end stops the clients.
func (w *writing) end(t *testing.T) {
	t.Helper()
	if w.ctx.Err() == nil {
		for _, each := range w.own {
			report := each.writer.Report()
			t.Logf("%s acknowledged %d, longest interruption %.1f s", each.at.name, report.Acknowledged, report.LongestUnavailableSeconds)
		}
	}
	w.cancel()
	w.work.Wait()
}
