# SPDX-License-Identifier: MIT
# the room is missing from the query
use Mojolicious::Lite -signatures;

websocket '/rooms' => sub ($c) {
	return $c->render(json => { error => 'missing query parameter: room' }, status => 400)
		unless length($c->param('room') // '');
	$c->on(message => sub ($c, $message) { $c->send($message) });
};

app->start;
