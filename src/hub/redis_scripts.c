/* SPDX-License-Identifier: MIT */
/*
 * An error is never left half done: what may fail for lack of memory comes
 * first, and the number is raised last. What is there may have been written by
 * anybody, so that what has the wrong type is deleted and begun anew.
 */
#include "hub/redis_scripts.h"

#include "hub/receipts.h"
#include "hub/redis_inner.h"
#include "hub/state.h"

#define TRIMMED_AT_ONCE 128 /* messages that are more than may be kept */

#define DIGITS(n) #n
#define NUMBER(n) DIGITS(n)

/*
 * What both scripts begin with. KEYS: 1 h, 2 m or s, 3 o, 4 g. ARGV: 1 the
 * server's life, 2 an epoch in case it has to begin one, 3 the kind, 4 the lease
 * of what is kept in ms, 5 the bytes of the channel's name, with which the key h
 * ends, 6 and 7 the most channels, and bytes in all of them, of the route.
 */
static const char words[] = "\
local call, pcall = redis.call, redis.pcall\n\
local life, fresh, kind, age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])\n\
local hour = math.max(" NUMBER(REDIS_KEPT_MS) ", age)\n\
local clock = call('TIME')\n\
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])\n\
local now = math.floor(now_us / 1000)\n\
local function text(n) return string.format('%.0f', n) end\n\
local function whole(s, most)\n\
  local n = tonumber(s or '')\n\
  if n and n >= 0 and n <= (most or 2^52) and n % 1 == 0 then return n end\n\
end\n\
local function is_error(r) return type(r) == 'table' and r.err end\n";

/*
 * The channels of the route: a, when each was last used, or up to when somebody
 * is in it, in us; b, the bytes of each, and under a name that none has those of
 * all. Where one too many would be, or bytes, those go that nobody is in, first
 * those that nothing was said in, as if they had not been used for a lease, then
 * the longest unused, a few at a time. A time that is far off no gateway wrote.
 */
static const char route[] = "\
local name_len = tonumber(ARGV[5])\n\
local most_channels, most_kept = tonumber(ARGV[6]), tonumber(ARGV[7])\n\
local stem, name = KEYS[1]:sub(1, -4 - name_len), KEYS[1]:sub(-3 - name_len, -4)\n\
local a, b = stem:sub(1, -2) .. '}:a', stem:sub(1, -2) .. '}:b'\n\
local function used_at()\n\
  local at = pcall('ZSCORE', a, name)\n\
  if is_error(at) then call('DEL', a) end\n\
  return type(at) == 'string' and tonumber(at)\n\
end\n\
local function use(at, lease_us)\n\
  local till = now_us + lease_us\n\
  if at and at > till - 1000000 then return end\n\
  pcall('ZADD', a, text(till), name)\n\
  call('PEXPIRE', a, text(hour))\n\
  call('PEXPIRE', b, text(hour))\n\
end\n\
local function kept()\n\
  local all = pcall('HGET', b, '\\n')\n\
  local n = not is_error(all) and whole(all or '0')\n\
  if not n then call('DEL', b) end\n\
  return n or 0\n\
end\n\
-- The sum may be anybody's: where nothing else helps it is made anew, once a\n\
-- minute; of very many channels, as they are published to.\n\
local function add_up()\n\
  local due, sum = whole(call('HGET', b, '\\n\\n'), now + 60000) or 0, 0\n\
  if now < due then return end\n\
  if call('HLEN', b) > 20000 then call('DEL', b) return end\n\
  local all = call('HGETALL', b)\n\
  for i = 1, #all, 2 do\n\
    if all[i]:byte() ~= 10 then sum = sum + (whole(all[i + 1]) or 0) end\n\
  end\n\
  call('HSET', b, '\\n', text(sum), '\\n\\n', text(now + 60000))\n\
end\n\
local function charge(bytes)\n\
  local had = pcall('HGET', b, name)\n\
  if is_error(had) then call('DEL', b) had = nil end\n\
  local was = whole(had) or 0\n\
  if bytes == was then return end\n\
  call('HINCRBY', b, '\\n', text(bytes - was))\n\
  if bytes == 0 then call('HDEL', b, name) else call('HSET', b, name, text(bytes)) end\n\
end\n\
local function end_channel(other)\n\
  local size, keys = whole(call('HGET', b, other)), {}\n\
  if size then call('HINCRBY', b, '\\n', text(-size)) end\n\
  call('HDEL', b, other)\n\
  call('ZREM', a, other)\n\
  for key in ('hmsogcijp'):gmatch('.') do keys[#keys + 1] = stem .. other .. '}:' .. key end\n\
  call('UNLINK', unpack(keys))\n\
end\n\
local function next_to_go()\n\
  local old = call('ZRANGEBYSCORE', a, '-inf', '(' .. text(now_us), 'LIMIT', 0, 2)\n\
  if old[1] == name then return old[2] end\n\
  return old[1] or call('ZRANGEBYSCORE', a, text(now_us + 7200000000), '+inf', 'LIMIT', 0, 1)[1]\n\
end\n\
local function make_room(enough)\n\
  if enough() then return true end\n\
  kept()\n\
  for _ = 1, 16 do\n\
    local other = next_to_go()\n\
    if not other then break end\n\
    end_channel(other)\n\
    if enough() then return true end\n\
  end\n\
  add_up()\n\
  return enough()\n\
end\n";

