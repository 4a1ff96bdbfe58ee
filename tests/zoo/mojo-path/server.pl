# SPDX-License-Identifier: MIT
# Mojolicious has the socket at /echo
use Mojolicious::Lite -signatures;

get '/' => sub ($c) {
	$c->render(text => '<script>var ws = new WebSocket("ws://" + location.host + "/echo");</script>');
};
websocket '/echo' => sub ($c) {
	$c->on(message => sub ($c, $message) { $c->send($message) });
};

app->start;
