// SPDX-License-Identifier: MIT
// An echo server on ws; with --broadcast all others at the same path get it.
'use strict';
const fs = require('fs');
const {WebSocketServer} = require('ws');
const want = require('./options');

const server = want.cert
	? require('https').createServer({cert: fs.readFileSync(want.cert),
					 key: fs.readFileSync(want.key)})
	: require('http').createServer();
const all = new WebSocketServer({
	server,
	maxPayload: 64 << 20,
	perMessageDeflate: want.deflate ? {threshold: 0} : false,
	verifyClient: want.origin
		? (info, answer) => answer(info.origin === want.origin, 403) : undefined,
});

const channels = new Map();

function join(path, ws) {
	const members = channels.get(path) ?? new Set();

	channels.set(path, members.add(ws));
	ws.on('close', () => members.delete(ws));
	return members;
}

all.on('connection', (ws, request) => {
	const members = want.broadcast && join(request.url, ws);

	ws.on('error', () => {});
	ws.on('message', (data, binary) => {
		if (!want.broadcast) {
			ws.send(data, {binary});
			return;
		}
		for (const other of members)
			if (other !== ws)
				other.send(data, {binary});
	});
});
server.listen(0, '127.0.0.1', 4096, () =>
	console.log(`listening at ws://127.0.0.1:${server.address().port}`));
