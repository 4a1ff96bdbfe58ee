# SPDX-License-Identifier: MIT
# faye-websocket has the socket at /socket
require 'faye/websocket'

Faye::WebSocket.load_adapter('puma') rescue nil
FIXED = ENV['VARIANT'] == 'fixed'
PAGE = '<script>new WebSocket("ws://" + location.host + "/socket")</script>'.freeze

def other(env)
  return [200, { 'Content-Type' => 'text/html' }, [PAGE]] if env['PATH_INFO'] == '/'

  [404, { 'Content-Type' => 'text/plain' }, ['Not Found']]
end

run lambda { |env|
  next other(env) unless Faye::WebSocket.websocket?(env) && (FIXED || env['PATH_INFO'] == '/socket')

  socket = Faye::WebSocket.new(env)
  socket.on(:message) { |message| socket.send(message.data) }
  socket.rack_response
}
