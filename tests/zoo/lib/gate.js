// SPDX-License-Identifier: MIT
// An echo that answers `status` to the upgrades for which opens(request) is
// false, and has `page` (or nothing) for browsers at /, or `everywhere`.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('./case');

function refusal({ status = '404 Not Found', type = 'text/plain', fields = [], body = '' }) {
  return [`HTTP/1.1 ${status}`, ...fields, `Content-Type: ${type}`,
    `Content-Length: ${body.length}`, 'Connection: close', '', body].join('\r\n');
}

module.exports = function gate({ opens, page, everywhere, handleProtocols, ...refused }) {
  const sockets = new WebSocketServer({ noServer: true, handleProtocols });
  const server = http.createServer((request, response) => {
    const found = page && (everywhere || request.url === '/');
    response.writeHead(found ? 200 : 404, { 'Content-Type': 'text/html' });
    response.end(found ? page : 'Not Found');
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (fixed || opens(request)) sockets.handleUpgrade(request, socket, head, echo);
    else socket.end(refusal(refused));
  });
  server.listen(port, '127.0.0.1');
};
