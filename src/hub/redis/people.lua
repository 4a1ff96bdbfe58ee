-- SPDX-License-Identifier: MIT
-- Tell a node who is in a channel, some of them at a time. Those of nodes that ended
-- without a word are taken out, or have a lease that no node takes, and what is
-- longer than REDIS_PERSON_MAX. Returns the channel, and what was found.
--
-- KEYS: 1 p. ARGV: 1 the node's topic, 2 a number, 3 the channel, 4 what leases of
-- nodes begin with, 5 the lease of the list in ms, 6 where to go on, 7 the lease of a
-- node in ms.

local call, out, alive, findings = redis.call, {}, {}, {}
local function found(what)
  for _, other in ipairs(findings) do if other == what then return end end
  findings[#findings + 1] = what
end
local t = call('TYPE', KEYS[1]).ok
if t ~= 'hash' and t ~= 'none' then
  call('DEL', KEYS[1])
  found('who is there (p)')
end
local scan = call('HSCAN', KEYS[1], ARGV[6], 'COUNT', 250)
for i = 1, #scan[2], 2 do
  local who = scan[2][i]
  local node = who:match('^(%x+) .') or ''
  if alive[node] == nil then
    local left = call('PTTL', ARGV[4] .. node)
    alive[node] = left > 0 and left <= tonumber(ARGV[7])
    if left == -1 or left > tonumber(ARGV[7]) then found('the lease of a node') end
  end
  if #node ~= 16 or #who > 200 then found('somebody (p)') end
  if not alive[node] or #who > 200 then call('HDEL', KEYS[1], who)
  else out[#out + 1] = #who .. ':' .. who end
end
call('PEXPIRE', KEYS[1], ARGV[5])
call('PUBLISH', ARGV[1], table.concat({'p', ARGV[2], scan[1], #ARGV[3]}, ' ') ..
  '\n' .. ARGV[3] .. table.concat(out))
return {ARGV[3], {0, 0, unpack(findings)}}
