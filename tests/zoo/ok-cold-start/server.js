// SPDX-License-Identifier: MIT
// the 101 takes 2.5 seconds
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

const sockets = new WebSocketServer({ noServer: true });
http.createServer((request, response) => setTimeout(() => response.end('ok'), 2500))
  .on('upgrade', (request, socket, head) => setTimeout(() =>
    sockets.handleUpgrade(request, socket, head, echo), 2500))
  .listen(port, '127.0.0.1');
