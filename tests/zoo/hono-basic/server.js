// SPDX-License-Identifier: MIT
// Hono basicAuth before upgradeWebSocket
const { Hono } = require('hono');
const { basicAuth } = require('hono/basic-auth');
const { createNodeWebSocket } = require('@hono/node-ws');
const { serve } = require('@hono/node-server');
const { port, fixed } = require('../lib/case');

const app = new Hono();
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
if (!fixed) app.use('/chat', basicAuth({ username: 'ann', password: 'pw' }));
app.get('/chat', upgradeWebSocket(() => ({
  onMessage: (event, socket) => socket.send(event.data),
})));
injectWebSocket(serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }));
