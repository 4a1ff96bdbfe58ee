// SPDX-License-Identifier: MIT
// echo.js PORT [PATH]: a WebSocket echo by node's ws, at PATH alone if given.
const { WebSocketServer } = require('ws');
const [port, path] = process.argv.slice(2);
new WebSocketServer({ host: '127.0.0.1', port: Number(port), path })
  .on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', () => {});
  });
