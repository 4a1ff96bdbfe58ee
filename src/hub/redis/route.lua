-- SPDX-License-Identifier: MIT
-- The channels of the route: a, when each was last used, or up to when somebody is
-- in it, in us; b, the bytes of each, and under a name that none has those of all.

local name_len = tonumber(ARGV[5])
local most_channels, most_kept = tonumber(ARGV[6]), tonumber(ARGV[7])
local stem, name = KEYS[1]:sub(1, -4 - name_len), KEYS[1]:sub(-3 - name_len, -4)
local a, b = stem:sub(1, -2) .. '}:a', stem:sub(1, -2) .. '}:b'
local far_off = now_us + 7200000000
local function used_at()
  local at = pcall('ZSCORE', a, name)
  if is_error(at) then
    call('DEL', a)
    found('the channels of the route (a)')
  end
  at = type(at) == 'string' and tonumber(at)
  if at and at > far_off then found('when it was used (a)') end
  return at
end
local function use(at, lease_us)
  local till = now_us + lease_us
  if at and at > till - 1000000 and at < far_off then return end
  pcall('ZADD', a, text(till), name)
  call('PEXPIRE', a, text(hour))
  call('PEXPIRE', b, text(hour))
end
-- The sum may be anybody's. Where there seems to be no room, or it is none, it is made
-- anew in a round: 1,000 channels in a step, and a minute between two rounds. Under two line
-- feeds stands "ROUND CURSOR DUE", with a ROUND of 0 while there is none; under three
-- what was added up so far. A channel that was has the round behind its bytes: what
-- becomes of it until the end of the round is taken into account in both sums.
local function entry_of(s)
  local n, mark = (s or '0'):match('^(%d+) ?(%d*)$')
  return whole(n), mark
end
local function note_round(round, cursor, due, sum)
  call('HSET', b, '\n\n', round .. ' ' .. cursor .. ' ' .. text(due), '\n\n\n', text(sum))
end
local function give_round_up()
  call('HDEL', b, '\n\n', '\n\n\n')
  found('the recount of the route (b)')
end
local function round_of(s)
  local round, cursor, due = (s or '0 0 0'):match('^(%d+) (%d+) (%d+)$')
  if not round then
    give_round_up()
    return '0', '0', 0
  end
  due = tonumber(due)
  return round, cursor, due <= now + 60000 and due or 0
end
local function new_round() return text(now_us % 1000000000 + 1) end
local function kept()
  local all = pcall('HGET', b, '\n')
  local n = not is_error(all) and whole(all or '0')
  if n then return n end
  found('the bytes of the route (b)')
  if is_error(all) then call('DEL', b)
  else
    call('HSET', b, '\n', '0')
    note_round(new_round(), '0', 0, 0)
  end
  return 0
end
local function is_known(other)
  if call('ZSCORE', a, other) then return true end
  if call('EXISTS', stem .. other .. '}:h') == 0 then return false end
  return call('ZADD', a, text(now_us), other)
end
local function add_some(round, fields)
  local sum = 0
  for i = 1, #fields, 2 do
    local other, n, mark = fields[i], entry_of(fields[i + 1])
    if other:byte() ~= 10 and mark ~= round then
      if n and is_known(other) then
        sum = sum + n
        call('HSET', b, other, text(n) .. ' ' .. round)
      else
        call('HDEL', b, other)
        found('the bytes of a channel (b)')
      end
    end
  end
  return sum
end
local has_added
local function add_up()
  if has_added then return end
  local round, cursor, due = round_of(call('HGET', b, '\n\n'))
  if round == '0' and now < due then return end
  if round == '0' then
    round, cursor = new_round(), '0'
    note_round(round, cursor, 0, 0)
  end
  has_added = true
  local scan = pcall('HSCAN', b, cursor, 'COUNT', 1000)
  if is_error(scan) then return give_round_up() end
  local sum = add_some(round, scan[2]) + (whole(call('HGET', b, '\n\n\n')) or 0)
  if scan[1] ~= '0' then return note_round(round, scan[1], 0, sum) end
  if sum ~= kept() then found('the bytes of the route (b)') end
  call('HSET', b, '\n', text(sum))
  note_round('0', '0', now + 60000, 0)
end
local function note_bytes(other, entry, bytes, round)
  local was, mark = entry_of(entry)
  if not was then found('the bytes of a channel (b)') end
  if bytes == was then return end
  local more = bytes - (was or 0)
  local is_counted = round ~= '0' and (not entry or mark == round)
  call('HINCRBY', b, '\n', text(more))
  if is_counted and is_error(pcall('HINCRBY', b, '\n\n\n', text(more))) then give_round_up() end
  if bytes == 0 then call('HDEL', b, other)
  else call('HSET', b, other, text(bytes) .. (is_counted and ' ' .. round or '')) end
end
local function charge(bytes)
  kept()
  local e = call('HMGET', b, name, '\n\n')
  local round = round_of(e[2])
  note_bytes(name, e[1], bytes, round)
  if round ~= '0' then add_up() end
end
local function end_channel(other)
  local e, keys = call('HMGET', b, other, '\n\n'), {}
  note_bytes(other, e[1], 0, (round_of(e[2])))
  local at = tonumber(call('ZSCORE', a, other))
  call('ZREM', a, other)
  for key in ('hmsogcijp'):gmatch('.') do keys[#keys + 1] = stem .. other .. '}:' .. key end
  local is_there = call('UNLINK', unpack(keys)) > 0
  if is_there then ended = ended + 1 end
  if at > far_off then found('when it was used (a)')
  elseif not is_there and at > now_us - 120000000 then found('a name of a channel (a)') end
end
-- Where one too many would be, or bytes, those go that nobody is in, first those
-- that nothing was said in, as if they had not been used for a lease, then the
-- longest unused, a few at a time. A time that is far off no gateway wrote.
local function next_to_go()
  local old = call('ZRANGEBYSCORE', a, '-inf', '(' .. text(now_us), 'LIMIT', 0, 2)
  if old[1] == name then return old[2] end
  return old[1] or call('ZRANGEBYSCORE', a, text(far_off), '+inf', 'LIMIT', 0, 1)[1]
end
local function make_room(enough)
  if enough() then return true end
  kept()
  for _ = 1, 16 do
    local other = next_to_go()
    if not other then break end
    end_channel(other)
    if enough() then return true end
  end
  return enough()
end
