-- SPDX-License-Identifier: MIT
-- Number, keep and tell messages.
--
-- ARGV: 8 the topic, 9 the node, 10 its counter, 11 up to when (by the clock of
-- Redis, in ms), 12 and 13 the most messages (or keys) and bytes, 14 and 15 an
-- Idempotency-Key and what is published under it, as digests, or "", 16 the counter
-- up to which the node has all answers, 17 whether it may have come before, 18 and 19
-- epoch and number up to which it knows the channel, and then the messages: for each
-- its key, 1 if it takes that away, and the rest of its entry (redis_entry.h).
--
-- Returns what became of it, the epoch, the first number and how many, and what was
-- found. What a node sends for the first time cannot be noted, nor what it sends later:
-- that is taken out.

local topic, node, counter, late_at = ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local most, most_bytes, key, digest = tonumber(ARGV[12]), tonumber(ARGV[13]), ARGV[14], ARGV[15]
local answered, is_again, begin = tonumber(ARGV[16]), ARGV[17] == '1', 20
local n = (#ARGV - begin + 1) / 3
-- It may have come before, over a connection that broke.
local done, pending, last = done_by(node), {}, 0
local read_bytes = #((done or ''):match('^%d+|') or '')
for c, epoch, first in (done or ''):gmatch('(%d+) (%w+) (%d+) ') do
  local old = tonumber(c)
  read_bytes = read_bytes + #c + #epoch + #first + 3
  if old >= counter and not is_again then
    found('what this node published (c)')
  else
    last = old
    if last == counter then return answer{'ok', epoch, first, text(n)} end
    if last > answered then pending[#pending + 1] = c .. ' ' .. epoch .. ' ' .. first .. ' ' end
  end
end
if done and read_bytes < #done then found('what this node published (c)') end
if last > counter then
  found('what this node published (c)')
  return answer{'unknown'}
end
if now > late_at then return answer{'late'} end
if key ~= '' then
  local other, epoch, first, many = published_under(key)
  if other and other ~= digest then return answer{'other'} end
  if other then return answer{'again', epoch, first, many} end
end
-- Once it has written anything a full Redis denies it nothing: so it is asked
-- before, by what changes nothing.
local room = pcall('ZADD', a, 'XX', 0, '\n')
if is_error(room) and room.err:find('OOM', 1, true) then return room end
local epoch, seq, past, bytes, floor = head(0, ARGV[18], tonumber(ARGV[19]))
if not epoch then return answer{'channels'} end
local first, more = seq + 1, 0
local function all_fits() return kept() + more <= most_kept end
local function finds_room()
  if not all_fits() then add_up() end
  return make_room(all_fits)
end
if kind == 'm' then
  for i = begin, #ARGV, 3 do more = more + #ARGV[i + 2] + 40 end
elseif kind == 's' then
  read_count()
  if not sound() then floor, bytes = begin_anew(seq) end
  local keys, seen = 0, {}
  for i = begin, #ARGV, 3 do
    if ARGV[i + 1] ~= '1' and not seen[ARGV[i]] then
      local old = call('HSTRLEN', KEYS[2], ARGV[i])
      seen[ARGV[i]] = true
      if old == 0 then keys = keys + 1 end
      more = more + math.max(0, #ARGV[i + 2] + 40 - old)
    end
  end
  local function fits(had)
    return more == 0 or had + more <= most_bytes and
           call('HLEN', KEYS[2]) + keys <= most
  end
  floor, bytes = forget_deleted(seq, floor, bytes, n + 256, fits)
  if more > 0 and bytes + more > most_bytes then bytes = count_some(seq, bytes) end
  if not fits(bytes) or more > 0 and not finds_room() then
    call('HSET', KEYS[1], 'bytes', text(bytes), 'floor', text(floor))
    note_count()
    return answer{'full'}
  end
end
-- No gateway wrote what stands there already.
local function take_out_from(at)
  local before, ids = text(at - 1), {}
  local junk = pcall('XRANGE', KEYS[2], before .. '-1', '+', 'COUNT', TRIMMED_AT_ONCE)
  if is_error(junk) then return false end
  for _, x in ipairs(junk) do ids[#ids + 1] = x[1] end
  if ids[1] then call('XDEL', KEYS[2], unpack(ids)) end
  return not is_error(pcall('XSETID', KEYS[2], before .. '-0'))
end
local told = {}
for i = begin, #ARGV, 3 do
  seq = seq + 1
  local entry = epoch .. ' ' .. text(seq) .. ' ' .. text(now) .. ' ' .. ARGV[i + 2]
  if kind == 'm' then
    local r = pcall('XADD', KEYS[2], text(seq) .. '-0', 'e', entry)
    if is_error(r) then
      if r.err:find('OOM', 1, true) then return r end
      if not take_out_from(seq) then forget() bytes = 0 end
      found('the messages (m)')
      call('XADD', KEYS[2], text(seq) .. '-0', 'e', entry)
    end
    bytes = bytes + #entry
  elseif kind == 's' then
    local old = call('HSTRLEN', KEYS[2], ARGV[i])
    uncount(ARGV[i], old)
    bytes = bytes + #entry - old
    call('HSET', KEYS[2], ARGV[i], entry)
    call('ZADD', KEYS[3], text(seq), ARGV[i])
    if ARGV[i + 1] == '1' then call('ZADD', KEYS[4], text(seq), ARGV[i])
    else call('ZREM', KEYS[4], ARGV[i]) end
  end
  told[#told + 1] = 'm' .. entry
end
-- What is more than may be kept goes a piece at a time, whatever the rules were
-- before: the next who publishes goes on with it.
if kind == 'm' then
  local left, spare = call('XLEN', KEYS[2]), n + TRIMMED_AT_ONCE
  if left <= n then bytes = 0 for _, t in ipairs(told) do bytes = bytes + #t end end
  local over = finds_room() and 0 or kept() + more - most_kept
  while left > 0 and spare > 0 and (left > most or bytes > most_bytes or over > 0) do
    local old, at = call('XRANGE', KEYS[2], '-', '+', 'COUNT', math.min(spare, 16)), {}
    if not old[1] then break end
    for _, x in ipairs(old) do
      if left <= most and bytes <= most_bytes and over <= 0 then break end
      if left <= most and bytes <= most_bytes then trimmed = trimmed + 1 end
      at[#at + 1] = x[1]
      bytes, over = bytes - #(x[2][2] or ''), over - #(x[2][2] or '')
      left, spare = left - 1, spare - 1
    end
    call('XDEL', KEYS[2], unpack(at))
  end
  call('PEXPIRE', KEYS[2], text(age))
elseif kind == 'n' and bytes > 0 then
  call('UNLINK', KEYS[2])
  bytes = 0
end
bytes = math.max(0, bytes)
call('HSET', KEYS[1], 'seq', text(seq), 'bytes', text(bytes), 'floor', text(floor))
if kind == 's' then note_count() end
pending[#pending + 1] = text(counter) .. ' ' .. epoch .. ' ' .. text(first) .. ' '
note_done(node, table.concat(pending), not done)
if key ~= '' then note_key(key, digest .. ' ' .. epoch .. ' ' .. text(first) .. ' ' .. text(n)) end
charge(bytes + weight_of_keys())
keep(seq)
for _, t in ipairs(told) do call('PUBLISH', topic, t) end
return answer{'ok', epoch, text(first), text(n)}
