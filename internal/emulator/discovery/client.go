package discovery

import (
	"crypto/sha1" //nolint:gosec // a name that looks like a run id, nothing to protect
	"encoding/hex"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// writeTimeout is how long a client may take to read before it is dropped.
const writeTimeout = 5 * time.Second

// client is one connection.
type client struct {
	server  *Server
	conn    net.Conn
	in      *resp.Reader
	mu      sync.Mutex // guards topics and whole messages
	topics  map[string]bool
	version int
}

// answers are the commands there are.
var answers = map[string]func(*client, []string) []byte{
	"ping":         func(*client, []string) []byte { return resp.AppendSimple(nil, "PONG") },
	"client":       func(*client, []string) []byte { return resp.AppendSimple(nil, "OK") },
	"role":         (*client).role,
	"info":         (*client).info,
	"hello":        (*client).hello,
	"sentinel":     (*client).sentinel,
	"subscribe":    (*client).subscribe,
	"psubscribe":   (*client).subscribe,
	"unsubscribe":  (*client).unsubscribe,
	"punsubscribe": (*client).unsubscribe,
}

func (c *client) serve() {
	defer func() {
		_ = c.conn.Close()
		c.server.mu.Lock()
		delete(c.server.clients, c)
		c.server.mu.Unlock()
	}()
	for {
		raw, err := c.in.ReadCommand()
		if err != nil {
			return
		}
		if len(raw) == 0 {
			continue
		}
		var args []string
		for _, a := range raw {
			args = append(args, string(a))
		}
		name := strings.ToLower(args[0])
		answer := answers[name]
		var reply []byte
		switch {
		case name == "quit":
			c.write(resp.AppendSimple(nil, "OK"))
			return
		case answer == nil:
			reply = resp.AppendError(nil, "ERR unknown command '"+args[0]+"'")
		default:
			reply = answer(c, args)
		}
		if !c.write(reply) {
			return
		}
	}
}

func (c *client) write(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.conn.Write(b)
	return err == nil
}

// tell passes an event on when the client has asked for it.
func (c *client) tell(topic, text string) {
	c.mu.Lock()
	var out []byte
	for _, t := range sorted(c.topics) {
		switch {
		case t == topic:
			out = resp.AppendBulks(resp.AppendHead(out, c.pushKind(), 3), "message", topic, text)
		case strings.HasSuffix(t, "*") && strings.HasPrefix(topic, strings.TrimSuffix(t, "*")):
			out = resp.AppendBulks(resp.AppendHead(out, c.pushKind(), 4), "pmessage", t, topic, text)
		}
	}
	c.mu.Unlock()
	if len(out) > 0 && !c.write(out) {
		_ = c.conn.Close()
	}
}

func sorted(set map[string]bool) []string {
	var list []string
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

func (c *client) pushKind() byte {
	if c.version >= 3 {
		return resp.Push
	}
	return resp.Array
}

// mapHead is the head of n pairs.
func (c *client) mapHead(dst []byte, n int) []byte {
	if c.version >= 3 {
		return resp.AppendHead(dst, resp.Map, n)
	}
	return resp.AppendArray(dst, 2*n)
}

func (c *client) hello(args []string) []byte {
	if len(args) > 1 {
		n, err := strconv.Atoi(args[1])
		if err != nil || n < 2 || n > 3 {
			return resp.AppendError(nil, "NOPROTO unsupported protocol version")
		}
		c.mu.Lock()
		c.version = n
		c.mu.Unlock()
	}
	out := resp.AppendBulks(c.mapHead(nil, 4), "server", "redis", "mode", "sentinel", "proto")
	out = resp.AppendInt(out, int64(c.version))
	return resp.AppendArray(resp.AppendBulk(out, "modules"), 0)
}

func (c *client) role([]string) []byte {
	var names []string
	for _, db := range c.server.source.Databases() {
		names = append(names, db.Name)
	}
	out := resp.AppendBulk(resp.AppendArray(nil, 2), "sentinel")
	return append(out, resp.AppendCommand(nil, names...)...)
}

func (c *client) info([]string) []byte {
	return resp.AppendBulk(nil, "# Server\r\nredis_mode:sentinel\r\n\r\n# Sentinel\r\nsentinel_masters:"+
		strconv.Itoa(len(c.server.source.Databases()))+"\r\n")
}

func (c *client) subscribe(args []string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(args) < 2 {
		return wrongArguments(args[0])
	}
	var out []byte
	for _, t := range args[1:] {
		c.topics[t] = true
		out = resp.AppendBulks(resp.AppendHead(out, c.pushKind(), 3), strings.ToLower(args[0]), t)
		out = resp.AppendInt(out, int64(len(c.topics)))
	}
	return out
}

func (c *client) unsubscribe(args []string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	topics := args[1:]
	if len(topics) == 0 {
		topics = sorted(c.topics)
	}
	var out []byte
	for _, t := range topics {
		delete(c.topics, t)
		out = resp.AppendBulks(resp.AppendHead(out, c.pushKind(), 3), strings.ToLower(args[0]), t)
		out = resp.AppendInt(out, int64(len(c.topics)))
	}
	if out == nil {
		out = resp.AppendNull(resp.AppendBulk(resp.AppendHead(nil, c.pushKind(), 3), strings.ToLower(args[0])), c.version)
		out = resp.AppendInt(out, 0)
	}
	return out
}

func wrongArguments(name string) []byte {
	return resp.AppendError(nil, "ERR wrong number of arguments for '"+strings.ToLower(name)+"' command")
}

// sentinel answers the questions of Sentinel's API that clients ask.
func (c *client) sentinel(args []string) []byte {
	if len(args) < 2 {
		return wrongArguments("sentinel")
	}
	form := strings.ToLower(args[1])
	switch form {
	case "masters":
		return c.masters()
	case "myid":
		return resp.AppendBulk(nil, runID(c.conn.LocalAddr().String()))
	case "get-master-addr-by-name", "master", "slaves", "replicas", "sentinels", "ckquorum":
		if len(args) != 3 {
			return wrongArguments("sentinel|" + form)
		}
		return c.about(form, args[2])
	}
	return resp.AppendError(nil, "ERR Unknown sentinel subcommand '"+args[1]+"'")
}

// about answers what concerns one database.
func (c *client) about(form, name string) []byte {
	at, ok := c.server.find(name)
	if form == "get-master-addr-by-name" {
		if !ok {
			return resp.AppendNullArray(nil, c.version)
		}
		return resp.AppendCommand(nil, at.Host, strconv.Itoa(at.Port))
	}
	if !ok {
		return resp.AppendError(nil, "ERR No such master with that name")
	}
	switch form {
	case "master":
		return c.describe(nil, name, at)
	case "sentinels":
		return c.peers()
	case "ckquorum":
		return resp.AppendSimple(nil, "OK "+strconv.Itoa(len(c.server.source.Peers())+1)+" usable Sentinels.")
	}
	return resp.AppendArray(nil, 0) // clients are not to know of replicas
}

func (c *client) masters() []byte {
	var body []byte
	n := 0
	for _, db := range c.server.source.Databases() {
		for _, name := range []string{db.Name, db.Name + internalSuffix} {
			if at, ok := c.server.find(name); ok {
				n++
				body = c.describe(body, name, at)
			}
		}
	}
	return append(resp.AppendArray(nil, n), body...)
}

func (c *client) describe(dst []byte, name string, at Address) []byte {
	peers := strconv.Itoa(len(c.server.source.Peers()))
	port := strconv.Itoa(at.Port)
	return resp.AppendBulks(c.mapHead(dst, 10), "name", name, "ip", at.Host, "port", port, "runid", runID(name),
		"flags", "master", "role-reported", "master", "num-slaves", "0", "num-other-sentinels", peers, "quorum", "1",
		"config-epoch", "0")
}

func (c *client) peers() []byte {
	peers := c.server.source.Peers()
	out := resp.AppendArray(nil, len(peers))
	for _, p := range peers {
		port := strconv.Itoa(p.Port)
		name := net.JoinHostPort(p.Host, port)
		out = resp.AppendBulks(c.mapHead(out, 5), "name", name, "ip", p.Host, "port", port, "runid", runID(name), "flags", "sentinel")
	}
	return out
}

// runID is a stable made-up run id.
func runID(name string) string {
	sum := sha1.Sum([]byte(name)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}
