package proxy

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/open-redis-enterprise/operator/internal/emulator/crdb"
	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// CRDT makes the endpoint one of an instance of an Active-Active database: changes are noted for the peers, who may sign
// in as "admin" and ask for them.
type CRDT struct {
	GUID string
	// Instance is this one's number, Peers are those that may ask.
	Instance int64
	Peers    []int64
	// Password is what peers show.
	Password string
	// TLS, when not nil, is for connections of peers to an endpoint that is otherwise without TLS: the first byte of a
	// connection tells. Nothing but the user admin is served there, and that user nowhere else.
	TLS *tls.Config
}

// salt makes the logs of shards that this process begins different from all others.
var salt = sync.OnceValue(rand.Text)

func epoch(b Backend) string { return strconv.FormatUint(b.Epoch, 10) }

// noted makes a change and the note about it one transaction; without keys there is nothing to note.
func (k *compiled) noted(p part, keys [][]byte) part {
	if k.CRDT == nil || !p.write || len(keys) == 0 {
		return p
	}
	payload := resp.AppendCommand(nil, "MULTI")
	payload = k.appendBefore(payload)
	payload = append(payload, p.payload...)
	payload = k.appendAfter(payload, p.backend, keys)
	p.payload = resp.AppendCommand(payload, "EXEC")
	p.replies, p.extract = 5, onlyOne
	return p
}

func (k *compiled) appendBefore(dst []byte) []byte {
	return resp.AppendCommand(dst, crdb.Eval(crdb.Before, nil)...)
}

func (k *compiled) appendAfter(dst []byte, backend int, keys [][]byte) []byte {
	return resp.AppendCommand(dst, crdb.Eval(crdb.After, keys,
		strconv.FormatInt(k.CRDT.Instance, 10), epoch(k.Backends[backend]), salt())...)
}

// onlyOne finds the answer to the one command that a change was: of MULTI, Before, the command, After and EXEC.
func onlyOne(raws [][]byte) []byte {
	if raws[2][0] == resp.ErrorKind { // refused before it was tried
		return raws[2]
	}
	answers, ok := elements(raws[4])
	if !ok || len(answers) != 3 {
		return raws[4]
	}
	if failure := noteFailed(answers[0], answers[2]); failure != nil {
		return failure
	}
	return answers[1]
}

// inner takes the notes out of the answer to a transaction of a client.
func inner(raws [][]byte) []byte {
	last := raws[len(raws)-1]
	answers, ok := elements(last)
	if !ok || len(answers) < 2 {
		return last // refused, or a watched key had changed
	}
	if failure := noteFailed(answers[0], answers[len(answers)-1]); failure != nil {
		return failure
	}
	out := resp.AppendArray(nil, len(answers)-2)
	for _, a := range answers[1 : len(answers)-1] {
		out = append(out, a...)
	}
	return out
}

// noteFailed is the error of a change that was made and could not be noted; that never happens to a healthy shard.
func noteFailed(notes ...[]byte) []byte {
	for _, n := range notes {
		if n[0] == resp.ErrorKind {
			return n
		}
	}
	return nil
}

// elements are the members of an array, each as it came.
func elements(raw []byte) ([][]byte, bool) {
	if raw[0] != resp.Array || bytes.HasPrefix(raw, []byte("*-1")) {
		return nil, false
	}
	_, rest, ok := bytes.Cut(raw, []byte("\r\n"))
	var out [][]byte
	for ok && len(rest) > 0 {
		_, after, err := resp.Parse(rest)
		if err != nil {
			return nil, false
		}
		out = append(out, rest[:len(rest)-len(after)])
		rest = after
	}
	return out, ok
}

// destinations are, for commands that also read keys, the positions among the keys of those they write.
var destinations = map[string]int{
	"copy": 1, "sunionstore": 0, "sinterstore": 0, "sdiffstore": 0, "zunionstore": 0, "zinterstore": 0, "zdiffstore": 0,
	"bitop": 0, "pfmerge": 0, "geosearchstore": 0, "zrangestore": 0,
}

// written are the keys that a command may change.
func (c command) written() [][]byte {
	if !c.writes() {
		return nil
	}
	at := c.keys()
	if n, ok := destinations[c.name]; ok && n < len(at) {
		at = at[n : n+1]
	}
	if (c.name == "sort" || c.name == "georadius" || c.name == "georadiusbymember") && len(at) > 0 {
		at = at[1:] // without STORE they only read
	}
	var out [][]byte
	for _, i := range at {
		out = append(out, c.args[i])
	}
	return out
}

// notInCRDT are commands that would change an instance behind the back of its peers.
var notInCRDT = set("flushall", "flushdb", "swapdb", "move")

func (k *compiled) refusesInCRDT(c command) string {
	if k.CRDT == nil || !notInCRDT[c.name] {
		return ""
	}
	return fmt.Sprintf("ERR %s is not supported in Active-Active databases", c.name)
}

func (r *CRDT) knows(guid string, peer int64) bool {
	return r != nil && r.GUID == guid && slices.Contains(r.Peers, peer)
}
