// SPDX-License-Identifier: MIT
// fastify has the socket at /ws
const fastify = require('fastify')();
const { port, echo } = require('../lib/case');

(async () => {
  await fastify.register(require('@fastify/websocket'));
  fastify.get('/ws', { websocket: true }, echo);
  await fastify.listen({ host: '127.0.0.1', port });
})();
