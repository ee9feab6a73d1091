package proxy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// clientForms are the forms of CLIENT that the proxy answers. It knows the clients; shards only know the proxy.
var clientForms = map[string]func(*session, [][]byte){
	"ID":           func(s *session, _ [][]byte) { s.emit(resp.AppendInt(nil, s.id)) },
	"GETNAME":      (*session).clientGetName,
	"SETNAME":      (*session).clientSetName,
	"SETINFO":      (*session).clientSetInfo,
	"INFO":         func(s *session, _ [][]byte) { s.emit(resp.AppendBulk(nil, s.describe()+"\n")) },
	"LIST":         (*session).clientList,
	"KILL":         (*session).clientKill,
	"UNBLOCK":      (*session).clientUnblock,
	"REPLY":        (*session).clientReply,
	"NO-TOUCH":     func(s *session, _ [][]byte) { s.ok() },
	"TRACKING":     (*session).clientTracking,
	"TRACKINGINFO": (*session).clientTrackingInfo,
}

func (s *session) client(c command) error {
	form := clientForms[c.sub()]
	if form == nil {
		s.fail(notAllowed)
		return nil
	}
	form(s, c.args[2:])
	return nil
}

func (s *session) clientArity(args [][]byte, n int, form string) bool {
	if len(args) == n {
		return true
	}
	s.fail("ERR wrong number of arguments for 'client|" + form + "' command")
	return false
}

func (s *session) clientGetName([][]byte) {
	name := s.label.Load().name
	if name == "" {
		s.emit(resp.AppendNull(nil, s.version))
		return
	}
	s.emit(resp.AppendBulk(nil, name))
}

func (s *session) clientSetName(args [][]byte) {
	if !s.clientArity(args, 1, "setname") {
		return
	}
	if !printable(string(args[0])) {
		s.fail("ERR Client names cannot contain spaces, newlines or special characters.")
		return
	}
	s.relabel(func(l *labels) { l.name = string(args[0]) })
	s.ok()
}

func (s *session) clientSetInfo(args [][]byte) {
	if !s.clientArity(args, 2, "setinfo") {
		return
	}
	value := string(args[1])
	if !printable(value) {
		s.fail("ERR " + strings.ToLower(string(args[0])) + " cannot contain spaces, newlines or special characters.")
		return
	}
	switch {
	case equalFold(args[0], "LIB-NAME"):
		s.relabel(func(l *labels) { l.lib = value })
	case equalFold(args[0], "LIB-VER"):
		s.relabel(func(l *labels) { l.libVersion = value })
	default:
		s.fail("ERR Unrecognized option '" + string(args[0]) + "'")
		return
	}
	s.ok()
}

// describe is the session's line in CLIENT LIST.
func (s *session) describe() string {
	l := s.label.Load()
	last := "NULL"
	if c := s.lastCommand.Load(); c != nil {
		last = *c
	}
	flags := "N"
	if s.blockedOn.Load() != nil {
		flags = "b"
	}
	return fmt.Sprintf("id=%d addr=%s laddr=%s name=%s age=%d flags=%s db=0 cmd=%s user=%s resp=%d lib-name=%s lib-ver=%s",
		s.id, s.nc.RemoteAddr(), s.nc.LocalAddr(), l.name, int(time.Since(s.since).Seconds()), flags, last, l.user, l.version,
		l.lib, l.libVersion)
}

// others are the sessions of the endpoint by age.
func (s *session) others() []*session {
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	var all []*session
	for o := range s.e.sessions {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *session) int { return int(a.id - b.id) })
	return all
}

func (s *session) clientList(args [][]byte) {
	wanted := map[string]bool{}
	if len(args) > 1 && equalFold(args[0], "ID") {
		for _, a := range args[1:] {
			wanted[string(a)] = true
		}
	}
	var b strings.Builder
	for _, o := range s.others() {
		if len(wanted) == 0 || wanted[strconv.FormatInt(o.id, 10)] {
			b.WriteString(o.describe() + "\n")
		}
	}
	s.emit(resp.AppendBulk(nil, b.String()))
}

