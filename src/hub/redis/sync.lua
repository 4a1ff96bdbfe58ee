-- SPDX-License-Identifier: MIT
-- Tell a node what a channel holds.
--
-- ARGV: 8 the node's topic, 9 a number to know the answer by, 10 the channel, 11 and
-- 12 epoch and number up to which it has all, 13 the most bytes at once, 14 the floor
-- that it knows, of states, 15 the most messages, 16 how long somebody is in it who
-- need not be asked for again, in ms, 17 the lowest number that it was told a second
-- time, or 0, 18 the channel's topic: there all are told where an epoch began with
-- that.
--
-- It is told on the node's own topic: so all that the channel is told before it is in
-- it, and nothing that comes after. Returns "told", or "channels" where the route has
-- no room for it; and what was found.

local topic, number, tag, known_epoch, known_seq = ARGV[8], ARGV[9], ARGV[10], ARGV[11], tonumber(ARGV[12])
local most_size, known_floor, most, lease = tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15]), tonumber(ARGV[16])
local epoch, seq, past, bytes, floor = head(lease > 0 and lease * 1000 or nil, known_epoch, known_seq, tonumber(ARGV[17]))
if not epoch then return answer{'channels'} end
if renewed then call('PUBLISH', ARGV[18], 'e') end
local from, done, out, size, more = 0, 0, {}, 0, 0
if known_epoch == epoch and known_seq <= seq then from = known_seq end
-- What is not the entry of its number, or longer than any, goes as nothing: it
-- is told of.
local function add(entry, at)
  if #entry > most_entry or entry:match('^%w+ (%d+) ') ~= text(at) then entry = '' end
  size = size + #entry + 16
  if out[1] and size > most_size then more = done return false end
  out[#out + 1] = #entry .. ':' .. entry
  return true
end
if kind == 's' then
  local old = now - HUB_GONE_MS
  read_count()
  if not sound() then floor, bytes = begin_anew(seq) end
  local before = floor
  floor, bytes = forget_deleted(seq, floor, bytes, 256, function(had, key)
    if not key then return false end
    local time = (call('HGET', KEYS[2], key) or ''):match('^%w+ %d+ (%d+) ')
    return time and tonumber(time) > old
  end)
  if floor ~= before then
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))
    note_count()
  end
  if from < floor and floor > known_floor then from = 0 end
  local at, full = text(from), false
  while not full do
    local keys = call('ZRANGEBYSCORE', KEYS[3], '(' .. at, text(seq), 'WITHSCORES', 'LIMIT', 0, 200)
    if not keys[1] then break end
    for i = 1, #keys, 2 do
      at = keys[i + 1]
      local entry = call('HGET', KEYS[2], keys[i])
      local number = math.floor(tonumber(at))
      if not entry then found('the order of values (o)') end
      if entry and not add(entry, number) then full = true break end
      done = number
    end
  end
elseif kind == 'm' then
  if is_error(pcall('XLEN', KEYS[2])) then
    forget()
    found('the messages (m)')
  end
  local at, full = math.max(from, seq - most), false
  while not full do
    local got = call('XRANGE', KEYS[2], text(at + 1) .. '-0', text(seq) .. '-0', 'COUNT', 100)
    if not got[1] then break end
    for _, x in ipairs(got) do
      at = tonumber(x[1]:match('^%d+'))
      if not add(x[2][2] or '', at) then full = true break end
      done = at
    end
  end
end
keep(seq)
call('PUBLISH', topic, table.concat({'s', number, epoch, text(seq),
  text(from), text(floor), text(more), #tag, #past}, ' ') .. '\n' ..
  tag .. past .. table.concat(out))
return answer{'told'}
