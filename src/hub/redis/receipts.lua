-- SPDX-License-Identifier: MIT
-- What was done: KEYS 5 c, what each node had done, of each the list of its last;
-- 6 i, what was published under each Idempotency-Key, 7 j, these in their order.

local function done_by(node)
  local done = pcall('HGET', KEYS[5], node)
  if is_error(done) then
    call('DEL', KEYS[5])
    found('what nodes published (c)')
  end
  return type(done) == 'string' and done
end
-- Where somebody new comes those who did nothing for a minute are forgotten, so that
-- there are not more than have been there since. Where a node put what it may ask for
-- again is noted with the counter: the messages themselves may be gone by then.
local function note_done(node, list, is_new)
  if is_new and call('HLEN', KEYS[5]) >= 16 then
    local all = call('HGETALL', KEYS[5])
    for i = 1, #all, 2 do
      local at = whole(all[i + 1]:match('^(%d+)|'))
      if not at then found('what nodes published (c)') end
      if (at or 0) < now - 60000 then call('HDEL', KEYS[5], all[i]) end
    end
  end
  call('HSET', KEYS[5], node, text(now) .. '|' .. list)
  call('EXPIRE', KEYS[5], 60)
end
local function published_under(key)
  local old = pcall('HGET', KEYS[6], key)
  local digest, epoch, first, many, at =
    (type(old) == 'string' and old or ''):match('^(%w+) (%w+) (%d+) (%d+) (%d+)$')
  if type(old) == 'string' and not digest then found('an Idempotency-Key (i)') end
  if digest and tonumber(at) > now - HUB_RECEIPT_MS then return digest, epoch, first, many end
end
local function forget_keys()
  call('DEL', KEYS[6], KEYS[7])
  found('the Idempotency-Keys (i, j)')
end
local function note_key(key, receipt)
  local n = pcall('HLEN', KEYS[6])
  if is_error(n) or n ~= pcall('LLEN', KEYS[7]) then forget_keys() end
  if call('HSET', KEYS[6], key, receipt .. ' ' .. text(now)) == 0 then call('LREM', KEYS[7], 1, key) end
  if call('RPUSH', KEYS[7], key) > HUB_RECEIPTS_MAX then
    call('HDEL', KEYS[6], call('LPOP', KEYS[7]))
  end
  call('PEXPIRE', KEYS[6], HUB_RECEIPT_MS)
  call('PEXPIRE', KEYS[7], HUB_RECEIPT_MS)
end
local function weight_of_keys()
  local n = pcall('LLEN', KEYS[7])
  if is_error(n) then
    forget_keys()
    return 0
  end
  return n * 160
end
