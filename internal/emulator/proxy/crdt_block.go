package proxy

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// blockLook is how often a command that waits is tried again.
const blockLook = 10 * time.Millisecond

// blockNoted answers a command that may wait and that changes something, in an Active-Active database. A transaction cannot
// wait, so the command is tried again and again; those who wait are not served in the order they came.
func (s *session) blockNoted(c command) error {
	limit, ok := blockTime(c)
	started := time.Now()
	s.unblockAsked.Store(false)
	for {
		replies, superseded, err := s.try([]request{{command: c}}, time.Now().Add(s.e.options.Patience))
		var retry later
		switch {
		case err != nil && (!errors.As(err, &retry) || time.Since(started) > limit+s.e.options.Patience):
			return fmt.Errorf("giving up: %w", err)
		case err == nil && (!ok || !isNull(replies[0]) || time.Since(started) >= limit):
			s.emit(replies[0])
			return nil
		}
		if err := waitFor(superseded, time.Now().Add(blockLook), s.gone); errors.Is(err, errGone) {
			return err
		}
	}
}

func isNull(raw []byte) bool {
	switch string(raw) {
	case "*-1\r\n", "$-1\r\n", "_\r\n":
		return true
	}
	return false
}

// forever is how long a command without a limit waits.
const forever = time.Duration(1<<63 - 1)

// blockTime is how long a command wants to wait; false when it does not say so properly, which the shard will tell.
func blockTime(c command) (time.Duration, bool) {
	at, unit := len(c.args)-1, time.Second
	switch c.name {
	case "blmpop", "bzmpop":
		at = 1
	case "xread", "xreadgroup":
		at, unit = indexFold(c.args, "BLOCK")+1, time.Millisecond
	}
	if at <= 0 || at >= len(c.args) {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(c.args[at]), 64)
	if err != nil || n < 0 {
		return 0, false
	}
	if n == 0 || n*float64(unit) > float64(forever)/4 {
		return forever / 4, true
	}
	return time.Duration(n * float64(unit)), true
}
