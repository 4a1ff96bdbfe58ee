// SPDX-License-Identifier: MIT
// a page on https opens ws:
const fs = require('fs');
const https = require('https');
const { WebSocketServer } = require('ws');
const { port, folder, echo } = require('../lib/case');

const page = '<!doctype html><title>chat</title><script>\n' +
  `new WebSocket("ws://chat.example:${port}/live")\n</script>\n`;
https.createServer({
  cert: fs.readFileSync(`${folder}/localhost.pem`),
  key: fs.readFileSync(`${folder}/localhost.key`),
}, (request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end(page);
}).listen(port + 1, '127.0.0.1', () => {
  new WebSocketServer({ host: '127.0.0.1', port }).on('connection', echo);
});