// clientKill ends connections by address (old form) or by filters.
func (s *session) clientKill(args [][]byte) {
	if len(args) == 1 {
		if s.kill(func(o *session) bool { return o.nc.RemoteAddr().String() == string(args[0]) }) == 0 {
			s.fail("ERR No such client")
			return
		}
		s.ok()
		return
	}
	if len(args) == 0 || len(args)%2 != 0 {
		s.fail("ERR syntax error")
		return
	}
	filters := []func(*session) bool{func(o *session) bool { return o != s }} // SKIPME is yes unless told otherwise
	for i := 0; i < len(args); i += 2 {
		filter, value := clientFilters[strings.ToUpper(string(args[i]))], string(args[i+1])
		switch {
		case equalFold(args[i], "SKIPME") && strings.EqualFold(value, "no"):
			filters[0] = func(*session) bool { return true }
		case equalFold(args[i], "SKIPME"):
		case filter == nil:
			s.fail("ERR syntax error")
			return
		default:
			filters = append(filters, func(o *session) bool { return filter(o) == value })
		}
	}
	n := s.kill(func(o *session) bool {
		return !slices.ContainsFunc(filters, func(matches func(*session) bool) bool { return !matches(o) })
	})
	s.emit(resp.AppendInt(nil, int64(n)))
}

// clientFilters are what CLIENT KILL can select by.
var clientFilters = map[string]func(*session) string{
	"ID":    func(o *session) string { return strconv.FormatInt(o.id, 10) },
	"ADDR":  func(o *session) string { return o.nc.RemoteAddr().String() },
	"LADDR": func(o *session) string { return o.nc.LocalAddr().String() },
	"USER":  func(o *session) string { return o.label.Load().user },
}

func (s *session) kill(which func(*session) bool) int {
	n := 0
	for _, o := range s.others() {
		if which(o) {
			n++
			o.cut()
		}
	}
	return n
}

// clientUnblock wakes another client that waits in a blocking command.
func (s *session) clientUnblock(args [][]byte) {
	if len(args) < 1 || len(args) > 2 {
		s.fail("ERR wrong number of arguments for 'client|unblock' command")
		return
	}
	how := "TIMEOUT"
	if len(args) == 2 {
		how = strings.ToUpper(string(args[1]))
	}
	n := int64(0)
	for _, o := range s.others() {
		c := o.blockedOn.Load()
		if c == nil || strconv.FormatInt(o.id, 10) != string(args[0]) {
			continue
		}
		o.unblockAsked.Store(true)
		ctx, cancel := context.WithTimeout(s.e.ctx, s.e.options.DialTimeout)
		if err := s.e.unblock(ctx, c, how); err == nil {
			n = 1
		}
		cancel()
	}
	s.emit(resp.AppendInt(nil, n))
}

func (s *session) clientReply(args [][]byte) {
	if !s.clientArity(args, 1, "reply") {
		return
	}
	switch strings.ToUpper(string(args[0])) {
	case "ON":
		s.silence = speaking
		s.ok()
	case "OFF":
		s.silence = silent
	case "SKIP":
		if s.silence != silent {
			s.silence = skipNext
		}
	default:
		s.fail("ERR syntax error")
	}
}

// clientTracking accepts that tracking is off. Client-side caching is not emulated.
func (s *session) clientTracking(args [][]byte) {
	if len(args) > 0 && equalFold(args[0], "OFF") {
		s.ok()
		return
	}
	s.fail("ERR client tracking is not supported by this endpoint")
}

func (s *session) clientTrackingInfo([][]byte) {
	out := s.mapHead(3)
	out = resp.AppendCommand(resp.AppendBulk(out, "flags"), "off")
	out = resp.AppendInt(resp.AppendBulk(out, "redirect"), -1)
	s.emit(resp.AppendArray(resp.AppendBulk(out, "prefixes"), 0))
}
