# SPDX-License-Identifier: MIT
# A WebSocket at /live, for whatever serves Rack. REASON is what it refuses.
require 'faye/websocket'
plain = { 'Content-Type' => 'text/plain' }
if ENV['REASON'] == 'no database' && ENV['VARIANT'] != 'fixed'
  raise 'could not connect to the database'
end
run(lambda do |env|
  next [200, { 'Content-Type' => 'text/html' }, ['<h1>live</h1>']] if env['PATH_INFO'] == '/'
  next [404, plain, ["Not found\n"]] unless env['PATH_INFO'] == '/live'
  next [400, plain, ["A WebSocket is expected\n"]] unless Faye::WebSocket.websocket?(env)
  origin = env['HTTP_ORIGIN']
  if ENV['REASON'] == 'origin' && origin && origin != 'https://live.example'
    next [403, plain, ["Forbidden\n"]]
  end
  socket = Faye::WebSocket.new(env)
  socket.on(:message) { |event| socket.send(event.data) }
  socket.rack_response
end)
