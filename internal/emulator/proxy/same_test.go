package proxy_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/open-redis-enterprise/operator/internal/emulator/resp"
)

// conversation is asked of the proxy and of a redis-server; the answers must be the same bytes.
const conversation = `
SET k v|GET k|GET|GET a b|SET k v NX|SET k v XX GET|SETEX k 0 v|INCR k|INCR n|INCRBY n 41|INCRBYFLOAT f 1.5|APPEND k xyz
STRLEN k|GETRANGE k 1 2|SETRANGE k 2 zz|GETSET k q|GETDEL k|GET k|MSET a 1 b 2 c 3|MSET a|MGET a b nope c|MSETNX a 1 z 2
DEL a b|EXISTS a b c c|UNLINK c nope|TOUCH x y|TYPE n|TTL n|PEXPIRE n 100000|PERSIST n|RENAME n m|RENAME nope x|RENAMENX m n
COPY n n2|OBJECT ENCODING n|OBJECT REFCOUNT nope|OBJECT HELP|DUMP nope|RANDOMKEY nope
LPUSH l 1 2 3|RPUSH l 4|LRANGE l 0 -1|LPOP l 2|LLEN l|LINDEX l 0|LSET l 9 x|LINSERT l BEFORE 1 0|LMOVE l l2 LEFT RIGHT|LMPOP 2 l l2 LEFT|LPOS l 4
SADD s a b c|SADD t b c d|SINTER s t|SCARD s|SISMEMBER s a|SMISMEMBER s a z|SINTERCARD 2 s t|SINTERSTORE u s t|SMOVE s t a|SREM t d
ZADD z 1 a 2 b 3 c|ZRANGE z 0 -1 WITHSCORES|ZRANGE z 1 2 BYSCORE|ZSCORE z a|ZINCRBY z 5 a|ZPOPMIN z|ZUNION 2 z z WITHSCORES|ZUNIONSTORE zz 2 z z WEIGHTS 2 3|ZRANGESTORE zd zz 0 -1|ZMPOP 1 zd MIN|ZADD z NX GT 1 a
HSET h a 1 b 2|HGETALL h|HMGET h a nope|HINCRBY h a 5|HDEL h b|HRANDFIELD h 1|HSCAN h 0|HLEN h|HEXISTS h a
XADD x 1-1 f v|XADD x 1-2 f w|XLEN x|XRANGE x - +|XREAD COUNT 1 STREAMS x 0|XREAD STREAMS x|XGROUP CREATE x g 0|XREADGROUP GROUP g c STREAMS x >|XPENDING x g|XACK x g 1-1|XINFO STREAM nope|XTRIM x MAXLEN 1
PFADD p a b c|PFCOUNT p|PFMERGE p2 p|SETBIT bits 7 1|BITCOUNT bits|BITOP NOT nb bits|BITFIELD bits GET u4 4|BITPOS bits 1
GEOADD g 13.36 38.11 Palermo 15.08 37.50 Catania|GEODIST g Palermo Catania km|GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC|GEORADIUS g 15 37 200 km STORE gs
EVAL "return redis.call('SET', KEYS[1], ARGV[1])" 1 ek ev|EVAL "return {1,2,{3,'x'}}" 0|EVAL "return redis.call('GET', KEYS[1])" 1 ek|EVAL "return redis.error_reply('MY own')" 0|EVAL "bad lua" 0|EVALSHA ffffffffffffffffffffffffffffffffffffffff 0|SCRIPT LOAD "return 1"|EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0|SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db abc|EVAL_RO "return redis.call('SET','a','b')" 0|EVAL "return 1" x
FUNCTION LOAD "#!lua name=lib\nredis.register_function('fn', function(k,a) return k[1] end)"|FCALL fn 1 key|FUNCTION LIST|FUNCTION DELETE lib
SORT l|SORT s ALPHA LIMIT 0 1|SORT l STORE sl|KEYS z*|DBSIZE|ECHO hello|PING|PING hi|PING a b|TIME x|SELECT 0|SELECT x|SWAPPED
BLPOP nope 0.01|BLPOP l 1|BRPOPLPUSH sl l3 1|BLMOVE l3 l4 LEFT RIGHT 1|BZPOPMIN zz 1|XREAD BLOCK 10 STREAMS x 99-0|BLMPOP 0.01 1 nope LEFT|BLPOP k abc
MULTI|SET tx 1|INCR tx|GET tx|EXEC|MULTI|INCR tx|DISCARD|GET tx|EXEC|DISCARD|MULTI|MULTI|GET|EXEC|MULTI|NOSUCH a b|EXEC|MULTI|LPUSH tx 1|INCR tx|EXEC|MULTI|EXEC
WATCH tx|MULTI|INCR tx|EXEC|WATCH tx|SET tx 100|MULTI|INCR tx|EXEC|GET tx|WATCH tx|SET tx 1|UNWATCH|MULTI|INCR tx|EXEC|MULTI|WATCH a|EXEC|MULTI|BLPOP nope 0|EXEC
PUBLISH ch msg|PUBSUB CHANNELS|PUBSUB NUMSUB ch|SPUBLISH ch msg|WAIT 0 10|COMMAND COUNT|COMMAND GETKEYS MSET a 1 b 2|COMMAND INFO get|CLIENT GETNAME|CLIENT SETNAME me|CLIENT GETNAME|CLIENT SETNAME "a b"
SUBSTR ek 0 1|LCS a b|EXPIRE ek 10 NX GT|GETEX ek PERSIST|LOLWUT VERSION 1|MEMORY USAGE nope|SCAN 0 COUNT 1000 MATCH ek|SCAN x|SSCAN s 0|ZSCAN nope 0|FLUSHDB|DBSIZE|FLUSHALL ASYNC|FLUSHALL x
`

