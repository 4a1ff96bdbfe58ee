/* SPDX-License-Identifier: MIT */
/*
 * An error is never left half done: what may fail for lack of memory comes
 * first, and the number is raised last. What is there may have been written by
 * anybody, so that what has the wrong type is deleted and begun anew.
 */
#include "hub/redis_scripts.h"

/*
 * head(): the channel's epoch, number, bytes and floor. KEYS: 1 h, 2 m or s,
 * 3 o, 4 g. ARGV: 1 the server's life, 2 an epoch in case it has to begin one,
 * 3 the kind, 4 the lease of what is kept in ms. After another life what
 * clients saw and what was kept may differ: a new epoch goes on from what was
 * kept, and its past says where older ones ended. What could not be told on, as
 * no node could read it, is not taken from there: without an epoch or a number
 * the head is begun anew, and a floor that is none is the safe one, the last.
 */
static const char head[] = "\
local call, pcall = redis.call, redis.pcall\n\
local recount\n\
local function text(n) return string.format('%.0f', n) end\n\
local function forget() call('DEL', KEYS[2], KEYS[3], KEYS[4]) end\n\
local function whole(s, most)\n\
  local n = tonumber(s or '')\n\
  if n and n >= 0 and n <= (most or 2^52) and n % 1 == 0 then return n end\n\
end\n\
local function is_epoch(e) return e and #e == 8 and not e:find('[^a-z2-7]') end\n\
local function past_of(s)\n\
  if not s or #s > 400 then return '' end\n\
  local left, n = s:gsub('(%w+) (%d+) ', function(e, last)\n\
    return is_epoch(e) and whole(last) and text(whole(last)) == last and ''\n\
  end)\n\
  return left == '' and n <= 8 and s or ''\n\
end\n\
local function head()\n\
  local e = pcall('HMGET', KEYS[1], 'epoch', 'seq', 'life', 'past', 'bytes', 'floor', 'recount')\n\
  if e.err then call('DEL', KEYS[1]) e = {} end\n\
  local epoch, seq, past = e[1], whole(e[2]), past_of(e[4])\n\
  recount = e[7]\n\
  if not is_epoch(epoch) or not seq then\n\
    forget()\n\
    call('HSET', KEYS[1], 'epoch', ARGV[2], 'seq', 0, 'life', ARGV[1],\n\
         'past', '', 'bytes', 0, 'floor', 0)\n\
    return ARGV[2], 0, '', 0, 0\n\
  end\n\
  if e[3] ~= ARGV[1] then\n\
    past = epoch .. ' ' .. text(seq) .. ' ' .. past\n\
    local cut, n = 0, 0\n\
    for at in past:gmatch('%w+ %d+ ()') do\n\
      n = n + 1\n\
      if n <= 8 then cut = at - 1 end\n\
    end\n\
    past, epoch = past:sub(1, cut), ARGV[2]\n\
    call('HSET', KEYS[1], 'epoch', epoch, 'life', ARGV[1], 'past', past)\n\
  end\n\
  return epoch, seq, past, whole(e[5]) or 0, whole(e[6] or '0', seq) or seq\n\
end\n\
local function keep()\n\
  local hour = math.max(3600000, tonumber(ARGV[4]))\n\
  call('PEXPIRE', KEYS[1], text(hour))\n\
  if ARGV[3] == 's' then\n\
    for i = 2, 4 do call('PEXPIRE', KEYS[i], text(hour)) end\n\
  end\n\
end\n";

/*
 * States: whether the keys are those of one, or somebody wrote there; and
 * deletions are kept for a while; see floor in hub/state.h.
 *
 * Where there seems to be no room the values are counted anew, for the sum in
 * the head may be anybody's: 1,000 of them in a call, in the order of their
 * numbers, 100 ms between two calls and a minute between two counts. Up to the
 * number at they take sum; who is counted and changes goes behind it, and is
 * taken from sum.
 */
