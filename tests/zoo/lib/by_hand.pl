# SPDX-License-Identifier: MIT
# by_hand.pl PORT hex|unpadded VARIANT: a server by hand, as many an answer has it, whose
# Sec-WebSocket-Accept is made of the wrong half of Digest::SHA.
use strict;
use warnings;
use Digest::SHA qw(sha1 sha1_base64 sha1_hex);
use IO::Socket::INET;
use MIME::Base64;

my ($port, $mode, $variant) = @ARGV;
my %accepts = (
	hex => sub { encode_base64(sha1_hex($_[0]), '') },
	unpadded => sub { sha1_base64($_[0]) },
);
my $accept = $variant eq 'fixed' ? sub { encode_base64(sha1($_[0]), '') } : $accepts{$mode};

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 9,
	ReuseAddr => 1) or die "cannot listen: $!";
$SIG{CHLD} = 'IGNORE';
while (my $client = $server->accept) {
	next if fork;
	my $head = '';
	while (<$client>) {
		$head .= $_;
		last if /^\r?\n$/;
	}
	if (my ($key) = $head =~ /Sec-WebSocket-Key:\s*(\S+)/i) {
		my $made = $accept->($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11');
		print $client "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
			"Connection: Upgrade\r\nSec-WebSocket-Accept: $made\r\n\r\n";
		$client->flush;
		sleep 30;
	} else {
		print $client "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello\n";
	}
	exit;
}
