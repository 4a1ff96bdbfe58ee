// SPDX-License-Identifier: MIT
// a version 3 client of engine.io
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port, fixed } = require('../lib/case');

new Server(server, { allowEIO3: fixed });
server.listen(port, '127.0.0.1');
