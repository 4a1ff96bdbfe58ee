// SPDX-License-Identifier: MIT
// 4408 after two quiet seconds, and a word for it
const http = require('http');
const WebSocket = require('faye-websocket');
const { port, fixed } = require('../lib/case');

const IDLE_MS = fixed ? 3600e3 : 2000;
const server = http.createServer((request, response) => response.writeHead(426).end());
server.on('upgrade', (request, stream, head) => {
  const socket = new WebSocket(request, stream, head);
  let timer;

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(() => socket.close(4408, 'idle timeout'), IDLE_MS);
  }
  wait();
  socket.on('message', ({ data }) => {
    wait();
    socket.send(data);
  });
  socket.on('close', () => clearTimeout(timer));
});
server.listen(port, '127.0.0.1');
