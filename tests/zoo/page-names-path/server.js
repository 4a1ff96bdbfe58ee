// SPDX-License-Identifier: MIT
// the page opens another path than the one that was asked for
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><title>app</title><script>\n' +
    `const s = new WebSocket("ws://127.0.0.1:${port}/api/v3/feed");\n</script>\n`);
}).listen(port + 1, '127.0.0.1', () => {
  new WebSocketServer({ host: '127.0.0.1', port, path: '/api/v3/feed' }).on('connection', echo);
});
