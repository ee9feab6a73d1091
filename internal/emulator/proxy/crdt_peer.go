package proxy

import (
	"context"
	"crypto/subtle"
	"errors"
	"strconv"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// peerUser is the user that peers sign in as.
const peerUser = "admin"

const (
	// pullWait is how long a peer's question waits for something to tell.
	pullWait = time.Second
	// pullLook is how often it looks meanwhile: changes may come through other endpoints.
	pullLook = 100 * time.Millisecond
)

// peerPermit lets a peer ask for changes and nothing else.
func peerPermit(name string, _ [][]byte) error {
	if name == "crdt.pull" || name == "ping" {
		return nil
	}
	return errors.New("NOPERM this user replicates and has no permissions to run the '" + name + "' command")
}

// verifyPeer checks whether a connection is that of a peer.
func (s *session) verifyPeer(k *compiled, password string) bool {
	return k.CRDT != nil && k.CRDT.Password != "" && (k.CRDT.TLS == nil || s.inside()) &&
		subtle.ConstantTimeCompare([]byte(k.CRDT.Password), []byte(password)) == 1
}

// pull answers a peer. Everybody else finds no such command.
func (s *session) pull(c command) error {
	if !s.peer || len(c.args) < 3 || len(c.args)%2 == 0 {
		s.fail(unknown(c))
		return nil
	}
	peer, _ := strconv.ParseInt(string(c.args[2]), 10, 64)
	takesPart := func() bool { return s.e.config.Load().CRDT.knows(string(c.args[1]), peer) }
	var seen []string
	for _, a := range c.args[3:] {
		seen = append(seen, string(a))
	}
	batches, err := s.news(seen, takesPart)
	switch {
	case !takesPart():
		s.fail("ERR not a participant of this database") // any more, perhaps
	case err != nil:
		s.fail("ERR " + err.Error())
	default:
		out := resp.AppendArray(nil, len(batches))
		for _, b := range batches {
			out = crdb.AppendBatch(out, b)
		}
		s.emit(out)
	}
	return nil
}

// news waits for a while for something that the peer has not seen.
func (s *session) news(seen []string, takesPart func() bool) ([]crdb.Batch, error) {
	ctx, cancel := context.WithTimeout(s.e.ctx, 4*pullWait)
	defer cancel()
	until := time.Now().Add(pullWait)
	for takesPart() {
		changed := s.e.changes.wait()
		batches, err := s.unseen(ctx, seen)
		if err != nil || time.Now().After(until) {
			return batches, err
		}
		for _, b := range batches {
			if len(b.Entries) > 0 {
				return batches, nil
			}
		}
		if err := waitFor(changed, time.Now().Add(pullLook), s.gone); errors.Is(err, errGone) {
			return nil, err
		}
	}
	return nil, nil
}
