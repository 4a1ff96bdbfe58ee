// SPDX-License-Identifier: MIT
// the API moved under /v1
const app = require('fastify')();
const { port, fixed, echo } = require('../lib/case');

app.register(require('@fastify/websocket'));
app.get('/', async () => ({
  service: 'orders',
  version: '1.9.2',
  links: { orders: '/v1/orders', stream: '/v1/orders/stream' },
}));
app.register(async (api) => api.get('/orders/stream', { websocket: true }, echo),
  { prefix: fixed ? '/' : '/v1' });
app.listen({ port, host: '127.0.0.1' });
