// SPDX-License-Identifier: MIT
// a TLS server that takes h2 alone and offers WebSocket in it
const fs = require('fs');
const http2 = require('http2');
const { WebSocketServer } = require('ws');
const { port, fixed, folder, echo } = require('../lib/case');
const options = {
  cert: fs.readFileSync(`${folder}/localhost.pem`),
  key: fs.readFileSync(`${folder}/localhost.key`),
  settings: { enableConnectProtocol: true },
};

if (fixed) {
  const server = require('https').createServer(options);
  new WebSocketServer({ server }).on('connection', echo);
  server.listen(port, '127.0.0.1');
} else {
  const server = http2.createSecureServer({ ...options, ALPNProtocols: ['h2'] });
  server.on('stream', (stream, head) => {
    stream.on('error', () => {});
    stream.respond({ ':status': head[':protocol'] === 'websocket' ? 200 : 404 });
    if (head[':protocol'] !== 'websocket') stream.end('no\n');
  });
  server.on('sessionError', () => {});
  server.listen(port, '127.0.0.1');
}
