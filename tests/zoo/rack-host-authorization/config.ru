# SPDX-License-Identifier: MIT
# a list of host names, as Rails has it
require 'faye/websocket'

Faye::WebSocket.load_adapter('puma') rescue nil
FIXED = ENV['VARIANT'] == 'fixed'
def other(env)
  [403, { 'Content-Type' => 'text/plain' }, ["Blocked host: #{env['HTTP_HOST']}"]]
end

run lambda { |env|
  next other(env) unless Faye::WebSocket.websocket?(env) && (FIXED || env['HTTP_HOST'] =~ /\A(localhost|127\.0\.0\.1)/)

  socket = Faye::WebSocket.new(env)
  socket.on(:message) { |message| socket.send(message.data) }
  socket.rack_response
}
