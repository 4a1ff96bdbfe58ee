// SPDX-License-Identifier: MIT
// An echo server on uWebSockets.js, as the npm package `uwebsockets` ships it.
'use strict';
const uws = require('uwebsockets');
const want = require('./options');

const app = want.cert
	? uws.SSLApp({cert_file_name: want.cert, key_file_name: want.key}) : uws.App();

app.ws('/*', {
	compression: want.deflate ? uws.SHARED_COMPRESSOR : uws.DISABLED,
	maxPayloadLength: 64 << 20,
	maxBackpressure: 80 << 20,
	idleTimeout: 120,
	upgrade: (res, req, context) => {
		const origin = req.getHeader('origin');

		if (want.origin && origin !== want.origin) {
			res.writeStatus('403 Forbidden').end();
			return;
		}
		res.upgrade({}, req.getHeader('sec-websocket-key'),
			req.getHeader('sec-websocket-protocol'),
			req.getHeader('sec-websocket-extensions'), context);
	},
	open: (ws) => want.broadcast && ws.subscribe('all'),
	message: (ws, data, binary) => {
		if (want.broadcast)
			ws.publish('all', data, binary);
		else
			ws.send(data, binary, !!want.deflate);
	},
});
app.listen('127.0.0.1', 0, (socket) =>
	console.log(`listening at ws://127.0.0.1:${uws.us_socket_local_port(socket)}`));