/*
 * head(): the channel's epoch, number, past, bytes and floor; nothing where the
 * route has no room for one more. After another life what clients saw and what
 * was kept may differ: a new epoch goes on from what was kept, and its past says
 * where older ones ended. What could not be told on, as no node could read it,
 * is not taken from there: without an epoch or a number the head is begun anew,
 * and a floor that is none is the safe one, the last. What nothing was ever said
 * in goes sooner. lease_us: so long somebody is in it; nil: it is only looked at.
 */
static const char head[] = "\
local function forget() call('DEL', KEYS[2], KEYS[3], KEYS[4]) end\n\
local function is_epoch(e) return e and #e == 8 and not e:find('[^a-z2-7]') end\n\
local function past_of(s)\n\
  if not s or #s > 400 then return '' end\n\
  local left, n = s:gsub('(%w+) (%d+) ', function(e, last)\n\
    return is_epoch(e) and whole(last) and text(whole(last)) == last and ''\n\
  end)\n\
  return left == '' and n <= 8 and s or ''\n\
end\n\
-- Where the bound was lowered as many go as may in one call, and one may come.\n\
local function is_room_for_one(used)\n\
  local own, before = used and 1 or 0, call('ZCARD', a)\n\
  make_room(function() return call('ZCARD', a) - own < most_channels end)\n\
  local left = call('ZCARD', a)\n\
  return left - own < most_channels or left < before\n\
end\n\
local recount\n\
local function head(lease_us)\n\
  local e, used = pcall('HMGET', KEYS[1], 'epoch', 'seq', 'life', 'past', 'bytes', 'floor', 'recount'), used_at()\n\
  if e.err then call('DEL', KEYS[1]) e = {} end\n\
  recount = e[7]\n\
  local epoch, seq, past = e[1], whole(e[2]), past_of(e[4])\n\
  local is_there = is_epoch(epoch) and seq\n\
  if not is_there and not is_room_for_one(used) then return end\n\
  use(used, lease_us or is_there and seq > 0 and 0 or -1000 * hour)\n\
  if not is_there then\n\
    forget()\n\
    call('HSET', KEYS[1], 'epoch', fresh, 'seq', 0, 'life', life,\n\
         'past', '', 'bytes', 0, 'floor', 0)\n\
    return fresh, 0, '', 0, 0\n\
  end\n\
  if e[3] ~= life then\n\
    past = epoch .. ' ' .. text(seq) .. ' ' .. past\n\
    local cut, n = 0, 0\n\
    for at in past:gmatch('%w+ %d+ ()') do\n\
      n = n + 1\n\
      if n <= 8 then cut = at - 1 end\n\
    end\n\
    past, epoch = past:sub(1, cut), fresh\n\
    call('HSET', KEYS[1], 'epoch', epoch, 'life', life, 'past', past)\n\
  end\n\
  return epoch, seq, past, whole(e[5]) or 0, whole(e[6] or '0', seq) or seq\n\
end\n\
local function keep(seq)\n\
  call('PEXPIRE', KEYS[1], seq == 0 and " NUMBER(REDIS_SILENT_MS) " or text(hour))\n\
  if kind == 's' then\n\
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
local function read_count()\n\
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
local function count_some(seq, bytes)\n\
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
local function forget_deleted(seq, floor, bytes, most, enough)\n\
  for _ = 1, most do\n\
    if enough(bytes) then break end\n\
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
 * What nodes had done, of each the list of its last: KEYS: 5 c. Where somebody
 * new comes those who did nothing for a minute are forgotten, so that there are
 * not more than have been there since. Where a node put what it may ask for again
 * is noted with the counter: the messages themselves may be gone by then.
 *
 * Idempotency-Keys: KEYS: 6 i, what was published under each, 7 j, in their
 * order.
 */
