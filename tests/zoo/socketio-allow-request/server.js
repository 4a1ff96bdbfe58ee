// SPDX-License-Identifier: MIT
// Socket.IO allowRequest looks at the Origin
const server = require('http').createServer();
const { Server } = require('socket.io');
const { port, fixed } = require('../lib/case');

const allowed = (origin) => fixed || !origin || origin === 'https://shop.example';
new Server(server, {
  allowRequest: (request, done) => done(null, allowed(request.headers.origin)),
});
server.listen(port, '127.0.0.1');
