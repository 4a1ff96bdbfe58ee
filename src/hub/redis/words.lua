-- SPDX-License-Identifier: MIT
-- What publish.lua and sync.lua begin with. KEYS: 1 h, 2 m or s, 3 o, 4 g
-- (docs/backplane.md). ARGV: 1 the server's life, 2 an epoch in case it has to
-- begin one, 3 the kind, 4 the lease of what is kept in ms, 5 the bytes of the
-- channel's name, with which the key h ends, 6 and 7 the most channels, and bytes
-- in all of them, of the route.
--
-- An error is never left half done: what may fail for lack of memory comes first,
-- and the number is raised last. What is there may have been written by anybody,
-- so that what has the wrong type is deleted and begun anew, and told.

local call, pcall = redis.call, redis.pcall
local life, fresh, kind, age = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local hour = math.max(REDIS_KEPT_MS, age)
local clock = call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local now = math.floor(now_us / 1000)
local function text(n) return string.format('%.0f', n) end
local function whole(s, most)
  local n = tonumber(s or '')
  if n and n >= 0 and n <= (most or 2^52) and n % 1 == 0 then return n end
end
-- Beside its answer the node is told how many channels were ended for others, and
-- how many messages, and what was found that no gateway wrote, each thing once: it
-- counts that (redis_told_beside()).
local ended, trimmed, findings = 0, 0, {}
local function found(what)
  for _, other in ipairs(findings) do if other == what then return end end
  findings[#findings + 1] = what
end
local function answer(r)
  r[#r + 1] = {ended, trimmed, unpack(findings)}
  return r
end
local most_entry = HUB_REDIS_MESSAGE_MAX + 2^17
local function is_error(r) return type(r) == 'table' and r.err end