static const char receipts[] = "\
local function done_by(node)\n\
  local done = pcall('HGET', KEYS[5], node)\n\
  if is_error(done) then call('DEL', KEYS[5]) end\n\
  return type(done) == 'string' and done\n\
end\n\
local function note_done(node, list, is_new)\n\
  if is_new and call('HLEN', KEYS[5]) >= 16 then\n\
    local all = call('HGETALL', KEYS[5])\n\
    for i = 1, #all, 2 do\n\
      if (whole(all[i + 1]:match('^%d+')) or 0) < now - 60000 then call('HDEL', KEYS[5], all[i]) end\n\
    end\n\
  end\n\
  call('HSET', KEYS[5], node, text(now) .. '|' .. list)\n\
  call('EXPIRE', KEYS[5], 60)\n\
end\n\
local function published_under(key)\n\
  local old = pcall('HGET', KEYS[6], key)\n\
  local digest, epoch, first, many, at =\n\
    (type(old) == 'string' and old or ''):match('^(%w+) (%w+) (%d+) (%d+) (%d+)$')\n\
  if digest and tonumber(at) > now - " NUMBER(HUB_RECEIPT_MS) " then return digest, epoch, first, many end\n\
end\n\
local function note_key(key, receipt)\n\
  local n = pcall('HLEN', KEYS[6])\n\
  if is_error(n) or n ~= pcall('LLEN', KEYS[7]) then call('DEL', KEYS[6], KEYS[7]) end\n\
  if call('HSET', KEYS[6], key, receipt .. ' ' .. text(now)) == 0 then call('LREM', KEYS[7], 1, key) end\n\
  if call('RPUSH', KEYS[7], key) > " NUMBER(HUB_RECEIPTS_MAX) " then\n\
    call('HDEL', KEYS[6], call('LPOP', KEYS[7]))\n\
  end\n\
  call('PEXPIRE', KEYS[6], " NUMBER(HUB_RECEIPT_MS) ")\n\
  call('PEXPIRE', KEYS[7], " NUMBER(HUB_RECEIPT_MS) ")\n\
end\n\
local function weight_of_keys()\n\
  local n = pcall('LLEN', KEYS[7])\n\
  return is_error(n) and 0 or n * 160\n\
end\n";

/*
 * ARGV: 8 the topic, 9 the node, 10 its counter, 11 up to when (by the clock of
 * Redis, in ms), 12 and 13 the most messages (or keys) and bytes, 14 and 15 an
 * Idempotency-Key and what is published under it, as digests, or "", 16 the
 * counter up to which the node has all answers, 17 whether it may have come
 * before, and then the messages: for each its key, 1 if it takes that away, and
 * the rest of its entry (redis_entry.h). Returns what became of it, the epoch, the
 * first number and how many; and "counter" where somebody else wrote what is
 * noted. What a node sends for the first time cannot be noted, nor what it sends
 * later: that is taken out.
 */
