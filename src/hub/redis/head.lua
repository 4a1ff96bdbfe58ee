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
-- The channel's epoch, number, past, bytes and floor; nothing where the route has no
-- room for one more. After another life what clients saw and what was kept may
-- differ: a new epoch goes on from what was kept, and its past says where older ones
-- ended. What could not be told on, as no node could read it, is not taken from
-- there: without an epoch or a number the head is begun anew, and a floor that is
-- none is the safe one, the last. What nothing was ever said in goes sooner.
-- lease_us: so long somebody is in it; nil: it is only looked at.
local recount
local function head(lease_us)
  local e, used = pcall('HMGET', KEYS[1], 'epoch', 'seq', 'life', 'past', 'bytes', 'floor', 'recount'), used_at()
  if e.err then e = {} end
  local epoch, seq, past = e[1], whole(e[2]), past_of(e[4])
  local is_there = is_epoch(epoch) and seq
  recount = is_there and e[7]
  if not is_there and call('DEL', KEYS[1]) == 1 then found('the head (h)') end
  if not is_there and not is_room_for_one(used) then return end
  use(used, lease_us or is_there and seq > 0 and 0 or -1000 * hour)
  if not is_there then
    forget()
    call('HSET', KEYS[1], 'epoch', fresh, 'seq', 0, 'life', life,
         'past', '', 'bytes', 0, 'floor', 0)
    return fresh, 0, '', 0, 0
  end
  if past ~= (e[4] or '') then
    found('where older epochs ended (h)')
    pcall('HSET', KEYS[1], 'past', past)
  end
  if e[3] ~= life then
    past = epoch .. ' ' .. text(seq) .. ' ' .. past
    local cut, n = 0, 0
    for at in past:gmatch('%w+ %d+ ()') do
      n = n + 1
      if n <= 8 then cut = at - 1 end
    end
    past, epoch = past:sub(1, cut), fresh
    call('HSET', KEYS[1], 'epoch', epoch, 'life', life, 'past', past)
  end
  return epoch, seq, past, read(e[5], 'bytes', 0), read(e[6], 'floor', seq, seq)
end
local function keep(seq)
  call('PEXPIRE', KEYS[1], seq == 0 and REDIS_SILENT_MS or text(hour))
  if kind == 's' then
    for i = 2, 4 do call('PEXPIRE', KEYS[i], text(hour)) end
  end
end
