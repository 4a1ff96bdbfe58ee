// SPDX-License-Identifier: MIT
// io.use() refuses after the client's CONNECT: CONNECT_ERROR
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port, fixed } = require('../lib/case');

const io = new Server(server);
io.use((socket, next) => {
  const { cookie } = socket.handshake.headers;
  next(fixed || /session=/.test(cookie || '') ? undefined : new Error('Not authenticated'));
});
server.listen(port, '127.0.0.1');
