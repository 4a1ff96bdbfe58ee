// SPDX-License-Identifier: MIT
// nothing is wrong: who answers no ping within 0.6 s is closed
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server, { pingInterval: 700, pingTimeout: 600, connectTimeout: 1500 });
server.listen(port, '127.0.0.1');
