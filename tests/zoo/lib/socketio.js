// SPDX-License-Identifier: MIT
// socketio.js PORT: a Socket.IO server and nothing else.
const server = require('http').createServer((request, response) => {
  response.writeHead(404);
  response.end();
});
const { Server } = require('socket.io');

new Server(server, { cors: { origin: '*' } });
server.listen(Number(process.argv[2]), '127.0.0.1');