func TestAnswersAreThoseOfRedis(t *testing.T) {
	for _, version := range []string{"2", "3"} {
		t.Run("protocol "+version, func(t *testing.T) {
			e, _ := unsharded(t)
			direct := startShard(t, nil)
			p, d := dial(t, e.Addr().String()), dial(t, direct.Address().String())
			d.ask("AUTH internal")
			p.ask("HELLO " + version)
			d.ask("HELLO " + version)
			for line := range strings.FieldsFuncSeq(conversation, func(r rune) bool { return r == '|' || r == '\n' }) {
				want, got := rawAsk(t, d, line), rawAsk(t, p, line)
				if !same(line, want, got) {
					t.Errorf("%s\n proxy %q\n redis %q", line, got, want)
				}
			}
		})
	}
}

// same compares replies; those that list the members of a set do so in an order that is each server's own.
func same(line string, a, b []byte) bool {
	switch words(line)[0] {
	case "SINTER", "KEYS", "SSCAN", "HGETALL", "SMEMBERS":
		return slices.Equal(sortedLines(a), sortedLines(b))
	}
	return bytes.Equal(a, b)
}

func sortedLines(b []byte) []string {
	lines := strings.Split(string(b), "\r\n")
	slices.Sort(lines)
	return lines
}

func rawAsk(t *testing.T, c *client, line string) []byte {
	t.Helper()
	if _, err := c.Write(resp.AppendCommand(nil, words(line)...)); err != nil {
		t.Fatal(err)
	}
	raw, err := c.ReadRaw(nil)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return raw
}

func TestRandomPipelinesAnswerLikeRedis(t *testing.T) {
	e, _ := unsharded(t)
	direct := startShard(t, nil)
	p, d := dial(t, e.Addr().String()), dial(t, direct.Address().String())
	d.ask("AUTH internal")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	templates := []string{
		"SET %k %v", "GET %k", "DEL %k %k", "INCR %k", "APPEND %k %v", "LPUSH %k %v %v", "LRANGE %k 0 -1", "RPOP %k",
		"SADD %k %v", "SCARD %k", "HSET %k %v %v", "HGETALL %k", "ZADD %k 1 %v", "MGET %k %k %k", "MSET %k %v %k %v",
		"TYPE %k", "EXPIRE %k 1000", "RENAME %k %k", "MULTI", "EXEC", "DISCARD", "STRLEN %k", "BLPOP %k 0.001", "DBSIZE",
		"EVAL \"return redis.call('EXISTS', KEYS[1])\" 1 %k", "PING", "ECHO %v", "WATCH %k", "UNWATCH", "NOSUCH %k", "SETRANGE %k 70000 %v",
	}
	for range 60 {
		var out []byte
		n := 1 + rng.IntN(120)
		var lines []string
		for range n {
			line := templates[rng.IntN(len(templates))]
			for strings.Contains(line, "%k") {
				line = strings.Replace(line, "%k", fmt.Sprintf("key%d", rng.IntN(6)), 1)
			}
			for strings.Contains(line, "%v") {
				line = strings.Replace(line, "%v", fmt.Sprint(rng.IntN(100)), 1)
			}
			lines = append(lines, line)
			out = resp.AppendCommand(out, words(line)...)
		}
		for _, c := range []*client{p, d} {
			if _, err := c.Write(out); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			got, err := p.ReadRaw(nil)
			if err != nil {
				t.Fatalf("%s: %v", lines[i], err)
			}
			want, err := d.ReadRaw(nil)
			if err != nil {
				t.Fatal(err)
			}
			if !same(lines[i], got, want) {
				t.Fatalf("%s\n proxy %q\n redis %q\n after %q", lines[i], got, want, lines[max(0, i-8):i])
			}
		}
	}
}

func TestLargeValues(t *testing.T) {
	e, _ := unsharded(t)
	c := dial(t, e.Addr().String())
	big := strings.Repeat("0123456789abcdef", 2<<20) // 32 MiB
	if _, err := c.Do(testContext(t), "SET", "big", big); err != nil {
		t.Fatal(err)
	}
	v, err := c.Do(testContext(t), "GET", "big")
	if err != nil || v.String() != big {
		t.Fatalf("a large value came back with %d bytes, %v", len(v.Str), err)
	}
}

func TestProtocolErrorsEndTheConnection(t *testing.T) {
	e, direct := unsharded(t)
	for _, input := range []string{"*1\r\n+PING\r\n", "*x\r\n", "*1\r\n$-5\r\n", "\"unbalanced\r\n"} {
		t.Run(fmt.Sprintf("%q", input), func(t *testing.T) {
			d := dial(t, direct.Address().String())
			d.ask("AUTH internal")
			p := dial(t, e.Addr().String())
			for _, c := range []*client{d, p} {
				if _, err := c.Write([]byte(input)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := d.ReadRaw(nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.ReadRaw(nil)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %q %v, want %q", got, err, want)
			}
			if _, err := p.ReadRaw(nil); err == nil {
				t.Fatal("the connection is still open")
			}
		})
	}
}
