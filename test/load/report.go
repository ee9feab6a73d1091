package load

import (
	"math"
	"slices"
	"time"
)

// Report is what came out of a run.
type Report struct {
	Attempted    int64 `json:"attempted"`
	Acknowledged int64 `json:"acknowledged"`
	Failed       int64 `json:"failed"`
	Keys         int   `json:"keys"`
	// Lost counts keys whose last acknowledged value is missing or older at the end; it is only meaningful when Verified.
	Lost     int    `json:"lost"`
	LostKeys []Loss `json:"lostKeys,omitempty"`
	Verified bool   `json:"verified"`
	// An outage is the time from the first attempt at a write until it got through, when it failed at least once or took
	// over a second. Outages of several workers at the same time count once.
	Outages                   int     `json:"outages"`
	LongestUnavailableSeconds float64 `json:"longestUnavailableSeconds"`
	TotalUnavailableSeconds   float64 `json:"totalUnavailableSeconds"`
	LatencyP50Milliseconds    float64 `json:"latencyP50Milliseconds"`
	LatencyP99Milliseconds    float64 `json:"latencyP99Milliseconds"`
	Seconds                   float64 `json:"seconds"`
	LastError                 string  `json:"lastError,omitempty"`
}

// maxListed bounds the keys that a report lists.
const maxListed = 20

// WithLosses adds the result of Verify.
func (r Report) WithLosses(lost []Loss) Report {
	r.Verified, r.Lost, r.LostKeys = true, len(lost), lost[:min(len(lost), maxListed)]
	return r
}

// Report sums up what has happened so far; a write that is still failing counts as unavailable until now.
func (w *Writer) Report() Report {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	outages := slices.Clone(w.outages)
	for _, since := range w.open {
		outages = append(outages, outage{since, now})
	}
	merged := merge(outages)
	r := Report{
		Attempted: w.attempted, Acknowledged: w.acked, Failed: w.failed, Keys: len(w.history.Acknowledged),
		Outages: len(merged), LastError: w.lastError, Seconds: seconds(now.Sub(w.started)),
		LatencyP50Milliseconds: milliseconds(w.latency.quantile(0.50)),
		LatencyP99Milliseconds: milliseconds(w.latency.quantile(0.99)),
	}
	var total, longest time.Duration
	for _, o := range merged {
		d := o.to.Sub(o.from)
		total += d
		longest = max(longest, d)
	}
	r.TotalUnavailableSeconds, r.LongestUnavailableSeconds = seconds(total), seconds(longest)
	return r
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

func milliseconds(d time.Duration) float64 { return math.Round(float64(d.Microseconds())) / 1000 }

// outage is a time in which a write did not get through.
type outage struct{ from, to time.Time }

// merge joins outages that overlap.
func merge(outages []outage) []outage {
	slices.SortFunc(outages, func(a, b outage) int { return a.from.Compare(b.from) })
	var merged []outage
	for _, o := range outages {
		if n := len(merged); n > 0 && !o.from.After(merged[n-1].to) {
			if o.to.After(merged[n-1].to) {
				merged[n-1].to = o.to
			}
			continue
		}
		merged = append(merged, o)
	}
	return merged
}

// histogram counts durations in buckets that grow by five percent each, from one microsecond on.
type histogram struct {
	counts [500]int64
	total  int64
}

const growth = 1.05

func (h *histogram) add(d time.Duration) {
	i := 0
	if us := float64(d.Microseconds()); us > 1 {
		i = min(len(h.counts)-1, int(math.Log(us)/math.Log(growth)))
	}
	h.counts[i]++
	h.total++
}

// quantile is the upper bound of the bucket that holds the quantile.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := int64(math.Ceil(q * float64(h.total)))
	var seen int64
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return time.Duration(math.Pow(growth, float64(i+1)) * float64(time.Microsecond))
		}
	}
	return 0
}
