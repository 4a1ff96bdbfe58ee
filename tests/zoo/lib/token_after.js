// SPDX-License-Identifier: MIT
// token_after.js PORT strict|lax: looks for ?token= only after the handshake.
const { WebSocketServer } = require('ws');
const [port, mode] = process.argv.slice(2);
new WebSocketServer({ host: '127.0.0.1', port: Number(port) })
  .on('connection', (socket, request) => {
    if (mode === 'strict' && !/[?&]token=open/.test(request.url)) {
      socket.close(1008, 'missing token');
      return;
    }
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });
