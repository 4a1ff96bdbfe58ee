# SPDX-License-Identifier: MIT
# A PSGI echo at /ws by AnyEvent and Protocol::WebSocket, for one `origin` or one
# password (`basic`), or with a subprotocol that nobody offered (`unasked`), as $MODE says.
use strict;
use warnings;
use AnyEvent::Handle;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Server;

my $mode = $ENV{VARIANT} eq 'fixed' ? 'none' : $ENV{MODE};
my @text = ('Content-Type', 'text/plain');

sub refusal {
	my $env = shift;
	return [404, [@text], ['Not Found']] if $env->{PATH_INFO} ne '/ws';
	return [403, [@text], ['Bad origin']]
		if $mode eq 'origin' && ($env->{HTTP_ORIGIN} // '') !~ m{^https?://(www\.)?app\.example$};
	return [401, ['WWW-Authenticate', 'Basic realm="feed"', @text], ['Authorization required']]
		if $mode eq 'basic' && ($env->{HTTP_AUTHORIZATION} // '') ne 'Basic YW5uOm9wZW4=';
	return;
}

sub echo {
	my ($socket, $handshake) = @_;
	my $peer = AnyEvent::Handle->new(fh => $socket);
	my $frame = Protocol::WebSocket::Frame->new;
	$peer->push_write($handshake->to_string);
	$peer->on_read(sub {
		$frame->append($_[0]->rbuf);
		$_[0]->rbuf = '';
		while (defined(my $message = $frame->next)) {
			$peer->push_write(Protocol::WebSocket::Frame->new($message)->to_bytes);
		}
	});
	$peer->on_error(sub { undef $peer });
	return;
}

sub {
	my $env = shift;
	my $refused = refusal($env);
	return $refused if $refused;
	my $socket = $env->{'psgix.io'} or return [500, [], []];
	my $handshake = Protocol::WebSocket::Handshake::Server->new_from_psgi($env);
	$handshake->parse($socket) or return [400, [@text], [$handshake->error // 'bad handshake']];
	$handshake->res->subprotocol('chat') if $mode eq 'unasked';
	return sub { echo($socket, $handshake) };
};
