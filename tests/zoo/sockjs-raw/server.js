// SPDX-License-Identifier: MIT
// the SockJS endpoint without /websocket
const http = require('http');
const sockjs = require('sockjs');
const { port } = require('../lib/case');

const page = `<script src="/lib/sockjs.min.js"></script>
<script>var sock = new SockJS("/echo");</script>`;
const server = http.createServer((request, response) => {
  if (request.url.startsWith('/echo')) return;
  response.writeHead(request.url === '/' ? 200 : 404, { 'Content-Type': 'text/html' });
  response.end(request.url === '/' ? page : 'Not Found');
});
const echo = sockjs.createServer({ log() {} });
echo.on('connection', (conn) => conn.on('data', (message) => conn.write(message)));
echo.installHandlers(server, { prefix: '/echo' });
server.listen(port, '127.0.0.1');
