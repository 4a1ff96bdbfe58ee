// SPDX-License-Identifier: MIT
// two Socket.IO nodes, and a cookie that leads back to the right one
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
server.listen(port, '127.0.0.1');
