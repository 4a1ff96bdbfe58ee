// SPDX-License-Identifier: MIT
// An edge that answers like Cloudflare's with WebSockets off: pages pass, every upgrade gets
// the edge's own 400. What the real one sends was not seen.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const edge = ['Server: cloudflare', 'CF-RAY: 8c1d-FRA'];
const page = ['<html>', '<head><title>400 Bad Request</title></head>', '<body>',
  '<center><h1>400 Bad Request</h1></center>', '<hr><center>cloudflare</center>', '</body>',
  '</html>', ''].join('\r\n');
const sockets = new WebSocketServer({ noServer: true });
http.createServer((request, response) => {
  response.writeHead(200, { Server: 'cloudflare', 'CF-RAY': '8c1d-FRA',
    'CF-Cache-Status': 'DYNAMIC', 'Content-Type': 'text/html' });
  response.end('<h1>app</h1>');
}).on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  if (fixed) sockets.handleUpgrade(request, socket, head, echo);
  else {
    socket.end(['HTTP/1.1 400 Bad Request', ...edge, 'Content-Type: text/html',
      `Content-Length: ${page.length}`, 'Connection: close', '', page].join('\r\n'));
  }
}).listen(port, '127.0.0.1');
