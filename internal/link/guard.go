package link

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/open-redis-enterprise/operator/internal/rest"
)

const (
	// lockoutPause is how long credentials that were refused are not tried again: with the product's defaults five
	// failures within 15 minutes lock the account, for people as well.
	lockoutPause = 6 * time.Minute
	// doubtPause follows the first refusal. It may come from a node that has just left the cluster, so another node
	// is asked once more before the credentials count as refused.
	doubtPause = time.Second
	// enoughRefusals in a row mean that it is the credentials.
	enoughRefusals = 2
)

// guard keeps refused credentials from being tried again and again. While it is shut, calls are answered here with
// the 401 they would have got. After a refusal one call at a time goes out, until one is accepted.
type guard struct {
	clock    clock.PassiveClock
	mu       sync.Mutex
	refusals int
	until    time.Time
	probing  bool
}

// shut tells whether credentials are known to be refused, and until when.
func (g *guard) shut() (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.until, g.clock.Now().Before(g.until)
}

// open lets calls through again, because the credentials changed.
func (g *guard) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refusals, g.until, g.probing = 0, time.Time{}, false
}

// enter tells whether a call may go out, and if not, when the next may.
func (g *guard) enter() (until time.Time, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.clock.Now().Before(g.until) || g.probing {
		return g.until, false
	}
	g.probing = g.refusals > 0
	return time.Time{}, true
}

// leave takes in what a call learned. status is 0 without an answer.
func (g *guard) leave(status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.probing = false
	switch {
	case status == http.StatusUnauthorized:
		g.refusals++
		pause := doubtPause
		if g.refusals >= enoughRefusals {
			pause = lockoutPause
		}
		g.until = g.clock.Now().Add(pause)
	case status/100 == 2 || status/100 == 4:
		g.refusals = 0
	}
}

func (g *guard) middleware(next http.RoundTripper) http.RoundTripper {
	return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		if _, _, signed := req.BasicAuth(); !signed {
			return next.RoundTrip(req)
		}
		if until, ok := g.enter(); !ok {
			return refused(req, until), closeBody(req)
		}
		resp, err := next.RoundTrip(req)
		status := 0
		if err == nil {
			status = resp.StatusCode
		}
		g.leave(status)
		return resp, err
	})
}

func closeBody(req *http.Request) error {
	if req.Body == nil {
		return nil
	}
	return req.Body.Close()
}

func refused(req *http.Request, until time.Time) *http.Response {
	body := `{"error_code":"credentials_refused","description":"the credentials were refused; they are not tried again before ` +
		until.UTC().Format(time.RFC3339) + ` unless they change"}`
	return &http.Response{StatusCode: http.StatusUnauthorized, Request: req, Header: http.Header{}, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(strings.NewReader(body))}
}
