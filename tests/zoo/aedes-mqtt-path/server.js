// SPDX-License-Identifier: MIT
// MQTT over WebSocket lives at /mqtt
const { Aedes } = require('aedes');
const { WebSocketServer, createWebSocketStream } = require('ws');
const { port } = require('../lib/case');

(async () => {
  const broker = await Aedes.createBroker();
  new WebSocketServer({ host: '127.0.0.1', port, path: '/mqtt' })
    .on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));
})();