static const char states[] = "\
local at, sum, due = 0, 0, 0\n\
local function read_count(now)\n\
  local a, s, d = (recount or ''):match('^(%d+) (%d+) (%d+)$')\n\
  a, s, d = whole(a), whole(s), whole(d, now + 61000)\n\
  if a and s and d then at, sum, due = a, s, d end\n\
end\n\
local function note_count()\n\
  if due > 0 then\n\
    call('HSET', KEYS[1], 'recount', text(at) .. ' ' .. text(sum) .. ' ' .. text(due))\n\
  end\n\
end\n\
local function uncount(key, len)\n\
  if at > 0 and len > 0 and (tonumber(call('ZSCORE', KEYS[3], key)) or 2^53) <= at then sum = sum - len end\n\
end\n\
local function count_some(seq, now, bytes)\n\
  if now < due then return bytes end\n\
  local keys = call('ZRANGEBYSCORE', KEYS[3], '(' .. text(at), text(seq), 'WITHSCORES', 'LIMIT', 0, 1000)\n\
  for i = 1, #keys, 2 do\n\
    sum = sum + call('HSTRLEN', KEYS[2], keys[i])\n\
    at = math.ceil(tonumber(keys[i + 1]))\n\
  end\n\
  due = now + 100\n\
  if #keys < 2000 then bytes, at, sum, due = sum, 0, 0, now + 60000 end\n\
  return bytes\n\
end\n\
local function sound()\n\
  local n = pcall('HLEN', KEYS[2])\n\
  return type(n) == 'number' and n == pcall('ZCARD', KEYS[3]) and\n\
         type(pcall('ZCARD', KEYS[4])) == 'number'\n\
end\n\
local function begin_anew(seq)\n\
  call('HSET', KEYS[1], 'bytes', 0, 'floor', text(seq))\n\
  call('HDEL', KEYS[1], 'recount')\n\
  at, sum, due = 0, 0, 0\n\
  forget()\n\
  return seq, 0\n\
end\n\
local function forget_deleted(seq, floor, bytes, enough)\n\
  while not enough(bytes) do\n\
    local g = call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')\n\
    if not g[1] or enough(bytes, g[1]) then break end\n\
    local len = call('HSTRLEN', KEYS[2], g[1])\n\
    bytes = bytes - len\n\
    uncount(g[1], len)\n\
    call('HDEL', KEYS[2], g[1])\n\
    call('ZREM', KEYS[3], g[1])\n\
    call('ZREM', KEYS[4], g[1])\n\
    floor = math.max(floor, whole(g[2], seq) or seq)\n\
  end\n\
  return floor, bytes\n\
end\n";

/*
 * KEYS: 5 c, 6 i. ARGV: 5 topic, 6 the node's counter, 7 up to when (by the
 * clock of Redis, in ms), 8 and 9 the most messages (or keys) and bytes, 10 a
 * digest of what is published under an Idempotency-Key, or "", 11 the counter
 * up to which the node has all answers, 12 whether it may have come before, and
 * then the messages: for each its key, 1 if it takes that away, and the rest of
 * its entry (redis_entry.h). Returns what became of it, the epoch, the first
 * number and how many; and "counter" where somebody else wrote what is noted.
 * Where it put what the node may ask for again is noted with the counter: the
 * messages themselves may be gone by then. What a node sends for the first time
 * cannot be noted, nor what it sends later: that is taken out.
 */
