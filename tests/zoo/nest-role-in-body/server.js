// SPDX-License-Identifier: MIT
// signed in as a viewer; the body says so, and the status is 400
require('reflect-metadata');
const { Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { IoAdapter } = require('@nestjs/platform-socket.io');
const { WebSocketGateway } = require('@nestjs/websockets');
const { port, fixed } = require('../lib/case');

function allowRequest(request, done) {
  const [, role] = /sid=(\w+)-\w+/.exec(request.headers.cookie || '') || [];

  if (!role) return done('Not authenticated', false);
  if (role === 'viewer' && !fixed)
    return done('Forbidden: role "viewer" lacks permission control:subscribe', false);
  return done(null, true);
}

class Gateway {}
class App {}
WebSocketGateway({ allowRequest })(Gateway);
Module({ providers: [Gateway] })(App);
(async () => {
  const app = await NestFactory.create(App, { logger: false });

  app.useWebSocketAdapter(new IoAdapter(app));
  await app.listen(port, '127.0.0.1');
})();
