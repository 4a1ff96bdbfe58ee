// SPDX-License-Identifier: MIT
// nginx drops the Upgrade, and the application knows no plain request
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

const server = http.createServer((request, response) => {
  response.statusCode = 404;
  response.end();
});
new WebSocketServer({ server, path: '/live' }).on('connection', echo);
server.listen(port, '127.0.0.1');
