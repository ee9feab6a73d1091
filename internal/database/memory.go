package database

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// creations remembers when a creation was sent whose end is not known. The answer to a create may be lost while the
// cluster is still at work on it: for a moment it is neither listed nor safe to send again, and a second database of
// the same name would be worse than a late one. Memory is enough: a new process takes longer to start than that.
type creations struct {
	mu   sync.Mutex
	sent map[types.NamespacedName]time.Time
}

func (c *creations) begin(key types.NamespacedName, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent == nil {
		c.sent = map[types.NamespacedName]time.Time{}
	}
	c.sent[key] = now
}

func (c *creations) end(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sent, key)
}

// recent tells whether a creation began less than grace ago and has not ended.
func (c *creations) recent(key types.NamespacedName, now time.Time, grace time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, open := c.sent[key]
	if open && now.Sub(at) >= grace {
		delete(c.sent, key)
		return false
	}
	return open
}

// sent remembers fingerprints of the secrets that went to the cluster, for clusters that hide secrets in their answers.
// A new process sends them once more, which changes nothing.
type sent struct {
	mu     sync.Mutex
	prints map[types.NamespacedName]map[string]string
}

func (s *sent) note(key types.NamespacedName, prints map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prints == nil {
		s.prints = map[types.NamespacedName]map[string]string{}
	}
	s.prints[key] = prints
}

func (s *sent) of(key types.NamespacedName) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.prints[key]
}

func (s *sent) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.prints, key)
}
