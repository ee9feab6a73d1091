package proxy

import (
	"crypto/subtle"
	"strconv"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// fallbackVersion is what HELLO reports when the configuration names no version.
const fallbackVersion = "7.2.0"

// local are the commands that the proxy answers itself, or must do something about before it passes them on.
var local map[string]func(*session, command) error

func init() {
	local = map[string]func(*session, command) error{
		"ping": (*session).ping, "quit": (*session).quit, "select": (*session).selectDatabase,
		"auth": (*session).auth, "hello": (*session).hello, "client": (*session).client, "acl": (*session).acl,
		"config": (*session).configCommand, "cluster": (*session).cluster,
		"readonly": (*session).clusterOnly, "readwrite": (*session).clusterOnly,
		"multi": (*session).multi, "exec": (*session).exec, "discard": (*session).discard,
		"watch": (*session).watchKeys, "unwatch": (*session).unwatch,
		"subscribe": (*session).subscribe, "psubscribe": (*session).subscribe, "ssubscribe": (*session).subscribe,
		"crdt.pull": (*session).pull, "unsubscribe": (*session).unsubscribe, "punsubscribe": (*session).unsubscribe, "sunsubscribe": (*session).unsubscribe,
	}
}

// refused are forms of commands that Redis Enterprise does not offer although others of the same command exist.
var refused = map[string]map[string]bool{
	"client": set("GETREDIR", "NO-EVICT", "PAUSE", "UNPAUSE"),
	"config": set("RESETSTAT", "REWRITE"),
	"acl":    set("DELUSER", "GENPASS", "LOAD", "LOG", "SAVE", "SETUSER", "LIST", "GETUSER", "DRYRUN"),
	"memory": set("DOCTOR", "HELP", "MALLOC-STATS", "PURGE", "STATS"),
	"script": set("DEBUG"),
}

func set(words ...string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range words {
		m[w] = true
	}
	return m
}

func refusedForm(c command) bool { return refused[c.name][c.sub()] }

func (s *session) ok() { s.emit(resp.AppendSimple(nil, "OK")) }

func (s *session) ping(c command) error {
	switch {
	case len(c.args) > 2:
		s.fail("ERR wrong number of arguments for 'ping' command")
	case s.subscribed() && s.version < 3:
		var text []byte
		if len(c.args) == 2 {
			text = c.args[1]
		}
		s.emit(resp.AppendCommand(nil, []byte("pong"), text))
	case len(c.args) == 2:
		s.emit(resp.AppendBulk(nil, c.args[1]))
	default:
		s.emit(resp.AppendSimple(nil, "PONG"))
	}
	return nil
}

func (s *session) quit(command) error {
	s.ok()
	return errQuit
}

// selectDatabase accepts the only database there is. Redis Enterprise has no others.
func (s *session) selectDatabase(c command) error {
	n, ok := integer(c.args[1])
	switch {
	case !ok:
		s.fail("ERR value is not an integer or out of range")
	case n != 0:
		s.fail("ERR DB index is out of range")
	default:
		s.ok()
	}
	return nil
}

func (s *session) auth(c command) error {
	k := s.e.config.Load()
	switch {
	case len(c.args) > 3:
		s.fail("ERR syntax error")
	case len(c.args) == 2 && k.DefaultUser && len(k.Passwords) == 0:
		s.fail("ERR AUTH <password> called without any password configured for the default user. " +
			"Are you sure your configuration is correct?")
	case len(c.args) == 2:
		s.signIn(k, "default", string(c.args[1]), s.ok)
	default:
		s.signIn(k, string(c.args[1]), string(c.args[2]), s.ok)
	}
	return nil
}

// signIn checks a user and goes on with then; otherwise it answers.
func (s *session) signIn(k *compiled, user, password string, then func()) {
	peer := user == peerUser && s.verifyPeer(k, password)
	permit, ok := Permit(peerPermit), true
	if !peer {
		permit, ok = verify(k, user, password)
		ok = ok && !s.tunnelled()
	}
	if !ok {
		s.e.stats.authFailed.Add(1)
		s.fail("WRONGPASS invalid username-password pair or user is disabled.")
		return
	}
	s.e.stats.authOK.Add(1)
	s.permit, s.peer = permit, peer
	s.relabel(func(l *labels) { l.user = user })
	s.known.Store(true)
	then()
}

func verify(k *compiled, user, password string) (Permit, bool) {
	if user == "default" {
		if !k.DefaultUser {
			return nil, false
		}
		if len(k.Passwords) == 0 {
			return nil, true
		}
		match := 0
		for _, p := range k.Passwords {
			match |= subtle.ConstantTimeCompare([]byte(p), []byte(password))
		}
		return nil, match == 1
	}
	if k.Authenticate == nil {
		return nil, false
	}
	return k.Authenticate(user, password)
}

// greetingArguments are those of HELLO [version [AUTH user password] [SETNAME name]].
type greetingArguments struct {
	version              int
	user, password, name *string
}

// parseHello reads the arguments of HELLO; the text is the error, or empty.
func (s *session) parseHello(k *compiled, args [][]byte) (g greetingArguments, text string) {
	g.version = s.version
	if len(args) > 0 {
		n, ok := integer(args[0])
		if !ok {
			return g, "ERR Protocol version is not an integer or out of range"
		}
		if n < 2 || n > 3 || (n == 3 && !k.RESP3) {
			return g, "NOPROTO unsupported protocol version"
		}
		g.version, args = n, args[1:]
	}
	for len(args) > 0 {
		switch {
		case equalFold(args[0], "AUTH") && len(args) >= 3:
			user, password := string(args[1]), string(args[2])
			g.user, g.password, args = &user, &password, args[3:]
		case equalFold(args[0], "SETNAME") && len(args) >= 2:
			name := string(args[1])
			g.name, args = &name, args[2:]
		default:
			return g, "ERR Syntax error in HELLO option '" + string(args[0]) + "'"
		}
	}
	if g.name != nil && !printable(*g.name) {
		return g, "ERR Client names cannot contain spaces, newlines or special characters."
	}
	return g, ""
}

func integer(b []byte) (int, bool) {
	n, err := strconv.Atoi(string(b))
	return n, err == nil
}

// hello negotiates the version of the protocol, and may sign in on the way.
func (s *session) hello(c command) error {
	k := s.e.config.Load()
	g, text := s.parseHello(k, c.args[1:])
	greet := func() {
		s.version = g.version
		s.relabel(func(l *labels) {
			l.version = g.version
			if g.name != nil {
				l.name = *g.name
			}
		})
		s.emit(s.greeting(k))
	}
	switch {
	case text != "":
		s.fail(text)
	case g.user != nil:
		s.signIn(k, *g.user, *g.password, greet)
	case !s.known.Load():
		s.fail("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH " +
			"<user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time")
	default:
		greet()
	}
	return nil
}

// greeting is the answer to HELLO.
func (s *session) greeting(k *compiled) []byte {
	version := k.Version
	if version == "" {
		version = fallbackVersion
	}
	mode := "standalone"
	if k.OSSCluster {
		mode = "cluster"
	}
	out := s.mapHead(7)
	out = resp.AppendBulks(out, "server", "redis", "version", version)
	out = resp.AppendInt(resp.AppendBulk(out, "proto"), int64(s.version))
	out = resp.AppendInt(resp.AppendBulk(out, "id"), s.id)
	out = resp.AppendBulks(out, "mode", mode, "role", "master", "modules")
	return resp.AppendArray(out, 0)
}

// mapHead is the head of a map of n pairs, which version 2 writes as an array.
func (s *session) mapHead(n int) []byte {
	if s.version >= 3 {
		return resp.AppendHead(nil, resp.Map, n)
	}
	return resp.AppendArray(nil, 2*n)
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

// settings are the configuration settings that Redis Enterprise shows to clients and lets them change.
var settings = set(
	"activerehashing", "busy-reply-threshold", "hash-max-listpack-entries", "hash-max-listpack-value",
	"hash-max-ziplist-entries", "hash-max-ziplist-value", "hll-sparse-max-bytes", "list-compress-depth",
	"list-max-listpack-size", "list-max-ziplist-size", "lua-time-limit", "notify-keyspace-events",
	"set-max-intset-entries", "slowlog-log-slower-than", "slowlog-max-len", "stream-node-max-bytes",
	"stream-node-max-entries", "tracking-table-max-keys", "zset-max-listpack-entries", "zset-max-listpack-value",
	"zset-max-ziplist-entries", "zset-max-ziplist-value",
)

// configCommand passes on CONFIG for the settings that clients may know of.
func (s *session) configCommand(c command) error {
	var names [][]byte
	switch c.sub() {
	case "GET":
		names = c.args[2:]
	case "SET":
		for i := 2; i < len(c.args); i += 2 {
			names = append(names, c.args[i])
		}
	default:
		s.fail(notAllowed)
		return nil
	}
	for _, n := range names {
		if !settings[strings.ToLower(string(n))] {
			s.fail("ERR Unsupported CONFIG parameter: " + string(n))
			return nil
		}
	}
	return s.forward([]request{{command: c}})
}

func (s *session) acl(c command) error {
	switch c.sub() {
	case "WHOAMI":
		s.emit(resp.AppendBulk(nil, s.label.Load().user))
	case "USERS":
		s.emit(resp.AppendCommand(nil, s.label.Load().user))
	case "CAT", "HELP":
		return s.forward([]request{{command: c}})
	default:
		s.fail(notAllowed)
	}
	return nil
}
