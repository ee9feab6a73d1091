package scenario

import (
	"fmt"
	"io"

	"github.com/open-redis-enterprise/operator/test/load"
)

// PrintReport says in words what a writer went through.
func PrintReport(out io.Writer, r load.Report) {
	_, _ = fmt.Fprintf(out, `
    writes acknowledged    %d  (in %.0f s, to %d keys)
    writes lost            %d
    seconds unavailable    %.1f  (longest %.1f, in %d interruptions; %d attempts failed and were repeated)
    latency                p50 %.1f ms, p99 %.1f ms
`, r.Acknowledged, r.Seconds, r.Keys, r.Lost, r.TotalUnavailableSeconds, r.LongestUnavailableSeconds, r.Outages, r.Failed,
		r.LatencyP50Milliseconds, r.LatencyP99Milliseconds)
	for _, loss := range r.LostKeys {
		_, _ = fmt.Fprintf(out, "    lost: %s should hold %d, found %q\n", loss.Key, loss.Acknowledged, loss.Found)
	}
}
