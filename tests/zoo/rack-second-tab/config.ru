# SPDX-License-Identifier: MIT
require 'faye/websocket'
require 'json'

Faye::WebSocket.load_adapter('thin')

HEAD = { 'Content-Type' => 'application/json' }.freeze
TAKEN = { error: 'conflict', message: 'This account already has an open session' }.freeze

run(lambda do |env|
  next [200, HEAD, ['{"service":"desk"}']] unless Faye::WebSocket.websocket?(env)

  again = ENV['VARIANT'] != 'fixed' && Rack::Request.new(env).cookies['uid'] == '17'
  next [409, HEAD, [JSON.generate(TAKEN)]] if again

  Faye::WebSocket.new(env).rack_response
end)
