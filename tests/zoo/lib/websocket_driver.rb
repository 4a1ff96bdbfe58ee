# SPDX-License-Identifier: MIT
# websocket_driver.rb PORT MODE VARIANT: an echo by Ruby's websocket-driver on a plain
# TCPServer, whose application answers by hand for the reason that MODE names.
require 'socket'
require 'websocket/driver'

port, mode, variant = ARGV

# What the driver wants of a connection.
class Wire
  attr_reader :url

  def initialize(socket)
    @socket = socket
  end

  def write(data)
    @socket.write(data)
  rescue SystemCallError
    nil
  end
end

REFUSES = {
  'origin' => lambda do |asked|
    origin = asked['HTTP_ORIGIN']
    ['403 Forbidden', '', []] if origin && origin != 'http://shop.example:8080'
  end,
  'path' => lambda do |asked|
    ['404 Not Found', "No route.\n", ['Content-Type: text/plain']] if asked['PATH_INFO'] != '/drill'
  end,
  'token' => lambda do |asked|
    return if asked['HTTP_AUTHORIZATION'] == 'Token token=abc'

    ['401 Unauthorized', "HTTP Token: Access denied.\n",
     ['WWW-Authenticate: Token realm="Application"']]
  end
}.freeze
# A path that nobody knows is not known in the mended variant either.
refuses = variant == 'fixed' && mode != 'path' ? nil : REFUSES[mode]
closes = mode == 'maintenance' && variant != 'fixed'
protocols = mode == 'protocol' && variant != 'fixed' ? ['drill.v3'] : nil

def answer(socket, status, body, fields)
  socket.write(["HTTP/1.1 #{status}", *fields, "Content-Length: #{body.bytesize}",
                'Connection: close', '', body].join("\r\n"))
  socket.close
end

server = TCPServer.new('127.0.0.1', port.to_i)
loop do
  Thread.new(server.accept) do |socket|
    driver = WebSocket::Driver.server(Wire.new(socket), protocols: protocols)
    driver.on(:connect) do
      refusal = refuses&.call(driver.env)
      refusal ? answer(socket, *refusal) : driver.start
    end
    driver.on(:open) { driver.close('maintenance', 1001) if closes }
    driver.on(:message) { |message| driver.text(message.data) }
    driver.parse(socket.readpartial(4096)) until socket.closed?
  rescue IOError, SystemCallError
    socket.close
  end
end
