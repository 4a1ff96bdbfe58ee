// SPDX-License-Identifier: MIT
// the page's policy allows its own port alone
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.setHeader('Content-Security-Policy', "default-src 'self'; connect-src 'self' https:");
  response.end('<!doctype html><title>live</title><script src="/live.js"></script>\n');
}).listen(port + 1, '127.0.0.1', () => {
  new WebSocketServer({ host: '127.0.0.1', port }).on('connection', echo);
});
