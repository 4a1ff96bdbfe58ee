// SPDX-License-Identifier: MIT
// the page loads Socket.IO from /socket.io/, the client asks at /
const app = require('express')();
const server = require('http').createServer(app);
const { Server } = require('socket.io');
const { port } = require('../lib/case');

new Server(server);
app.get('/', (request, response) => response.send(
  '<html><script src="/socket.io/socket.io.js"></script><script>const s = io();</script></html>'));
server.listen(port, '127.0.0.1');
