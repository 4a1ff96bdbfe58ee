-- SPDX-License-Identifier: MIT
-- Somebody is in these channels, or nobody is any more at this node: then those
-- others who have one open are asked, and have some time to say that somebody is
-- there.
--
-- KEYS: 1 a, 2 b. ARGV: 1 so long they are not given up, in ms, 2 the lease of the
-- keys in ms, 3 what topics begin with whose others are asked, or "", and then the
-- names. Returns the route, and what was found.

local call, findings = redis.call, {}
local clock = call('TIME')
local now_us, lease_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2]), tonumber(ARGV[1]) * 1000
for i = 4, #ARGV do
  local topic, till = ARGV[3] .. ARGV[i], now_us + lease_us
  if ARGV[3] ~= '' and call('PUBSUB', 'NUMSUB', topic)[2] < 2 then
    local seq = redis.pcall('HGET', KEYS[1]:sub(1, -4) .. ' ' .. ARGV[i] .. '}:h', 'seq')
    till = now_us - (seq == '0' and 1000 * tonumber(ARGV[2]) or 0)
  elseif ARGV[3] ~= '' then call('PUBLISH', topic, 'v') end
  local r = redis.pcall('ZADD', KEYS[1], 'XX', string.format('%.0f', till), ARGV[i])
  if type(r) == 'table' and r.err and r.err:find('WRONGTYPE', 1, true) then
    call('DEL', KEYS[1])
    findings[1] = 'the channels of the route (a)'
  end
end
call('PEXPIRE', KEYS[1], ARGV[2])
call('PEXPIRE', KEYS[2], ARGV[2])
return {KEYS[1]:match('{(.*)}'), {0, 0, unpack(findings)}}
