package emulator

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/open-redis-enterprise/operator/internal/emulator/api"
	"github.com/open-redis-enterprise/operator/internal/emulator/proxy"
	"github.com/open-redis-enterprise/operator/internal/emulator/schema"
)

// validUser tells whether name and password belong to a user of the cluster.
func validUser(v view, name, password string) bool {
	sum := sha256.Sum256([]byte(password))
	given := []byte(hex.EncodeToString(sum[:]))
	for _, u := range v.list(api.KindUser) {
		if !strings.EqualFold(schema.TextOf(u, "name"), name) && !strings.EqualFold(schema.TextOf(u, "email"), name) {
			continue
		}
		list, _ := u["_password_sha256"].([]any)
		for _, d := range list {
			if text, ok := d.(string); ok && subtle.ConstantTimeCompare(given, []byte(text)) == 1 {
				return true
			}
		}
	}
	return false
}

// authenticate checks users of the cluster who sign in to a database.
func authenticate(users []endpointUser) func(user, password string) (proxy.Permit, bool) {
	return func(user, password string) (proxy.Permit, bool) {
		sum := sha256.Sum256([]byte(password))
		given := []byte(hex.EncodeToString(sum[:]))
		for _, u := range users {
			if u.Name != strings.ToLower(user) {
				continue
			}
			for _, d := range u.Digests {
				if subtle.ConstantTimeCompare(given, []byte(d)) == 1 {
					return permitOf(u.Rule), true
				}
			}
		}
		return nil, false
	}
}

// readCommands stand for the category @read; dangerousCommands for @dangerous. The emulator knows no other categories
// than these two and @all.
var (
	readCommands = words(`get mget getrange substr strlen exists type ttl pttl expiretime pexpiretime dbsize keys scan
		randomkey hget hmget hgetall hkeys hvals hlen hexists hscan hstrlen hrandfield lrange llen lindex lpos smembers
		sismember smismember scard srandmember sscan sinter sunion sdiff sintercard zrange zrangebyscore zrevrange
		zrevrangebyscore zrangebylex zrevrangebylex zrank zrevrank zscore zmscore zcard zcount zlexcount zscan
		zrandmember zinter zunion zdiff zintercard bitcount bitpos getbit bitfield_ro geopos geodist geohash geosearch
		georadius_ro georadiusbymember_ro pfcount xrange xrevrange xlen xread xinfo xpending object dump memory touch
		lcs sort_ro`)
	dangerousCommands = words(`flushall flushdb keys config debug shutdown save bgsave bgrewriteaof replicaof slaveof
		monitor migrate restore sort info client acl cluster module latency slowlog swapdb sync psync role pfdebug`)
	everybodysCommands = words(`auth hello ping quit reset echo select command`)
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// permitOf understands the part of the ACL language that access lists of databases mostly use: +@all, +@read, -@dangerous,
// +command, -command, ~pattern, allkeys, allcommands, nocommands.
func permitOf(rule string) proxy.Permit {
	fields := strings.Fields(rule)
	var patterns []string
	for _, f := range fields {
		switch {
		case f == "allkeys":
			patterns = append(patterns, "*")
		case strings.HasPrefix(f, "~"):
			patterns = append(patterns, f[1:])
		}
	}
	return func(command string, args [][]byte) error {
		name := strings.ToLower(command)
		if !everybodysCommands[name] && !allows(fields, name) {
			return errors.New("NOPERM this user has no permissions to run the '" + name + "' command")
		}
		if len(args) > 1 && !anyKey(patterns) && !everybodysCommands[name] && !matches(patterns, string(args[1])) {
			return errors.New("NOPERM this user has no permissions to access one of the keys used as arguments")
		}
		return nil
	}
}

func allows(fields []string, name string) bool {
	allowed := false
	for _, f := range fields {
		f = strings.ToLower(f)
		switch {
		case f == "+@all" || f == "allcommands":
			allowed = true
		case f == "-@all" || f == "nocommands":
			allowed = false
		case f == "+@read" && readCommands[name], f == "+"+name:
			allowed = true
		case f == "-@dangerous" && dangerousCommands[name], f == "-"+name, f == "-@write" && !readCommands[name]:
			allowed = false
		}
	}
	return allowed
}

func anyKey(patterns []string) bool { return slices.Contains(patterns, "*") }

func matches(patterns []string, key string) bool {
	for _, p := range patterns {
		if p == "*" {
			return true
		}
		if ok, err := path.Match(p, key); err == nil && ok {
			return true
		}
	}
	return false
}
