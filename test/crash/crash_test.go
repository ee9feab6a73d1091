package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/open-redis-enterprise/operator/apis/app/v1"
	appv1alpha1 "github.com/open-redis-enterprise/operator/apis/app/v1alpha1"
	"github.com/open-redis-enterprise/operator/internal/command"
	"github.com/open-redis-enterprise/operator/internal/emulator"
	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/test/standin"
)

var (
	full    = flag.Bool("full", false, "spoil every call; without it only a few of each flow")
	only    = flag.String("flow", "", "run only the flows with these names, between commas, one after the other as ever")
	from    = flag.Int("from", 1, "first call to spoil")
	to      = flag.Int("to", math.MaxInt, "last call to spoil")
	stride  = flag.Int("stride", 1, "with -full, spoil only every so many calls")
	sample  = flag.Int("sample", 2, "calls to spoil per flow without -full")
	workers = flag.Int("workers", 5, "runs at the same time, each on a cluster of its own")
	logTo   = flag.String("log", "", "file for what operators and pods log")
	calls   = flag.Bool("calls", false, "print the calls of the undisturbed run of each flow")
)

// shortFlows are the flows of the short selection: those that need no cluster of their own for each run.
var shortFlows = map[string]bool{"create database": true, "update database": true, "delete database": true}

// TestMain looks for leaks.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, standin.Leaks()...)
}

