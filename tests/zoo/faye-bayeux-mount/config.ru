# SPDX-License-Identifier: MIT
require 'faye'

Faye::WebSocket.load_adapter('thin')

use Faye::RackAdapter, mount: ENV['VARIANT'] == 'fixed' ? '/faye' : '/bayeux', timeout: 25
run(->(_env) { [404, { 'Content-Type' => 'text/plain' }, ["Not Found\n"]] })
