# SPDX-License-Identifier: MIT
# em_websocket.rb PORT MODE VARIANT: an echo by em-websocket that closes again those
# that it does not want.
require 'em-websocket'

port, mode, variant = ARGV

REFUSES = {
  'channel' => ->(asked) { [4404, 'unknown channel'] if asked.path != '/channels/news' },
  'origin' => lambda do |asked|
    [4403, 'origin not allowed'] if asked.origin && asked.origin != 'https://app.example'
  end,
  'rate' => ->(_) { [4029, 'rate limited'] },
  'token' => ->(asked) { [4401, 'unauthorized'] if asked.query['token'] != 'open' }
}.freeze
refuses = variant == 'fixed' ? nil : REFUSES[mode]

EM.run do
  EM::WebSocket.run(host: '127.0.0.1', port: port.to_i) do |socket|
    socket.onopen do |asked|
      refusal = refuses&.call(asked)
      socket.close(*refusal) if refusal
    end
    socket.onmessage { |message| socket.send(message) }
    socket.onerror { |_| nil }
  end
end
