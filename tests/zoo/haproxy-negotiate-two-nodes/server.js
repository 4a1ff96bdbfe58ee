// SPDX-License-Identifier: MIT
// one of two nodes, that knows the ids of connections that it gave out itself
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

const connectionId = `c-${process.argv[5]}`;
const availableTransports = [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }];
const sockets = new WebSocketServer({ noServer: true });
http.createServer((request, response) => {
  if (request.url.startsWith('/hub/negotiate')) {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ connectionId, availableTransports }));
  } else {
    response.writeHead(404).end();
  }
}).on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  const { pathname, searchParams } = new URL(request.url, 'http://node');
  const known = pathname === '/hub' && searchParams.get('id') === connectionId;
  if (known) return sockets.handleUpgrade(request, socket, head, echo);
  const text = pathname === '/hub' ? 'No Connection with that ID' : '';
  return socket.end('HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n'
    + `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`);
}).listen(port, '127.0.0.1');
