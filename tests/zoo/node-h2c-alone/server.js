// SPDX-License-Identifier: MIT
// the server speaks HTTP/2 alone, without TLS
const http2 = require('http2');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

if (fixed) {
  new WebSocketServer({ host: '127.0.0.1', port }).on('connection', echo);
} else {
  http2.createServer((request, response) => response.end('h2')).listen(port, '127.0.0.1');
}
