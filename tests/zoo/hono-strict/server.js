// SPDX-License-Identifier: MIT
// a slash too many for strict routes
const { Hono } = require('hono');
const { serve } = require('@hono/node-server');
const { createNodeWebSocket } = require('@hono/node-ws');
const { port, fixed } = require('../lib/case');

const app = new Hono({ strict: !fixed });
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
app.get('/feed', upgradeWebSocket(() => ({
  onMessage: (event, socket) => socket.send(event.data),
})));
injectWebSocket(serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }));
