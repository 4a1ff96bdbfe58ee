// SPDX-License-Identifier: MIT
// the query names no transport for Socket.IO
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
server.listen(port, '127.0.0.1');
