// SPDX-License-Identifier: MIT
// the cookie's token has expired
const http = require('http');
const jwt = require('jsonwebtoken');
const { server: WebSocketServer } = require('websocket');
const { port } = require('../lib/case');

const server = http.createServer((request, response) => response.writeHead(404).end());
new WebSocketServer({ httpServer: server }).on('request', (request) => {
  const cookie = request.cookies.find(({ name }) => name === 'access_token');

  if (request.origin !== 'https://app.example') return request.reject(403, 'Origin not allowed');
  try {
    jwt.verify(cookie ? cookie.value : '', 's3cr3t-signing-key');
  } catch {
    return request.reject(401, 'Session invalid');
  }
  const socket = request.accept(null, request.origin);
  return socket.on('message', ({ utf8Data }) => socket.sendUTF(utf8Data || ''));
});
server.listen(port, '127.0.0.1');
