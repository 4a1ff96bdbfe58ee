# SPDX-License-Identifier: MIT
# crystal MODE PORT VARIANT: an echo by Crystal's HTTP::WebSocketHandler.
require "http/server"

mode = ARGV[2] == "fixed" ? "plain" : ARGV[0]

class Guard
  include HTTP::Handler

  def initialize(@mode : String)
  end

  def call(context)
    fields = context.request.headers
    case @mode
    when "tenant"
      raise KeyError.new("Missing hash key: \"X-Tenant\"") unless fields.has_key?("X-Tenant")
    when "origin"
      if fields.fetch("Origin", "https://kemal.example") != "https://kemal.example"
        context.response.status_code = 403
        return
      end
    end
    call_next(context)
  end
end

echo = HTTP::WebSocketHandler.new do |socket|
  socket.on_message { |message| socket.send message }
end
server = HTTP::Server.new([HTTP::ErrorHandler.new, Guard.new(mode), echo])
server.bind_tcp "127.0.0.1", ARGV[1].to_i
server.listen
