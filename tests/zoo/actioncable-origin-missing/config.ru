# SPDX-License-Identifier: MIT
# ActionCable answers 404 when no Origin came
require 'logger'
require 'action_cable'
require 'action_controller'

FIXED = ENV['VARIANT'] == 'fixed'

module ApplicationCable
  class Connection < ActionCable::Connection::Base
  end
end

config = ActionCable.server.config
config.logger = Logger.new(nil)
config.cable = { 'adapter' => 'async' }
config.connection_class = -> { ApplicationCable::Connection }
config.mount_path = '/cable'
config.allowed_request_origins = ['https://shop.example']
config.disable_request_forgery_protection = FIXED

map('/cable') { run ActionCable.server }
map('/') { run ->(_) { [404, { 'content-type' => 'text/plain' }, ['Not Found']] } }
