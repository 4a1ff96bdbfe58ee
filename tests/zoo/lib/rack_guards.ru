# SPDX-License-Identifier: MIT
# An echo of faye-websocket at /live, behind the middleware of Rack that $MODE names.
require 'faye/websocket'
Faye::WebSocket.load_adapter('thin')
SECRET = 'kept-in-the-environment-of-the-server'
guard = ENV['VARIANT'] == 'fixed' ? '' : ENV['MODE']

case guard
when 'throttle', 'blocklist', 'agents'
  require 'rack/attack'
  require 'active_support'
  require 'active_support/cache'
  Rack::Attack.cache.store = ActiveSupport::Cache::MemoryStore.new
  Rack::Attack.throttle('live', limit: 3, period: 60, &:ip) if guard == 'throttle'
  Rack::Attack.blocklist('net') { |r| r.ip.start_with?('127.0.0.1') } if guard == 'blocklist'
  Rack::Attack.blocklist('bots') { |r| r.user_agent !~ /Mozilla/ } if guard == 'agents'
  use Rack::Attack
when 'warden'
  require 'warden'
  Warden::Strategies.add(:key) do
    def authenticate!
      params['key'] == 'k1' ? success!('ann') : fail!('no')
    end
  end
  use Rack::Session::Cookie, secret: 'x' * 64
  use Warden::Manager do |config|
    config.failure_app = ->(_) { [401, { 'content-type' => 'text/plain' }, ["sign in\n"]] }
    config.default_strategies :key
  end
end

run(lambda do |env|
  env['warden']&.authenticate!
  if guard == 'jwt'
    require 'jwt'
    begin
      JWT.decode(env['HTTP_AUTHORIZATION'].to_s.split.last, SECRET, true, algorithm: 'HS256')
    rescue JWT::DecodeError => e
      next [401, { 'Content-Type' => 'application/json' }, [%({"error":"#{e.message}"})]]
    end
  end
  next [404, { 'Content-Type' => 'text/html' }, ['<h1>no</h1>']] unless env['PATH_INFO'] == '/live'
  next [400, { 'Content-Type' => 'text/plain' }, ['upgrade']] unless Faye::WebSocket.websocket?(env)
  socket = Faye::WebSocket.new(env)
  socket.on(:message) { |event| socket.send(event.data) }
  socket.rack_response
end)
