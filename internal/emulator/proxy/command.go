package proxy

import (
	"bytes"
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed commands.txt
var commandList string

// commands is the table of known commands by lower-case name.
var commands = parseCommands(commandList)

// class is how a command counts in the statistics, and whether it must be confirmed by replicas.
type class int

const (
	other class = iota
	read
	write
)

// spec is what the proxy knows about a command.
type spec struct {
	name              string
	arity             int // negative: at least
	class             class
	blocking          bool // may wait on the shard for other clients
	script            bool
	denied            bool // does not exist for clients of Redis Enterprise
	first, last, step int  // positions of the keys; first 0: none, or found by findKeys
}

// parseCommands reads lines of "name arity flags first last step". Flags: w writes, r reads, b may block, s script,
// x refused.
func parseCommands(list string) map[string]*spec {
	table := make(map[string]*spec)
	for line := range strings.Lines(list) {
		var s spec
		var flags string
		if _, err := fmt.Sscan(line, &s.name, &s.arity, &flags, &s.first, &s.last, &s.step); err != nil {
			panic(fmt.Sprintf("commands.txt: %q: %v", line, err))
		}
		s.class = other
		if strings.Contains(flags, "r") {
			s.class = read
		}
		if strings.Contains(flags, "w") {
			s.class = write
		}
		s.blocking = strings.Contains(flags, "b")
		s.script = strings.Contains(flags, "s")
		s.denied = strings.Contains(flags, "x")
		table[s.name] = &s
	}
	return table
}

// command is one command of a client.
type command struct {
	*spec
	args [][]byte
}

// identify looks a command up. An unknown one is passed on as a write with its key in the first place: that is how
// module commands look, and shards refuse what they do not know.
func identify(args [][]byte) command {
	name := strings.ToLower(string(args[0]))
	s := commands[name]
	if s == nil {
		s = &spec{name: name, arity: -1, class: write}
		if len(args) > 1 {
			s.first, s.last, s.step = 1, 1, 1
		}
	}
	return command{spec: s, args: args}
}

// sub is the upper-case second word of a command, such as GETNAME of CLIENT GETNAME.
func (c command) sub() string {
	if len(c.args) < 2 {
		return ""
	}
	return strings.ToUpper(string(c.args[1]))
}

// badArity is the error for a wrong number of arguments, or empty.
func (c command) badArity() string {
	n := len(c.args)
	if (c.arity > 0 && n != c.arity) || (c.arity < 0 && n < -c.arity) {
		return fmt.Sprintf("ERR wrong number of arguments for '%s' command", c.name)
	}
	return ""
}

// writes tells whether replicas must confirm the command.
func (c command) writes() bool {
	switch c.name {
	case "xgroup":
		return true
	case "function":
		return c.sub() == "LOAD" || c.sub() == "DELETE" || c.sub() == "FLUSH" || c.sub() == "RESTORE"
	}
	return c.class == write
}

// blocks tells whether the command may wait for other clients in this form.
func (c command) blocks() bool {
	if c.name == "xread" || c.name == "xreadgroup" {
		return indexFold(c.args, "BLOCK") > 0
	}
	return c.blocking
}

// keys returns the positions of the keys in args. There are none in a malformed command: any shard finds the right words
// for what is wrong with it.
func (c command) keys() []int {
	if find, ok := keyFinders[c.name]; ok {
		return find(c.args)
	}
	if c.first == 0 || len(c.args) <= c.first {
		return nil
	}
	last := c.last
	if last < 0 {
		last += len(c.args)
	}
	var at []int
	for i := c.first; i <= last && i < len(c.args); i += c.step {
		at = append(at, i)
	}
	return at
}

// keyFinders find the keys that have no fixed place.
var keyFinders = map[string]func([][]byte) []int{
	"eval": counted(2), "evalsha": counted(2), "eval_ro": counted(2), "evalsha_ro": counted(2),
	"fcall": counted(2), "fcall_ro": counted(2),
	"zunion": counted(1), "zinter": counted(1), "zdiff": counted(1), "sintercard": counted(1), "zintercard": counted(1),
	"lmpop": counted(1), "zmpop": counted(1), "blmpop": counted(2), "bzmpop": counted(2),
	"zunionstore": counted(2, 1), "zinterstore": counted(2, 1), "zdiffstore": counted(2, 1),
	"xread": streams, "xreadgroup": streams,
	"sort": withStore("STORE"), "georadius": withStore("STORE", "STOREDIST"),
	"georadiusbymember": withStore("STORE", "STOREDIST"),
	"object":            third, "xgroup": third, "xinfo": third, "memory": third,
}

// counted finds keys after a number of keys at position n, and any fixed ones.
func counted(n int, fixed ...int) func([][]byte) []int {
	return func(args [][]byte) []int {
		if len(args) <= n {
			return nil
		}
		count, err := strconv.Atoi(string(args[n]))
		if err != nil || count < 0 || n+count >= len(args) {
			return fixed
		}
		at := append([]int(nil), fixed...)
		for i := range count {
			at = append(at, n+1+i)
		}
		return at
	}
}

func streams(args [][]byte) []int {
	i := indexFold(args, "STREAMS")
	if i < 0 {
		return nil
	}
	n := len(args) - i - 1
	if n == 0 || n%2 != 0 {
		return nil
	}
	var at []int
	for k := range n / 2 {
		at = append(at, i+1+k)
	}
	return at
}

func withStore(words ...string) func([][]byte) []int {
	return func(args [][]byte) []int {
		if len(args) < 2 {
			return nil
		}
		at := []int{1}
		for i := 2; i+1 < len(args); i++ {
			for _, w := range words {
				if equalFold(args[i], w) {
					at = append(at, i+1)
				}
			}
		}
		return at
	}
}

func third(args [][]byte) []int {
	if len(args) < 3 {
		return nil
	}
	return []int{2}
}

func equalFold(b []byte, s string) bool { return len(b) == len(s) && bytes.EqualFold(b, []byte(s)) }

func indexFold(args [][]byte, word string) int {
	for i := 1; i < len(args); i++ {
		if equalFold(args[i], word) {
			return i
		}
	}
	return -1
}
