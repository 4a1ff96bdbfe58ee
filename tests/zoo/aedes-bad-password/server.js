// SPDX-License-Identifier: MIT
// authenticate() refuses who gives no password: CONNACK 4
const { Aedes } = require('aedes');
const { WebSocketServer, createWebSocketStream } = require('ws');
const { port, fixed } = require('../lib/case');

(async () => {
  const broker = await Aedes.createBroker({
    authenticate(client, name, password, done) {
      if (fixed || password) return done(null, true);
      return done(Object.assign(new Error('bad password'), { returnCode: 4 }), false);
    },
  });
  new WebSocketServer({ host: '127.0.0.1', port, path: '/mqtt' })
    .on('connection', (socket, request) => broker.handle(createWebSocketStream(socket), request));
})();
