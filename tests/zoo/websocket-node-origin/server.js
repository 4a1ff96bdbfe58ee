// SPDX-License-Identifier: MIT
// originIsAllowed of the npm package websocket says no
const server = require('http').createServer((request, response) => response.writeHead(404).end());
const WebSocketServer = require('websocket').server;
const { port, fixed } = require('../lib/case');

const originIsAllowed = (origin) => fixed || !origin || origin === 'https://shop.example';
new WebSocketServer({ httpServer: server, autoAcceptConnections: false })
  .on('request', (request) => {
    if (!originIsAllowed(request.origin)) return request.reject();
    const conn = request.accept(null, request.origin);
    return conn.on('message', (message) => conn.sendUTF(message.utf8Data));
  });
server.listen(port, '127.0.0.1');
