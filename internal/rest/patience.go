package rest

import (
	"sync"
	"time"
)

// Patience keeps refused credentials from being shown again and again: with the product's defaults five failures
// within 15 minutes lock the account, for people as well. The first refusal may come from a node that is just forming
// or leaving its cluster, so it is doubted once. The zero value is ready.
type Patience struct {
	mu       sync.Mutex
	refused  Credentials
	refusals int
	until    time.Time
}

const (
	doubtPause   = 2 * time.Second
	lockoutPause = 6 * time.Minute
)

// Resting tells whether these credentials have been refused and should not be shown yet. Other credentials may.
func (p *Patience) Resting(c Credentials, now time.Time) (until time.Time, resting bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until, p.refused == c && now.Before(p.until)
}

// Note takes in how a call with the credentials ended.
func (p *Patience) Note(c Credentials, err error, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case IsUnauthorized(err):
		if p.refused != c {
			p.refused, p.refusals = c, 0
		}
		p.refusals++
		pause := doubtPause
		if p.refusals > 1 {
			pause = lockoutPause
		}
		p.until = now.Add(pause)
	case err == nil:
		p.refusals, p.until = 0, time.Time{}
	}
}