static const char publish[] = "\
local now = call('TIME')\n\
now = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000)\n\
local kind, n = ARGV[3], (#ARGV - 12) / 3\n\
local most, most_bytes = tonumber(ARGV[8]), tonumber(ARGV[9])\n\
-- It may have come before, over a connection that broke.\n\
local done, kept, forged = pcall('GET', KEYS[5]), {}, nil\n\
local counter, last = tonumber(ARGV[6]), 0\n\
for c, epoch, first in (type(done) == 'string' and done or ''):gmatch('(%d+) (%w+) (%d+) ') do\n\
  local old = tonumber(c)\n\
  if old >= counter and ARGV[12] ~= '1' then\n\
    forged = 'counter'\n\
  else\n\
    last = old\n\
    if last == counter then return {'ok', epoch, first, text(n)} end\n\
    if last > tonumber(ARGV[11]) then kept[#kept + 1] = c .. ' ' .. epoch .. ' ' .. first .. ' ' end\n\
  end\n\
end\n\
if last > counter then return {'unknown', 'counter'} end\n\
if now > tonumber(ARGV[7]) then return {'late'} end\n\
if ARGV[10] ~= '' then\n\
  local old = pcall('GET', KEYS[6])\n\
  local digest, epoch, first, many = (type(old) == 'string' and old or ''):match('^(%w+) (%w+) (%d+) (%d+)$')\n\
  if digest and digest ~= ARGV[10] then return {'other'} end\n\
  if digest then return {'again', epoch, first, many} end\n\
end\n\
local epoch, seq, past, bytes, floor = head()\n\
local first = seq + 1\n\
if kind == 's' then\n\
  read_count(now)\n\
  if not sound() then floor, bytes = begin_anew(seq) end\n\
  local more, keys, seen = 0, 0, {}\n\
  for i = 13, #ARGV, 3 do\n\
    if ARGV[i + 1] ~= '1' and not seen[ARGV[i]] then\n\
      local old = call('HSTRLEN', KEYS[2], ARGV[i])\n\
      seen[ARGV[i]] = true\n\
      if old == 0 then keys = keys + 1 end\n\
      more = more + math.max(0, #ARGV[i + 2] + 40 - old)\n\
    end\n\
  end\n\
  local function fits(had)\n\
    return more == 0 or had + more <= most_bytes and\n\
           call('HLEN', KEYS[2]) + keys <= most\n\
  end\n\
  floor, bytes = forget_deleted(seq, floor, bytes, fits)\n\
  if more > 0 and bytes + more > most_bytes then bytes = count_some(seq, now, bytes) end\n\
  if not fits(bytes) then\n\
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))\n\
    note_count()\n\
    return {'full'}\n\
  end\n\
end\n\
local told = {}\n\
for i = 13, #ARGV, 3 do\n\
  seq = seq + 1\n\
  local entry = epoch .. ' ' .. text(seq) .. ' ' .. text(now) .. ' ' .. ARGV[i + 2]\n\
  if kind == 'm' then\n\
    local r = pcall('XADD', KEYS[2], text(seq) .. '-0', 'e', entry)\n\
    if type(r) == 'table' and r.err then\n\
      if r.err:find('OOM', 1, true) then return r end\n\
      forget()\n\
      bytes = 0\n\
      call('XADD', KEYS[2], text(seq) .. '-0', 'e', entry)\n\
    end\n\
    bytes = bytes + #entry\n\
  elseif kind == 's' then\n\
    local old = call('HSTRLEN', KEYS[2], ARGV[i])\n\
    uncount(ARGV[i], old)\n\
    bytes = bytes + #entry - old\n\
    call('HSET', KEYS[2], ARGV[i], entry)\n\
    call('ZADD', KEYS[3], text(seq), ARGV[i])\n\
    if ARGV[i + 1] == '1' then call('ZADD', KEYS[4], text(seq), ARGV[i])\n\
    else call('ZREM', KEYS[4], ARGV[i]) end\n\
  end\n\
  told[#told + 1] = 'm' .. entry\n\
end\n\
if kind == 'm' then\n\
  local left = call('XLEN', KEYS[2])\n\
  if left <= n then bytes = 0 for _, t in ipairs(told) do bytes = bytes + #t end end\n\
  while left > most or bytes > most_bytes and left > 0 do\n\
    local old = call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]\n\
    if not old then break end\n\
    call('XDEL', KEYS[2], old[1])\n\
    bytes = bytes - #(old[2][2] or '')\n\
    left = left - 1\n\
  end\n\
  call('PEXPIRE', KEYS[2], ARGV[4])\n\
end\n\
call('HSET', KEYS[1], 'seq', text(seq), 'bytes', text(bytes), 'floor', text(floor))\n\
if kind == 's' then note_count() end\n\
kept[#kept + 1] = ARGV[6] .. ' ' .. epoch .. ' ' .. text(first) .. ' '\n\
call('SET', KEYS[5], table.concat(kept), 'EX', 60)\n\
if ARGV[10] ~= '' then\n\
  call('SET', KEYS[6], ARGV[10] .. ' ' .. epoch .. ' ' .. text(first) .. ' ' .. text(n), 'EX', 600)\n\
end\n\
keep()\n\
for _, t in ipairs(told) do call('PUBLISH', ARGV[5], t) end\n\
return {'ok', epoch, text(first), text(n), forged}\n";

/*
 * ARGV: 5 the node's topic, 6 a number to know the answer by, 7 the channel, 8
 * and 9 epoch and number up to which it has all, 10 the most bytes at once, 11
 * the floor that it knows, of states. It is told on the node's own topic: so all
 * that the channel is told before it is in it, and nothing that comes after.
 */
