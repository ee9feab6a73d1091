package crash

import (
	"fmt"
	"strings"
	"time"
)

// tally is what came of one flow.
type tally struct {
	flow                       string
	calls, points, divergences int
	faults                     map[Fault]int
	sides                      map[string]int
	began                      time.Time
	clean                      time.Duration
}

func (r *tally) note(call string, fault Fault, err error) {
	if fault != None {
		r.points++
		r.faults[fault]++
		side, _, _ := strings.Cut(call, " ")
		r.sides[side]++
	}
	if err != nil {
		r.divergences++
	}
}

// String is one line.
func (r *tally) String() string {
	return fmt.Sprintf("%-16s %3d points, %d divergences, %s (one run undisturbed: %s)", r.flow, r.points, r.divergences,
		time.Since(r.began).Round(time.Second), r.clean.Round(100*time.Millisecond))
}

// columns are the kinds of fault with a short name each.
var columns = []struct {
	fault Fault
	title string
}{{Kill, "killed before"}, {KillAfter, "killed after"}, {Fail, "error"}, {Timeout, "timeout"}, {Lost, "reply lost"}, {Stale, "stale read"}}

// absent are the kinds of fault that no flow has met.
func absent(results []*tally) []Fault {
	var out []Fault
	for _, c := range columns {
		met := 0
		for _, r := range results {
			met += r.faults[c.fault]
		}
		if met == 0 {
			out = append(out, c.fault)
		}
	}
	return out
}

// table prints all flows and returns the sums.
func table(results []*tally) (points, divergences int) {
	fmt.Printf("%-16s %6s %6s", "flow", "calls", "points")
	for _, c := range columns {
		fmt.Printf(" %13s", c.title)
	}
	fmt.Printf(" | %10s %6s %6s | %11s\n", "kubernetes", "cache", "redis", "divergences")
	for _, r := range results {
		fmt.Printf("%-16s %6d %6d", r.flow, r.calls, r.points)
		for _, c := range columns {
			fmt.Printf(" %13d", r.faults[c.fault])
		}
		fmt.Printf(" | %10d %6d %6d | %11d\n", r.sides["kubernetes"], r.sides["cache"], r.sides["redis"], r.divergences)
		points, divergences = points+r.points, divergences+r.divergences
	}
	return points, divergences
}
