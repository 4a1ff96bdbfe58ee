// SPDX-License-Identifier: MIT
// Node's ws as a server that echoes; says where it listens.
const { WebSocketServer } = require('ws');

const server = new WebSocketServer(
	{ host: '127.0.0.1', port: 0, maxPayload: 64 << 20, perMessageDeflate: { threshold: 0 } },
	() => console.log(`listening at ws://127.0.0.1:${server.address().port}`));
server.on('connection', (ws) => {
	ws.on('message', (data, binary) => ws.send(data, { binary }));
	ws.on('error', () => {});
});
process.on('SIGTERM', () => process.exit(0));
