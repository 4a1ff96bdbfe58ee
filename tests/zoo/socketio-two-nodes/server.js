// SPDX-License-Identifier: MIT
// two Socket.IO nodes take turns, and each knows its own sessions alone
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
server.listen(port, '127.0.0.1');