static const char publish[] = "\
local topic, node, counter, late_at = ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])\n\
local most, most_bytes, key, digest = tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14], ARGV[15]\n\
local answered, is_again, begin = tonumber(ARGV[16]), ARGV[17] == '1', 18\n\
local n = (#ARGV - begin + 1) / 3\n\
-- It may have come before, over a connection that broke.\n\
local done, pending, last, forged = done_by(node), {}, 0, nil\n\
for c, epoch, first in (done or ''):gmatch('(%d+) (%w+) (%d+) ') do\n\
  local old = tonumber(c)\n\
  if old >= counter and not is_again then\n\
    forged = 'counter'\n\
  else\n\
    last = old\n\
    if last == counter then return {'ok', epoch, first, text(n)} end\n\
    if last > answered then pending[#pending + 1] = c .. ' ' .. epoch .. ' ' .. first .. ' ' end\n\
  end\n\
end\n\
if last > counter then return {'unknown', 'counter'} end\n\
if now > late_at then return {'late'} end\n\
if key ~= '' then\n\
  local other, epoch, first, many = published_under(key)\n\
  if other and other ~= digest then return {'other'} end\n\
  if other then return {'again', epoch, first, many} end\n\
end\n\
-- Once it has written anything a full Redis denies it nothing: so it is asked\n\
-- before, by what changes nothing.\n\
local room = pcall('ZADD', a, 'XX', 0, '\\n')\n\
if is_error(room) and room.err:find('OOM', 1, true) then return room end\n\
local epoch, seq, past, bytes, floor = head(0)\n\
if not epoch then return {'channels'} end\n\
local first, more = seq + 1, 0\n\
local function all_fits() return kept() + more <= most_kept end\n\
if kind == 'm' then\n\
  for i = begin, #ARGV, 3 do more = more + #ARGV[i + 2] + 40 end\n\
elseif kind == 's' then\n\
  read_count()\n\
  if not sound() then floor, bytes = begin_anew(seq) end\n\
  local keys, seen = 0, {}\n\
  for i = begin, #ARGV, 3 do\n\
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
  floor, bytes = forget_deleted(seq, floor, bytes, n + 256, fits)\n\
  if more > 0 and bytes + more > most_bytes then bytes = count_some(seq, bytes) end\n\
  if not fits(bytes) or more > 0 and not make_room(all_fits) then\n\
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))\n\
    note_count()\n\
    return {'full'}\n\
  end\n\
