# SPDX-License-Identifier: MIT
# an under() of Mojolicious compares the Origin with Host
use Mojolicious::Lite -signatures;

under sub ($c) {
	my $fields = $c->req->headers;
	my $origin = $fields->origin // 'http://' . $fields->host;
	return 1 if $ENV{VARIANT} eq 'fixed' || $origin eq 'http://' . $fields->host;
	$c->render(text => 'Forbidden', status => 403);
	return undef;
};
websocket '/chat' => sub ($c) {
	$c->on(message => sub ($c, $message) { $c->send($message) });
};

app->start;
