// SPDX-License-Identifier: MIT
// the key is known and lacks a scope: a message, then 4403
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { WsAdapter } = require('@nestjs/platform-ws');
const { WebSocketGateway } = require('@nestjs/websockets');
const { port, echo } = require('../lib/case');

const scopes = {
  pk_live_readonly: ['orders:read'],
  pk_live_full: ['orders:read', 'events:stream'],
};

class Gateway {
  handleConnection(socket, request) {
    const granted = scopes[request.headers['x-api-key']];

    function refuse(code, error, message) {
      socket.send(JSON.stringify({ event: 'error', data: { error, message } }));
      socket.close(code, error);
    }
    if (!granted) refuse(4401, 'invalid_api_key', 'Unknown API key');
    else if (!granted.includes('events:stream'))
      refuse(4403, 'insufficient_scope', 'This API key lacks the scope events:stream');
    else echo(socket);
  }
}
class App {}
WebSocketGateway({ path: '/v1/events' })(Gateway);
Module({ providers: [Gateway] })(App);
(async () => {
  const app = await NestFactory.create(App, { logger: false });

  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(port, '127.0.0.1');
})();
