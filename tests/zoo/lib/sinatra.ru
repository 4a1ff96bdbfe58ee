# SPDX-License-Identifier: MIT
# A Sinatra application with an echo of faye-websocket at /cable/live, for those
# that are signed in if $MODE is login.
require 'sinatra/base'
require 'faye/websocket'

Faye::WebSocket.load_adapter('thin')

class App < Sinatra::Base
  set :environment, :production
  use Rack::Session::Cookie, secret: 'x' * 64

  get('/') { '<script>new WebSocket("ws://" + location.host + "/cable/live")</script>' }

  get('/cable/live') do
    guarded = ENV['MODE'] == 'login' && ENV['VARIANT'] != 'fixed'
    halt 401, 'You must sign in' if guarded && !session[:user]
    halt 426, 'Upgrade Required' unless Faye::WebSocket.websocket?(request.env)
    socket = Faye::WebSocket.new(request.env)
    socket.on(:message) { |event| socket.send(event.data) }
    socket.rack_response
  end
end

run App
