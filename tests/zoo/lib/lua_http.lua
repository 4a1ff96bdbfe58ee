-- SPDX-License-Identifier: MIT
-- lua_http.lua PORT MODE VARIANT: an echo by lua-http.
local server, headers, websocket =
  require "http.server", require "http.headers", require "http.websocket"
local port, mode = tonumber(arg[1]), arg[3] ~= "fixed" and arg[2]

local function answer(stream, status, text)
  local fields = headers.new()
  fields:append(":status", status)
  fields:append("content-type", "text/plain")
  stream:write_headers(fields, false)
  stream:write_chunk(text, true)
end

local function on_stream(_, stream)
  local request = assert(stream:get_headers())
  if mode == "key" and request:get("x-api-key") ~= "k9" then
    return answer(stream, "401", "missing or bad x-api-key\n")
  end
  local socket, wrong = websocket.new_from_stream(stream, request)
  if not socket then return answer(stream, "400", tostring(wrong) .. "\n") end
  assert(socket:accept {})
  if mode == "device" then return socket:close(4404, "unknown device") end
  for message in socket:each() do socket:send(message) end
end

local listens = assert(server.listen { host = "127.0.0.1", port = port, tls = false,
  onstream = on_stream, onerror = function() end })
assert(listens:listen())
assert(listens:loop())
