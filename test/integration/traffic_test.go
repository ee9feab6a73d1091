package integration

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// The two sides that an operator talks to.
const (
	kubernetesSide = "kubernetes"
	redisSide      = "redis"
)

// traffic counts what the operator sends, and notes when what it was told could not leave it at rest.
type traffic struct {
	mu           sync.Mutex
	lines        map[string][]string
	disturbances []string
}

func (c *traffic) add(side, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lines == nil {
		c.lines = map[string][]string{}
	}
	c.lines[side] = append(c.lines[side], line)
}

func (c *traffic) disturbed(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disturbances = append(c.disturbances, what)
}

// reset forgets everything so far.
func (c *traffic) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines, c.disturbances = nil, nil
}

// writes are what was changed, or tried to, on the given sides since the last reset.
func (c *traffic) writes(sides ...string) []string {
	return c.filter(sides, func(line string) bool { return !strings.HasPrefix(line, http.MethodGet) })
}

func (c *traffic) reads(side string) []string {
	return c.filter([]string{side}, func(line string) bool { return strings.HasPrefix(line, http.MethodGet) })
}

// trouble is what the operator met since the last reset that it had to tell of: a cluster that did not answer, or that
// had lost something.
func (c *traffic) trouble() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.disturbances...)
}

func (c *traffic) filter(sides []string, keep func(string) bool) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, side := range sides {
		for _, line := range c.lines[side] {
			if keep(line) {
				out = append(out, line)
			}
		}
	}
	return out
}

type counted struct {
	traffic *traffic
	side    string
	next    http.RoundTripper
}

// RoundTrip counts and passes on. Leases are the one write that never stops.
func (c counted) RoundTrip(req *http.Request) (*http.Response, error) {
	if !strings.Contains(req.URL.Path, "/leases/") && req.URL.Query().Get("watch") == "" {
		c.traffic.add(c.side, req.Method+" "+req.URL.Path+" "+statusIn(req))
	}
	resp, err := c.next.RoundTrip(req)
	if c.side == redisSide {
		if what := troubleIn(resp, err); what != "" {
			c.traffic.disturbed(req.URL.Path + ": " + what)
		}
	}
	return resp, err
}

// statusIn is what a status patch says; nothing else is worth the room in a failure.
func statusIn(req *http.Request) string {
	if req.GetBody == nil || !strings.HasSuffix(req.URL.Path, "/status") {
		return ""
	}
	copied, err := req.GetBody()
	if err != nil {
		return err.Error()
	}
	text, err := io.ReadAll(copied)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// lossWords are in an answer of the admin API when a node or a shard of the cluster is lost.
var lossWords = regexp.MustCompile(`"(?:status|detailed_status)":"(?:down|inactive|loading|unknown)"`)

// troubleIn says what is wrong in an answer; nothing when all is well.
func troubleIn(resp *http.Response, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case resp.StatusCode >= http.StatusInternalServerError:
		return resp.Status
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(text))
	if err != nil {
		return err.Error()
	}
	return string(lossWords.Find(text))
}