func TestCrashAtEveryCall(t *testing.T) {
	created, log := &counter{}, logs(t)
	world, err := standin.Start(t.Context(), standin.Options{
		Root:        filepath.Join("..", ".."),
		Log:         log,
		OperatorLog: logr.FromSlogHandler(log.Handler()),
		Tune: func(pod *corev1.Pod, c *emulator.Config) {
			c.OperationDelay = 20 * time.Millisecond
			c.OnRequest = created.see(pod.Namespace)
			c.Dial = abroad.dial
		},
		Manager: func(o *command.ManagerOptions) {
			o.AdmissionAddress = "0" // it has a loop of its own, no part of any flow
			o.Dial = abroad.dial
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	abroad.client = world.Client
	t.Cleanup(func() {
		if err := world.Stop(); err != nil {
			t.Error(err)
		}
	})
	h := &harness{t: t, world: world, created: created, stages: make([]*Stage, max(1, *workers))}
	if !*full {
		h.stages = h.stages[:1]
	}
	var results []*tally
	for _, flow := range Flows {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), flow.Name) || *only == "" && !*full && !shortFlows[flow.Name] {
			continue
		}
		results = append(results, h.crash(flow))
	}
	h.dropAll()
	points, divergences := table(results)
	fmt.Printf("crash: %d points injected, %d divergences\n", points, divergences)
	if points == 0 {
		t.Error("no point was injected: the harness proves nothing")
	}
	if never := absent(results); *full && len(never) > 0 {
		t.Errorf("faults that never happened: %v", never)
	}
}

// logs is where whoever looks into a divergence finds what happened.
func logs(t *testing.T) *slog.Logger {
	t.Helper()
	if *logTo == "" {
		return slog.New(slog.DiscardHandler)
	}
	file, err := os.Create(*logTo)
	if err != nil {
		t.Fatal(err)
	}
	return slog.New(slog.NewTextHandler(file, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// counter counts the databases that nodes have created, by namespace.
type counter struct{ made sync.Map }

func (c *counter) see(namespace string) func(api.Request) {
	return func(r api.Request) {
		if r.Method == "POST" && r.Path == "/v1/bdbs" && r.Status/100 == 2 && !strings.Contains(r.Query, "dry_run") {
			for {
				n := c.of(namespace)
				if n == 0 {
					if _, taken := c.made.LoadOrStore(namespace, 1); !taken {
						return
					}
				} else if c.made.CompareAndSwap(namespace, n, n+1) {
					return
				}
			}
		}
	}
}

func (c *counter) of(namespace string) int {
	n, _ := c.made.Load(namespace)
	made, _ := n.(int)
	return made
}

// harness runs flows on a pool of stages.
type harness struct {
	t       *testing.T
	world   *standin.World
	created *counter
	stages  []*Stage
	number  int
	mu      sync.Mutex
}

// crash runs one flow undisturbed, and then once per point.
func (h *harness) crash(flow Flow) *tally {
	result := &tally{flow: flow.Name, faults: map[Fault]int{}, sides: map[string]int{}, began: time.Now()}
	clean := &Injector{}
	want, err := h.run(flow, 0, clean, nil)
	if err != nil {
		h.t.Errorf("%s, undisturbed: %v", flow.Name, err)
		result.divergences++
		return result
	}
	result.calls, result.clean = len(clean.Calls()), time.Since(result.began)
	if *calls {
		for i, call := range clean.Calls() {
			fmt.Printf("crash: %-16s %3d %s\n", flow.Name, i+1, call)
		}
		fmt.Println(strings.Join(want, "\n"))
	}
	points := make(chan Point)
	var wg sync.WaitGroup
	for worker := range h.stages {
		wg.Go(func() {
			for point := range points {
				h.spoil(flow, worker, point, want, result)
			}
		})
	}
	for _, point := range selection(clean.Calls()) {
		points <- point
	}
	close(points)
	wg.Wait()
	fmt.Println("crash: " + result.String())
	return result
}

// spoil runs the flow with one fault and compares.
func (h *harness) spoil(flow Flow, worker int, point Point, want State, result *tally) {
	injector := &Injector{Point: point}
	began := time.Now()
	got, err := h.run(flow, worker, injector, want)
	call, fault := injector.Hit()
	if err == nil && len(want.Diff(got)) > 0 {
		err = fmt.Errorf("the end is another:\n%s", want.Diff(got))
	}
	if err == nil && call == "" {
		return // this run needed fewer calls
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	result.note(call, fault, err)
	if err != nil {
		h.t.Errorf("%s, call %d, %s: %s: %v", flow.Name, point.At, call, fault, err)
	}
	if *full {
		verdict := "same end"
		if err != nil {
			verdict = "DIVERGES"
		}
		fmt.Printf("crash: %-16s %3d/%d %-9s %4.0fs  %s: %s\n", flow.Name, point.At, result.calls, verdict, time.Since(began).Seconds(), call, fault)
	}
}

// run runs a flow once on the stage of a worker. A stage that is spent, or on which something went wrong, is dropped.
func (h *harness) run(flow Flow, worker int, injector *Injector, want State) (State, error) {
	stage := h.stages[worker]
	if stage == nil || flow.Fresh {
		var err error
		if stage, err = h.newStage(); err != nil {
			return nil, err
		}
	}
	got, err := stage.Run(h.t.Context(), flow, injector, want)
	if flow.Fresh {
		return got, errors.Join(err, h.drop(stage))
	}
	h.stages[worker] = stage
	if err != nil || want != nil && want.Diff(got) != "" {
		h.stages[worker] = nil
		err = errors.Join(err, h.drop(stage))
	}
	return got, err
}

func (h *harness) newStage() (*Stage, error) {
	h.mu.Lock()
	h.number++
	namespace := fmt.Sprintf("crash-%d", h.number)
	h.mu.Unlock()
	return &Stage{World: h.world, Namespace: namespace, Created: h.created.of, Stuck: func() { h.stuck(namespace) }}, h.world.Namespace(h.t.Context(), namespace)
}

// stuck writes beside the log what there is and what every goroutine does, when a flow comes to no end.
func (h *harness) stuck(namespace string) {
	if *logTo == "" {
		return
	}
	var text bytes.Buffer
	for _, list := range []client.ObjectList{&appv1.RedisEnterpriseClusterList{}, &appv1alpha1.RedisEnterpriseDatabaseList{}, &appv1alpha1.RedisEnterpriseRemoteClusterList{},
		&appv1alpha1.RedisEnterpriseActiveActiveDatabaseList{}, &appsv1.StatefulSetList{}, &corev1.PodList{}} {
		for _, each := range []string{namespace, namespace + "-" + there, namespace + "-" + elsewhere} {
			if err := h.world.Client.List(h.t.Context(), list, client.InNamespace(each)); err != nil {
				h.t.Error(err)
			}
			if err := json.NewEncoder(&text).Encode(list); err != nil {
				h.t.Error(err)
			}
		}
	}
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil {
		h.t.Error(err)
	}
	if err := os.WriteFile(*logTo+"."+namespace, text.Bytes(), 0o600); err != nil {
		h.t.Error(err)
	}
}

// drop ends the cluster of a stage. The empty namespace ends in its own time.
func (h *harness) drop(s *Stage) error {
	ctx, cancel := context.WithTimeout(h.t.Context(), 2*time.Minute)
	defer cancel()
	return errors.Join(s.End(ctx), s.Leave())
}

func (h *harness) dropAll() {
	var wg sync.WaitGroup
	for _, stage := range h.stages {
		if stage != nil {
			wg.Go(func() {
				if err := h.drop(stage); err != nil {
					h.t.Error(err)
				}
			})
		}
	}
	wg.Wait()
}

// selection are the points: every call with one fault, and every kind of write to the cluster with every fault that a
// write can meet. Without -full it is a few calls of each flow, and the two faults that could make something twice.
func selection(names []string) []Point {
	var out []Point
	step := max(1, *stride)
	if !*full {
		step = max(1, (len(names)+*sample-1) / *sample)
	}
	for at := *from; at <= min(*to, len(names)); at += step {
		out = append(out, Point{At: at})
	}
	faults, seen := writeFaults, map[string]bool{}
	if !*full {
		faults = []Fault{Lost, KillAfter}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "redis ") && !strings.HasPrefix(name, "redis GET") && !seen[name] {
			seen[name] = true
			for _, fault := range faults {
				out = append(out, Point{On: name, Fault: fault})
			}
		}
	}
	return out
}