static const char sync[] = "\
local epoch, seq, past, bytes, floor = head()\n\
local from, done, out, size, more = 0, 0, {}, 0, 0\n\
if ARGV[8] == epoch and tonumber(ARGV[9]) <= seq then from = tonumber(ARGV[9]) end\n\
-- What is not the entry of its number, or longer than any, goes as nothing: it\n\
-- is told of.\n\
local function add(entry, at)\n\
  if #entry > 2^26 + 2^17 or entry:match('^%w+ (%d+) ') ~= text(at) then entry = '' end\n\
  size = size + #entry + 16\n\
  if out[1] and size > tonumber(ARGV[10]) then more = done return false end\n\
  out[#out + 1] = #entry .. ':' .. entry\n\
  return true\n\
end\n\
if ARGV[3] == 's' then\n\
  local now = call('TIME')\n\
  local old = tonumber(now[1]) * 1000 - 600000\n\
  read_count(tonumber(now[1]) * 1000)\n\
  if not sound() then floor, bytes = begin_anew(seq) end\n\
  local before = floor\n\
  floor, bytes = forget_deleted(seq, floor, bytes, function(had, key)\n\
    if not key then return false end\n\
    local time = (call('HGET', KEYS[2], key) or ''):match('^%w+ %d+ (%d+) ')\n\
    return time and tonumber(time) > old\n\
  end)\n\
  if floor ~= before then\n\
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))\n\
    note_count()\n\
  end\n\
  if from < floor and floor > tonumber(ARGV[11]) then from = 0 end\n\
  local at, full = text(from), false\n\
  while not full do\n\
    local keys = call('ZRANGEBYSCORE', KEYS[3], '(' .. at, text(seq), 'WITHSCORES', 'LIMIT', 0, 200)\n\
    if not keys[1] then break end\n\
    for i = 1, #keys, 2 do\n\
      at = keys[i + 1]\n\
      local entry = call('HGET', KEYS[2], keys[i])\n\
      local number = math.floor(tonumber(at))\n\
      if entry and not add(entry, number) then full = true break end\n\
      done = number\n\
    end\n\
  end\n\
elseif ARGV[3] == 'm' then\n\
  if type(pcall('XLEN', KEYS[2])) == 'table' then forget() end\n\
  local at, full = from, false\n\
  while not full do\n\
    local got = call('XRANGE', KEYS[2], text(at + 1) .. '-0', text(seq) .. '-0', 'COUNT', 100)\n\
    if not got[1] then break end\n\
    for _, x in ipairs(got) do\n\
      at = tonumber(x[1]:match('^%d+'))\n\
      if not add(x[2][2] or '', at) then full = true break end\n\
      done = at\n\
    end\n\
  end\n\
end\n\
keep()\n\
return call('PUBLISH', ARGV[5], table.concat({'s', ARGV[6], epoch, text(seq),\n\
  text(from), text(floor), text(more), #ARGV[7], #past}, ' ') .. '\\n' ..\n\
  ARGV[7] .. past .. table.concat(out))\n";

/*
 * KEYS: 1 p. ARGV: 1 the node's topic, 2 a number, 3 the channel, 4 what leases
 * of nodes begin with, 5 the lease of the list in ms, 6 where to go on, 7 the
 * lease of a node in ms. Some of them; those of nodes that ended without a word
 * are taken out, or have a lease that no node takes, and what is longer than
 * REDIS_PERSON_MAX.
 */
static const char people[] = "\
local call, out, alive = redis.call, {}, {}\n\
local t = call('TYPE', KEYS[1]).ok\n\
if t ~= 'hash' and t ~= 'none' then call('DEL', KEYS[1]) end\n\
local scan = call('HSCAN', KEYS[1], ARGV[6], 'COUNT', 250)\n\
for i = 1, #scan[2], 2 do\n\
  local who = scan[2][i]\n\
  local node = who:match('^(%w+) ') or ''\n\
  if alive[node] == nil then\n\
    local left = call('PTTL', ARGV[4] .. node)\n\
    alive[node] = left > 0 and left <= tonumber(ARGV[7])\n\
  end\n\
  if not alive[node] or #who > 200 then call('HDEL', KEYS[1], who)\n\
  else out[#out + 1] = #who .. ':' .. who end\n\
end\n\
call('PEXPIRE', KEYS[1], ARGV[5])\n\
return call('PUBLISH', ARGV[1], table.concat({'p', ARGV[2], scan[1], #ARGV[3]}, ' ') ..\n\
  '\\n' .. ARGV[3] .. table.concat(out))\n";

const char *const redis_script[REDIS_N_SCRIPTS][REDIS_SCRIPT_PARTS] = {
	[REDIS_PUBLISH] = {head, states, publish},
	[REDIS_SYNC] = {head, states, sync},
	[REDIS_PEOPLE] = {people},
};
