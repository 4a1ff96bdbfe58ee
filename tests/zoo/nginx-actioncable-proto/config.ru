# SPDX-License-Identifier: MIT
# Action Cable that lets its own pages in, whatever the host is
require 'logger'
require 'action_cable'
require 'action_controller'

module ApplicationCable
  class Connection < ActionCable::Connection::Base
  end
end

config = ActionCable.server.config
config.logger = Logger.new(nil)
config.cable = { 'adapter' => 'async' }
config.connection_class = -> { ApplicationCable::Connection }
config.mount_path = '/cable'
config.allow_same_origin_as_host = true

map('/cable') { run ActionCable.server }
map('/') { run ->(_) { [404, { 'content-type' => 'text/plain' }, ['Not Found']] } }
