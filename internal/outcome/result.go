package outcome

import (
	"math/rand/v2"
	"regexp"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// Drift is when a resource that is done, or rejected, is looked at again without any other reason.
	Drift = 5 * time.Minute
	// DefaultWait is the delay of a Waiting that names none.
	DefaultWait = 5 * time.Second
	// jitter stretches delays by up to this fraction, so that many resources do not move in step.
	jitter = 0.1
)

// Result is what the loop returns to its queue: failures back off, waits have their own delay, everything else is
// looked at again at the drift interval.
func Result(err error) (reconcile.Result, error) {
	v := Of(err)
	switch {
	case v.retry:
		return reconcile.Result{}, err
	case v.after > 0:
		return reconcile.Result{RequeueAfter: stretched(v.after)}, nil
	default:
		return reconcile.Result{RequeueAfter: stretched(Drift)}, nil
	}
}

func stretched(d time.Duration) time.Duration {
	return d + time.Duration(rand.Float64()*jitter*float64(d)) //nolint:gosec // spreading load needs no secrecy
}

// localPort matches the local end of a connection in a network error. It differs at each attempt, and a status that
// told it would be written at each attempt.
var localPort = regexp.MustCompile(`(\S+:\d+|\[\S+\]:\d+)->`)

const maxMessage = 1024

// Steady makes the text of a failure the same each time, so that it may stand in a status.
func Steady(message string) string { return steady(message) }

// steady makes the message of repeated failures the same each time.
func steady(message string) string {
	message = localPort.ReplaceAllString(message, "")
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return message
}
