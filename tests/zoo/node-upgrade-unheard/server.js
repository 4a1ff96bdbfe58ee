// SPDX-License-Identifier: MIT
// A status page for every request; only the mended one listens to 'upgrade'.
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const server = require('http').createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end('{"status":"ok"}');
});
if (fixed) new WebSocketServer({ server }).on('connection', echo);
server.listen(port, '127.0.0.1');
