package store

import (
	"errors"
	"syscall"
)

// KillProcess kills the redis-server of this copy.
func (s *Store) KillProcess() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ccs == nil {
		return errors.New("no process")
	}
	return syscall.Kill(s.ccs.proc.PID(), syscall.SIGKILL)
}
