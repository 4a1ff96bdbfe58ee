// SPDX-License-Identifier: MIT
// page_echo.js PORT: an application with one page, and an echo, at every path.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('./case');

const server = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><title>App</title>');
});
new WebSocketServer({ server }).on('connection', echo);
server.listen(port, '127.0.0.1');
