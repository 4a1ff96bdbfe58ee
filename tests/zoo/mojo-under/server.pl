# SPDX-License-Identifier: MIT
# an under() of Mojolicious wants a session cookie
use Mojolicious::Lite -signatures;

under sub ($c) {
	return 1 if $ENV{VARIANT} eq 'fixed' || ($c->cookie('sess') // '') eq 'ok';
	$c->render(json => { error => 'login required' }, status => 401);
	return undef;
};
websocket '/chat' => sub ($c) {
	$c->on(message => sub ($c, $message) { $c->send($message) });
};

app->start;
