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

// lockoutPause is how long credentials that were refused are not tried again: with the product's defaults five
// failures within 15 minutes lock the account, for people as well.
const lockoutPause = 6 * time.Minute

// guard keeps refused credentials from being tried again and again. While it is shut, calls are answered here with
// the 401 they would have got.
type guard struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	until time.Time
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
	g.until = time.Time{}
}

func (g *guard) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = g.clock.Now().Add(lockoutPause)
}

func (g *guard) middleware(next http.RoundTripper) http.RoundTripper {
	return rest.RoundTripperFunc(func(req *http.Request) (*http.Response, error) {
		_, _, signed := req.BasicAuth()
		if !signed {
			return next.RoundTrip(req)
		}
		if until, shut := g.shut(); shut {
			return refused(req, until), closeBody(req)
		}
		resp, err := next.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusUnauthorized {
			g.close()
		}
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
