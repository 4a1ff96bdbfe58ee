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
local function kept()
  local all = pcall('HGET', b, '\n')
  local n = not is_error(all) and whole(all or '0')
  if not n then
    call('DEL', b)
    found('the bytes of the route (b)')
  end
  return n or 0
end
-- The sum may be anybody's: where nothing else helps it is made anew, once a
-- minute; of very many channels, as they are published to.
local function add_up()
  local due, sum = whole(call('HGET', b, '\n\n'), now + 60000) or 0, 0
  if now < due then return end
  if call('HLEN', b) > 20000 then call('DEL', b) return end
  local all = call('HGETALL', b)
  for i = 1, #all, 2 do
    if all[i]:byte() ~= 10 then sum = sum + (whole(all[i + 1]) or 0) end
  end
  call('HSET', b, '\n', text(sum), '\n\n', text(now + 60000))
end
local function charge(bytes)
  local had = pcall('HGET', b, name)
  if is_error(had) then kept() had = nil end
  local was = whole(had or '0')
  if not was then found('the bytes of a channel (b)') end
  if bytes == was then return end
  was = was or 0
  kept()
  call('HINCRBY', b, '\n', text(bytes - was))
  if bytes == 0 then call('HDEL', b, name) else call('HSET', b, name, text(bytes)) end
end
local function end_channel(other)
  local size, keys = whole(call('HGET', b, other)), {}
  if size then call('HINCRBY', b, '\n', text(-size)) end
  call('HDEL', b, other)
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
  add_up()
  return enough()
end
