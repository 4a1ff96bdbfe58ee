// SPDX-License-Identifier: MIT
// it opens, but the page there forbids connections by connect-src
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const policy = fixed
  ? "default-src 'self' ws:"
  : "default-src 'self'; connect-src https://api.example";
const server = require('http').createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy });
  response.end('<h1>Chat</h1>');
});
new WebSocketServer({ server }).on('connection', echo);
server.listen(port, '127.0.0.1');
