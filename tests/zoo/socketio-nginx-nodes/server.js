// SPDX-License-Identifier: MIT
// nginx hands the requests of Socket.IO to two nodes in turn
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
server.listen(port, '127.0.0.1');
