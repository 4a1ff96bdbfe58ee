-- SPDX-License-Identifier: MIT
-- States: the keys s, o and g.

-- Where there seems to be no room the values are counted anew, for the sum in the
-- head may be anybody's: 1,000 of them in a call, in the order of their numbers,
-- 100 ms between two calls and a minute between two counts. Up to the number at they
-- take sum; who is counted and changes goes behind it, and is taken from sum.
local at, sum, due = 0, 0, 0
local function read_count()
  local a, s, d = (recount or ''):match('^(%d+) (%d+) (%d+)$')
  a, s, d = whole(a), whole(s), whole(d, now + 61000)
  if a and s and d then at, sum, due = a, s, d
  elseif recount then
    call('HDEL', KEYS[1], 'recount')
    found('the recount of the head (h)')
  end
end
local function note_count()
  if due > 0 then
    call('HSET', KEYS[1], 'recount', text(at) .. ' ' .. text(sum) .. ' ' .. text(due))
  end
end
local function uncount(key, len)
  if at > 0 and len > 0 and (tonumber(call('ZSCORE', KEYS[3], key)) or 2^53) <= at then sum = sum - len end
end
local function count_some(seq, bytes)
  if now < due then return bytes end
  local keys = call('ZRANGEBYSCORE', KEYS[3], '(' .. text(at), text(seq), 'WITHSCORES', 'LIMIT', 0, 1000)
  for i = 1, #keys, 2 do
    sum = sum + call('HSTRLEN', KEYS[2], keys[i])
    at = math.ceil(tonumber(keys[i + 1]))
  end
  due = now + 100
  if #keys < 2000 then bytes, at, sum, due = sum, 0, 0, now + 60000 end
  return bytes
end
-- Whether the keys are those of a state, or somebody wrote there.
local function sound()
  local n = pcall('HLEN', KEYS[2])
  return type(n) == 'number' and n == pcall('ZCARD', KEYS[3]) and
         type(pcall('ZCARD', KEYS[4])) == 'number'
end
local function begin_anew(seq)
  found('the values of a state (s, o, g)')
  call('HSET', KEYS[1], 'bytes', 0, 'floor', text(seq))
  call('HDEL', KEYS[1], 'recount')
  at, sum, due = 0, 0, 0
  forget()
  return seq, 0
end
-- Deletions are kept for a while; see floor in hub/state.h.
local function forget_deleted(seq, floor, bytes, most, enough)
  for _ = 1, most do
    if enough(bytes) then break end
    local g = call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
    if not g[1] or enough(bytes, g[1]) then break end
    local len, gone_at = call('HSTRLEN', KEYS[2], g[1]), whole(g[2], seq)
    if len == 0 or not gone_at then found('a deletion (g)') end
    bytes = bytes - len
    uncount(g[1], len)
    call('HDEL', KEYS[2], g[1])
    call('ZREM', KEYS[3], g[1])
    call('ZREM', KEYS[4], g[1])
    floor = math.max(floor, gone_at or seq)
  end
  return floor, bytes
end
