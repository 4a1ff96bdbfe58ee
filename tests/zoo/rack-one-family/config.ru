# SPDX-License-Identifier: MIT
require 'faye/websocket'

Faye::WebSocket.load_adapter('thin')

HEAD = { 'Content-Type' => 'application/json' }.freeze
LISTED = ['::1', '10.20.'] + (ENV['VARIANT'] == 'fixed' ? ['127.', '::ffff:127.'] : [])

run(lambda do |env|
  next [200, HEAD, ['{"service":"ops"}']] unless Faye::WebSocket.websocket?(env)

  listed = LISTED.any? { |net| env['REMOTE_ADDR'].to_s.start_with?(net) }
  next [403, HEAD, ['{"error":"forbidden"}']] unless listed

  Faye::WebSocket.new(env).rack_response
end)
