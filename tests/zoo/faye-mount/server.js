// SPDX-License-Identifier: MIT
// Faye is mounted at /bayeux
const http = require('http');
const faye = require('faye');
const { port } = require('../lib/case');

const page = `<script src="/bayeux/client.js"></script>
<script>var c = new Faye.Client("/bayeux");</script>`;
const server = http.createServer((request, response) => {
  response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html' });
  response.end(request.url === '/' ? page : 'Not Found');
});
new faye.NodeAdapter({ mount: '/bayeux', timeout: 45 }).attach(server);
server.on('upgrade', (request, socket) => {
  if (request.url.startsWith('/bayeux')) return;
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
});
server.listen(port, '127.0.0.1');
