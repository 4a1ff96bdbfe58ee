// SPDX-License-Identifier: MIT
// Channels on Socket.IO: what a client says by `pub` all others in its room get.
// With --redis URL those of other nodes too, by the adapter that its pages name.
'use strict';
const {createServer} = require('http');
const {Server} = require('socket.io');
const want = require('./options');

async function adapter() {
	const {createClient} = require('redis');
	const {createAdapter} = require('@socket.io/redis-adapter');
	const publisher = createClient({url: want.redis}), subscriber = publisher.duplicate();

	await Promise.all([publisher.connect(), subscriber.connect()]);
	return createAdapter(publisher, subscriber);
}

async function begin() {
	const http = createServer();
	const io = new Server(http, {transports: ['websocket'], perMessageDeflate: false,
				     serveClient: false, pingInterval: 3600000});

	if (want.redis)
		io.adapter(await adapter());
	io.on('connection', (socket) => {
		const {room} = socket.handshake.query;

		socket.join(room);
		socket.on('pub', (text) => socket.to(room).emit('m', text));
	});
	http.listen(0, '127.0.0.1', 4096, () =>
		console.log(`listening at ws://127.0.0.1:${http.address().port}`));
}

begin();
