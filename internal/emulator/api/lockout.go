package api

import (
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// lockoutPolicy is how many failures in what time lock a user for how long.
type lockoutPolicy struct {
	threshold         int64 // 0 never locks
	resetAfter, lasts time.Duration
}

func (s *Server) lockoutPolicy(c *call) lockoutPolicy {
	policy, err := s.Engine.Peek(c.ctx(), KindPolicy, Singleton)
	if err != nil || policy == nil {
		return lockoutPolicy{threshold: 5, resetAfter: 15 * time.Minute, lasts: 30 * time.Minute}
	}
	return lockoutPolicy{
		threshold:  schema.IntOf(policy, "login_lockout_threshold"),
		resetAfter: time.Duration(schema.IntOf(policy, "login_lockout_counter_reset_after")) * time.Second,
		lasts:      time.Duration(schema.IntOf(policy, "login_lockout_duration")) * time.Second,
	}
}

// lockouts count failed sign-ins at one node. The product counts per cluster; the difference shows only to a client
// that spreads wrong passwords over the nodes.
type lockouts struct {
	mu    sync.Mutex
	users map[string]*failures
}

type failures struct {
	count  int64
	first  time.Time
	locked time.Time // zero while not locked
}

func (l *lockouts) locked(user string, p lockoutPolicy, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.users[user]
	if f == nil || f.locked.IsZero() || p.threshold <= 0 {
		return false
	}
	if p.lasts > 0 && now.Sub(f.locked) >= p.lasts {
		delete(l.users, user)
		return false
	}
	return true // a duration of 0 lasts until an administrator sets a new password
}

func (l *lockouts) failed(user string, p lockoutPolicy, now time.Time) {
	if p.threshold <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == nil {
		l.users = map[string]*failures{}
	}
	f := l.users[user]
	if f == nil || (p.resetAfter > 0 && now.Sub(f.first) > p.resetAfter) {
		f = &failures{first: now}
		l.users[user] = f
	}
	f.count++
	if f.count >= p.threshold {
		f.locked = now
	}
}

func (l *lockouts) clear(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.users, user)
}
