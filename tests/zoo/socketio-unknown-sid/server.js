// SPDX-License-Identifier: MIT
// a session id that this Socket.IO node does not know
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
server.listen(port, '127.0.0.1');
