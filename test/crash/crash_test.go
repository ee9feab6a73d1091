package crash

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/test/standin"
)

var (
	full   = flag.Bool("full", false, "spoil every call; without it only a few of each flow")
	only   = flag.String("flow", "", "run only the flow with this name")
	from   = flag.Int("from", 1, "first call to spoil")
	sample = flag.Int("sample", 3, "calls to spoil per flow without -full")
)

// shortFlows are the flows of the short selection: those that need no cluster of their own for each run.
var shortFlows = map[string]bool{"create database": true, "update database": true, "delete database": true}

func TestCrashAtEveryCall(t *testing.T) {
	ctx := t.Context()
	world, err := standin.Start(ctx, standin.Options{Root: filepath.Join("..", ".."), Tune: func(_ *corev1.Pod, c *emulator.Config) {
		c.OperationDelay = 20 * time.Millisecond
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Stop(); err != nil {
			t.Error(err)
		}
	})
	var total, divergences int
	for _, flow := range Flows {
		if *only != "" && flow.Name != *only || *only == "" && !*full && !shortFlows[flow.Name] {
			continue
		}
		points, diverged := crashFlow(t, world, flow)
		total, divergences = total+points, divergences+diverged
	}
	fmt.Printf("crash: %d points injected, %d divergences\n", total, divergences)
	if total == 0 {
		t.Error("no point was injected: the harness proves nothing")
	}
}

// crashFlow runs one flow undisturbed, and then once per call.
func crashFlow(t *testing.T, world *standin.World, flow Flow) (points, divergences int) {
	ctx, started := t.Context(), time.Now()
	stage := newStage(t, world, flow, 0)
	clean := &Injector{}
	want, err := stage.Run(ctx, flow, clean)
	if err != nil {
		t.Errorf("%s, undisturbed: %v", flow.Name, err)
		return 0, 1
	}
	calls := clean.Count()
	for _, at := range selection(calls) {
		if flow.Fresh {
			dropStage(t, world, stage)
			stage = newStage(t, world, flow, at)
		}
		injector := &Injector{At: at}
		got, err := stage.Run(ctx, flow, injector)
		if err == nil && injector.Hit() == "" {
			break // this run needed fewer calls
		}
		points++
		if err == nil && len(want.Diff(got)) > 0 {
			err = fmt.Errorf("the end is another:\n%s", want.Diff(got))
		}
		if err != nil {
			divergences++
			t.Errorf("%s, %s: %v", flow.Name, injector.Hit(), err)
			dropStage(t, world, stage)
			stage = newStage(t, world, flow, at+1_000_000)
		}
		if *full && points%10 == 0 {
			fmt.Printf("crash: %-16s %3d of %d calls, %d divergences, %s\n", flow.Name, at, calls, divergences, time.Since(started).Round(time.Second))
		}
	}
	dropStage(t, world, stage)
	fmt.Printf("crash: %-16s %3d points, %d divergences, %s\n", flow.Name, points, divergences, time.Since(started).Round(time.Second))
	return points, divergences
}

// selection are the numbers of the calls to spoil: all of them, or a few spread over the flow.
func selection(calls int) []int {
	var out []int
	step := 1
	if !*full {
		step = max(1, calls / *sample)
	}
	for at := *from; at <= calls; at += step {
		out = append(out, at)
	}
	return out
}

func newStage(t *testing.T, world *standin.World, flow Flow, n int) *Stage {
	t.Helper()
	namespace := fmt.Sprintf("crash-%s-%d", strings.ReplaceAll(flow.Name, " ", "-"), n)
	if err := world.Namespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return &Stage{World: world, Namespace: namespace}
}

// dropStage deletes the namespace with everything in it.
func dropStage(t *testing.T, world *standin.World, s *Stage) {
	t.Helper()
	if err := s.Heal(t.Context()); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := world.DeleteNamespace(ctx, s.Namespace); err != nil {
		t.Error(err)
	}
	if err := s.Leave(); err != nil {
		t.Error(err)
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
