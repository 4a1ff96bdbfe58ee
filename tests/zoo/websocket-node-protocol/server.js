// SPDX-License-Identifier: MIT
// websocket-node rejects those without echo-protocol
const server = require('http').createServer((request, response) => response.writeHead(404).end());
const WebSocketServer = require('websocket').server;
const { port, fixed } = require('../lib/case');

new WebSocketServer({ httpServer: server }).on('request', (request) => {
  if (request.requestedProtocols.includes('echo-protocol')) request.accept('echo-protocol');
  else if (fixed) request.accept(null);
  else request.reject(403, 'Unsupported subprotocol: expected echo-protocol');
});
server.listen(port, '127.0.0.1');