end\n\
local told = {}\n\
for i = begin, #ARGV, 3 do\n\
  seq = seq + 1\n\
  local entry = epoch .. ' ' .. text(seq) .. ' ' .. text(now) .. ' ' .. ARGV[i + 2]\n\
  if kind == 'm' then\n\
    local r = pcall('XADD', KEYS[2], text(seq) .. '-0', 'e', entry)\n\
    if is_error(r) then\n\
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
-- What is more than may be kept goes a piece at a time, whatever the rules were\n\
-- before: the next who publishes goes on with it.\n\
if kind == 'm' then\n\
  local left, spare = call('XLEN', KEYS[2]), n + " NUMBER(TRIMMED_AT_ONCE) "\n\
  if left <= n then bytes = 0 for _, t in ipairs(told) do bytes = bytes + #t end end\n\
  local over = make_room(all_fits) and 0 or kept() + more - most_kept\n\
  while left > 0 and spare > 0 and (left > most or bytes > most_bytes or over > 0) do\n\
    local old, at = call('XRANGE', KEYS[2], '-', '+', 'COUNT', math.min(spare, 16)), {}\n\
    if not old[1] then break end\n\
    for _, x in ipairs(old) do\n\
      if left <= most and bytes <= most_bytes and over <= 0 then break end\n\
      at[#at + 1] = x[1]\n\
      bytes, over = bytes - #(x[2][2] or ''), over - #(x[2][2] or '')\n\
      left, spare = left - 1, spare - 1\n\
    end\n\
    call('XDEL', KEYS[2], unpack(at))\n\
  end\n\
  call('PEXPIRE', KEYS[2], text(age))\n\
elseif kind == 'n' and bytes > 0 then\n\
  call('UNLINK', KEYS[2])\n\
  bytes = 0\n\
end\n\
bytes = math.max(0, bytes)\n\
call('HSET', KEYS[1], 'seq', text(seq), 'bytes', text(bytes), 'floor', text(floor))\n\
if kind == 's' then note_count() end\n\
pending[#pending + 1] = text(counter) .. ' ' .. epoch .. ' ' .. text(first) .. ' '\n\
note_done(node, table.concat(pending), not done)\n\
if key ~= '' then note_key(key, digest .. ' ' .. epoch .. ' ' .. text(first) .. ' ' .. text(n)) end\n\
charge(bytes + weight_of_keys())\n\
keep(seq)\n\
for _, t in ipairs(told) do call('PUBLISH', topic, t) end\n\
return {'ok', epoch, text(first), text(n), forged}\n";

/*
 * ARGV: 8 the node's topic, 9 a number to know the answer by, 10 the channel, 11
 * and 12 epoch and number up to which it has all, 13 the most bytes at once, 14
 * the floor that it knows, of states, 15 the most messages, 16 how long somebody
 * is in it who need not be asked for again, in ms. It is told on the node's own
 * topic: so all that the channel is told before it is in it, and nothing that
 * comes after. Returns "channels" where the route has no room for it.
 */
static const char sync[] = "\
local topic, number, tag, known_epoch, known_seq = ARGV[8], ARGV[9], ARGV[10], ARGV[11], tonumber(ARGV[12])\n\
local most_size, known_floor, most, lease = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])\n\
local epoch, seq, past, bytes, floor = head(lease > 0 and lease * 1000 or nil)\n\
if not epoch then return 'channels' end\n\
local from, done, out, size, more = 0, 0, {}, 0, 0\n\
if known_epoch == epoch and known_seq <= seq then from = known_seq end\n\
-- What is not the entry of its number, or longer than any, goes as nothing: it\n\
-- is told of.\n\
local function add(entry, at)\n\
  if #entry > 2^26 + 2^17 or entry:match('^%w+ (%d+) ') ~= text(at) then entry = '' end\n\
  size = size + #entry + 16\n\
  if out[1] and size > most_size then more = done return false end\n\
  out[#out + 1] = #entry .. ':' .. entry\n\
  return true\n\
end\n\
if kind == 's' then\n\
  local old = now - " NUMBER(HUB_GONE_MS) "\n\
  read_count()\n\
  if not sound() then floor, bytes = begin_anew(seq) end\n\
  local before = floor\n\
  floor, bytes = forget_deleted(seq, floor, bytes, 256, function(had, key)\n\
    if not key then return false end\n\
    local time = (call('HGET', KEYS[2], key) or ''):match('^%w+ %d+ (%d+) ')\n\
    return time and tonumber(time) > old\n\
  end)\n\
  if floor ~= before then\n\
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))\n\
    note_count()\n\
  end\n\
  if from < floor and floor > known_floor then from = 0 end\n\
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
elseif kind == 'm' then\n\
  if is_error(pcall('XLEN', KEYS[2])) then forget() end\n\
  local at, full = math.max(from, seq - most), false\n\
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
keep(seq)\n\
return call('PUBLISH', topic, table.concat({'s', number, epoch, text(seq),\n\
  text(from), text(floor), text(more), #tag, #past}, ' ') .. '\\n' ..\n\
  tag .. past .. table.concat(out))\n";

/*
 * Somebody is in these channels, or nobody is any more at this node: then those
 * others who have one open are asked, and have some time to say that somebody is
 * there. KEYS: 1 a, 2 b. ARGV: 1 so long they are not given up, in ms, 2 the
 * lease of the keys in ms, 3 what topics begin with whose others are asked, or
 * "", and then the names.
 */
static const char vouch[] = "\
local call = redis.call\n\
local clock = call('TIME')\n\
local now_us, lease_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2]), tonumber(ARGV[1]) * 1000\n\
for i = 4, #ARGV do\n\
  local topic, till = ARGV[3] .. ARGV[i], now_us + lease_us\n\
  if ARGV[3] ~= '' and call('PUBSUB', 'NUMSUB', topic)[2] < 2 then\n\
    local seq = redis.pcall('HGET', KEYS[1]:sub(1, -4) .. ' ' .. ARGV[i] .. '}:h', 'seq')\n\
    till = now_us - (seq == '0' and 1000 * tonumber(ARGV[2]) or 0)\n\
  elseif ARGV[3] ~= '' then call('PUBLISH', topic, 'v') end\n\
  redis.pcall('ZADD', KEYS[1], 'XX', string.format('%.0f', till), ARGV[i])\n\
end\n\
call('PEXPIRE', KEYS[1], ARGV[2])\n\
call('PEXPIRE', KEYS[2], ARGV[2])\n";

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
	[REDIS_PUBLISH] = {words, route, head, states, receipts, publish},
	[REDIS_SYNC] = {words, route, head, states, sync},
	[REDIS_PEOPLE] = {people},
	[REDIS_VOUCH] = {vouch},
};
