// SPDX-License-Identifier: MIT
// the list of origins was written with a slash
const http = require('http');
const { WebSocketServer } = require('ws');
const { setupWSConnection } = require('y-websocket/bin/utils');
const { port, fixed } = require('../lib/case');

const allowed = fixed ? 'https://editor.example' : 'https://editor.example/';
const sockets = new WebSocketServer({ noServer: true }).on('connection', setupWSConnection);
const server = http.createServer((request, response) => response.end('okay'));
server.on('upgrade', (request, stream, head) => {
  const { origin } = request.headers;

  if (origin && origin !== allowed)
    stream.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  else
    sockets.handleUpgrade(request, stream, head,
      (socket) => sockets.emit('connection', socket, request));
});
server.listen(port, '127.0.0.1');
