// SPDX-License-Identifier: MIT
// the page here opens its WebSocket at another port
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

const page = `<script>
const ws = new WebSocket('ws://' + location.hostname + ':${port + 1}/');
</script>`;
http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html' });
  response.end(page);
}).listen(port, '127.0.0.1');
new WebSocketServer({ host: '127.0.0.1', port: port + 1 }).on('connection', echo);
