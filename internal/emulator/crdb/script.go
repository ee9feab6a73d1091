package crdb

import "strconv"

// What runs inside a shard process, each in one step. All of them keep their notes in database 1, which clients cannot
// select. They may use memory beyond the limit: a note must not fail once the change it belongs to was made.

const scriptHead = "#!lua flags=allow-oom\n"

// Before notes how many changes the process has counted, so that After can tell whether a command made any. The note is
// for this process alone: neither copied nor kept.
const Before = scriptHead + `
redis.call('SELECT', '1')
redis.set_repl(redis.REPL_NONE)
local count = string.match(redis.call('INFO', 'persistence'), 'rdb_changes_since_last_save:(%d+)')
redis.call('HSET', 'state', 'count', count)
return 1`

// noting are the functions that give out numbers and moments.
const noting = `
local function open(epoch, salt)
  local got = redis.call('HMGET', 'state', 'seq', 'clock', 'epoch', 'log', 'floor')
  local s = {seq = tonumber(got[1] or '0'), clock = tonumber(got[2] or '0'), floor = tonumber(got[5] or '0')}
  local t = redis.call('TIME')
  s.now = tonumber(t[1]) * 1000000 + tonumber(t[2])
  if not got[4] then
    redis.call('HSET', 'state', 'log', string.format('%.0f', s.now) .. '-' .. salt)
  end
  if got[3] ~= epoch then
    s.seq = s.seq + 4294967296
    redis.call('HSET', 'state', 'epoch', epoch)
  end
  return s
end
local function note(s, key, stamp)
  s.seq = s.seq + 1
  redis.call('HSET', 'stamp', key, stamp)
  redis.call('ZADD', 'log', string.format('%.0f', s.seq), key)
end
local function shut(s)
  redis.call('HSET', 'state', 'seq', string.format('%.0f', s.seq), 'clock', string.format('%.0f', s.clock))
end
`

// After notes KEYS as changed by this instance, if anything was changed since Before. ARGV: instance, epoch, salt.
const After = scriptHead + noting + `
redis.call('SELECT', '1')
local count = string.match(redis.call('INFO', 'persistence'), 'rdb_changes_since_last_save:(%d+)')
if tonumber(count) - tonumber(redis.call('HGET', 'state', 'count')) <= 1 then return 0 end
local s = open(ARGV[2], ARGV[3])
s.clock = math.max(s.now, s.clock + 1)
for _, key in ipairs(KEYS) do
  note(s, key, string.format('%.0f', s.clock) .. ':' .. ARGV[1])
end
shut(s)
return #KEYS`

// Read gives what came after the positions that the reader has seen. ARGV: slots of the shard, at most so many keys, at
// most so many bytes, and pairs of log and position. Its answer: log, position after it, 1 when there is more, and for
// each key: key, stamp, value (empty when there is none), expiry in Unix milliseconds or -1.
const Read = scriptHead + `
redis.call('SELECT', '1')
local log = redis.call('HGET', 'state', 'log')
if not log then return {'', '0', 0, {}} end
log = log .. '/' .. ARGV[1]
local from = '0'
for i = 4, #ARGV, 2 do
  if ARGV[i] == log then from = ARGV[i + 1] end
end
local most, bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local rows = redis.call('ZRANGEBYSCORE', 'log', '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', '0', ARGV[2])
local out, size, more = {}, 0, 0
if #rows == 2 * most then more = 1 end
for i = 1, #rows, 2 do
  local key, stamp = rows[i], redis.call('HGET', 'stamp', rows[i])
  redis.call('SELECT', '0')
  local value, expiry = redis.call('DUMP', key), -1
  if value then expiry = redis.call('PEXPIRETIME', key) end
  redis.call('SELECT', '1')
  from = rows[i + 1]
  if stamp then
    out[#out + 1] = {key, stamp, value or '', tostring(expiry)}
    size = size + #key + #(value or '')
  end
  if size > bytes and i + 1 < #rows then more = 1 break end
end
return {log, from, more, out}`

// Take takes KEYS in where what came is newer. ARGV: epoch, salt, log, the position that was asked from, the position
// reached, and for each key: moment, instance, value, expiry. The position reached is noted as seen. A process that has not
// seen the position asked from has lost its data since; it answers -1 and takes in nothing, or it would miss what lies before.
const Take = scriptHead + noting + `
redis.call('SELECT', '1')
if tonumber(redis.call('HGET', 'seen', ARGV[3]) or '0') < tonumber(ARGV[4]) then return -1 end
local s, taken = open(ARGV[1], ARGV[2]), 0
for i, key in ipairs(KEYS) do
  local at = 2 + 4 * i
  local moment, by, value, expiry = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local have, mine = redis.call('HGET', 'stamp', key), 0
  local whose = 0
  if have then
    mine, whose = string.match(have, '(%d+):(%d+)')
    mine, whose = tonumber(mine), tonumber(whose)
  end
  if moment > s.floor and (moment > mine or moment == mine and by > whose) then
    redis.call('SELECT', '0')
    if value == '' then
      redis.call('DEL', key)
    elseif expiry == '-1' then
      redis.call('RESTORE', key, '0', value, 'REPLACE')
    else
      redis.call('RESTORE', key, expiry, value, 'REPLACE', 'ABSTTL')
    end
    redis.call('SELECT', '1')
    s.clock = math.max(s.clock, moment)
    note(s, key, ARGV[at] .. ':' .. ARGV[at + 1])
    taken = taken + 1
  end
end
shut(s)
redis.call('HSET', 'seen', ARGV[3], ARGV[5])
return taken`

// Seen gives the positions that this process has taken in: log, position, log, position, ...
const Seen = scriptHead + `
redis.call('SELECT', '1')
return redis.call('HGETALL', 'seen')`

// Flush drops everything up to a moment, for good. ARGV: the moment in Unix microseconds.
const Flush = scriptHead + `
redis.call('SELECT', '1')
local floor = tonumber(ARGV[1])
if floor <= tonumber(redis.call('HGET', 'state', 'floor') or '0') then return 0 end
redis.call('HSET', 'state', 'floor', ARGV[1])
if floor > tonumber(redis.call('HGET', 'state', 'clock') or '0') then
  redis.call('HSET', 'state', 'clock', ARGV[1]) -- what is written from now on is later, whatever the machine's clock says
end
local cursor, dropped = '0', {}
repeat
  local page = redis.call('HSCAN', 'stamp', cursor, 'COUNT', '1000')
  cursor = page[1]
  for i = 1, #page[2], 2 do
    if tonumber(string.match(page[2][i + 1], '(%d+):')) <= floor then dropped[#dropped + 1] = page[2][i] end
  end
until cursor == '0'
for _, key in ipairs(dropped) do
  redis.call('HDEL', 'stamp', key)
  redis.call('ZREM', 'log', key)
end
redis.call('SELECT', '0')
for _, key in ipairs(dropped) do redis.call('UNLINK', key) end
return #dropped`

// Eval is the command that runs a script.
func Eval(script string, keys [][]byte, args ...string) [][]byte {
	out := [][]byte{[]byte("EVAL"), []byte(script), strconv.AppendInt(nil, int64(len(keys)), 10)}
	out = append(out, keys...)
	for _, a := range args {
		out = append(out, []byte(a))
	}
	return out
}
