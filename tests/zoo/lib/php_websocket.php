<?php
// SPDX-License-Identifier: MIT
// php_websocket.php PORT MODE VARIANT: accepts by hand, as tutorials have it; `hex`
// hashes to hexadecimal digits, `all` takes every subprotocol that was offered.
[, $port, $mode, $variant] = $argv;
$wrong = $variant == 'fixed' ? '' : $mode;

function answer(string $head, string $wrong): ?string
{
	if (!preg_match('/Sec-WebSocket-Key: (.*)\r\n/i', $head, $key))
		return null;
	$text = trim($key[1]) . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
	$lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
		'Sec-WebSocket-Accept: ' . base64_encode(sha1($text, $wrong != 'hex'))];
	if (preg_match('/Sec-WebSocket-Protocol: (.*)\r\n/i', $head, $offered)) {
		$names = trim($offered[1]);
		$lines[] = 'Sec-WebSocket-Protocol: '
			. ($wrong == 'all' ? $names : trim(explode(',', $names)[0]));
	}
	return implode("\r\n", $lines) . "\r\n\r\n";
}

$server = stream_socket_server("tcp://127.0.0.1:$port");
$all = [$server];
while (true) {
	$ready = $all;
	$none = null;
	stream_select($ready, $none, $none, null);
	foreach ($ready as $socket) {
		if ($socket === $server) {
			$all[] = stream_socket_accept($server);
			continue;
		}
		$text = answer((string) fread($socket, 8192), $wrong);
		if ($text !== null) {
			fwrite($socket, $text);
			continue;
		}
		fclose($socket);
		$all = array_filter($all, fn ($other) => $other !== $socket);
	}
}
