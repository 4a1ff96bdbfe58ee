-- SPDX-License-Identifier: MIT
-- The channel itself: its key h.

local function forget() call('DEL', KEYS[2], KEYS[3], KEYS[4]) end
local function is_epoch(e) return e and #e == 8 and not e:find('[^a-z2-7]') end
-- Where older epochs ended.
local function past_of(s)
  if not s or #s > 400 then return '' end
  local left, n = s:gsub('(%w+) (%d+) ', function(e, last)
    return is_epoch(e) and whole(last) and text(whole(last)) == last and ''
  end)
  return left == '' and n <= 8 and s or ''
end
-- Where the bound was lowered as many go as may in one call, and one may come.
local function is_room_for_one(used)
  local own, before = used and 1 or 0, call('ZCARD', a)
  make_room(function() return call('ZCARD', a) - own < most_channels end)
  local left = call('ZCARD', a)
  return left - own < most_channels or left < before
end
-- A number of the head, or what is taken instead: written there, or it would be told
-- each time.
local function read(s, field, instead, most)
  local n = whole(s or '0', most)
  if n then return n end
  found('the ' .. field .. ' of the head (h)')
  pcall('HSET', KEYS[1], field, text(instead))
  return instead
end
-- Entries prove a number that stands ahead of the channel's: they say themselves
-- which one they are. What else stands there is looked past, 16 at most.
local function proves(entry, at, epoch, past)
  local e, n = entry:match('^(%w+) (%d+) ')
  return is_epoch(e) and n == text(at) and (e == epoch or past:find(e .. ' ', 1, true))
end
local function value_of(key)
  local len = pcall('HSTRLEN', KEYS[2], key)
  local is_one = type(len) == 'number' and len > 0 and len <= most_entry
  return is_one and call('HGET', KEYS[2], key) or ''
end
local function newest_kept(epoch, seq, past)
  local ahead = {}
  if kind == 's' then
    ahead = pcall('ZREVRANGEBYSCORE', KEYS[3], '+inf', '(' .. text(seq), 'WITHSCORES', 'LIMIT', 0, 16)
    for i = 1, #ahead, 2 do
      local at = whole(ahead[i + 1])
      if at and proves(value_of(ahead[i]), at, epoch, past) then return at end
    end
  elseif kind == 'm' then
    ahead = pcall('XREVRANGE', KEYS[2], '+', text(seq + 1) .. '-0', 'COUNT', 16)
    for _, x in ipairs(ahead) do
      local at = whole(x[1]:match('^(%d+)-0$'))
      if at and proves(x[2][2] or '', at, epoch, past) then return at end
    end
  end
  return seq
end
local function past_with(past, epoch, seq)
  past = epoch .. ' ' .. text(seq) .. ' ' .. past
  local cut, n = 0, 0
  for at in past:gmatch('%w+ %d+ ()') do
    n = n + 1
    if n <= 8 then cut = at - 1 end
  end
  return past:sub(1, cut)
end
-- The id of what the server leads, if it tells, and whether it was another's before.
local function history()
  local info = pcall('INFO', 'replication')
  local at = type(info) == 'string' and info:find('master_replid:', 1, true)
  if not at then return end
  local id, former = info:match('^(%x+)%s+master_replid2:(%x+)', at + 14)
  return id, former and former:find('[^0]') and true
end
-- The channel's epoch, number, past, bytes and floor; nothing where the route has no
-- room for one more. After another life what clients saw and what was kept may
-- differ: a new epoch goes on from what was kept, and its past says where older ones
-- ended. What could not be told on, as no node could read it, is not taken from
-- there: without an epoch or a number the head is begun anew, and a floor that is
-- none is the safe one, the last. What nothing was ever said in goes sooner.
-- lease_us: so long somebody is in it; nil: it is only looked at.
--
-- No id may stand for two messages. A number that is behind what is kept goes on
-- from there. Where a node knows more nevertheless, up to known_seq of known_epoch,
-- or was told numbers a second time, from again on (0: none), a new epoch begins.
-- So it does where the server followed another one since and took what that one
-- had: it keeps its run_id then, but leads another history, and says that the one
-- before was another's. Else it may lead another one, too, as when a first replica
-- comes, and has lost nothing.
local recount, renewed
local function head(lease_us, known_epoch, known_seq, again)
  local e, used = pcall('HMGET', KEYS[1], 'epoch', 'seq', 'life', 'past', 'bytes', 'floor', 'recount', 'history'), used_at()
  if e.err then e = {} end
  local epoch, seq, past = e[1], whole(e[2]), past_of(e[4])
  local is_there = is_epoch(epoch) and seq
  recount = is_there and e[7]
  if not is_there and call('DEL', KEYS[1]) == 1 then found('the head (h)') end
  if not is_there and not is_room_for_one(used) then return end
  use(used, lease_us or is_there and seq > 0 and 0 or -1000 * hour)
  local id, has_followed = history()
  if not is_there then
    forget()
    call('HSET', KEYS[1], 'epoch', fresh, 'seq', 0, 'life', life,
         'past', '', 'bytes', 0, 'floor', 0, 'history', id or '')
    return fresh, 0, '', 0, 0
  end
  if past ~= (e[4] or '') then
    found('where older epochs ended (h)')
    pcall('HSET', KEYS[1], 'past', past)
  end
  local newest = newest_kept(epoch, seq, past)
  if newest > seq then
    seq = newest
    found('the number of the head (h)')
    call('HSET', KEYS[1], 'seq', text(seq))
  end
  local last, is_same = seq, e[3] == life
  if is_same and has_followed and e[8] and e[8] ~= id then
    renewed = true
    found('followed')
  elseif is_same and epoch == known_epoch and ((again or 0) > 0 or seq < known_seq) then
    renewed = true
    found('a number that went back (h)')
    if (again or 0) > 0 then last = math.min(again - 1, seq) end
  end
  if renewed or not is_same then
    past, epoch = past_with(past, epoch, last), fresh
    call('HSET', KEYS[1], 'epoch', epoch, 'life', life, 'past', past)
  end
  if id and id ~= e[8] then pcall('HSET', KEYS[1], 'history', id) end
  return epoch, seq, past, read(e[5], 'bytes', 0), read(e[6], 'floor', seq, seq)
end
local function keep(seq)
  call('PEXPIRE', KEYS[1], seq == 0 and REDIS_SILENT_MS or text(hour))
  if kind == 's' then
    for i = 2, 4 do call('PEXPIRE', KEYS[i], text(hour)) end
  end
end
