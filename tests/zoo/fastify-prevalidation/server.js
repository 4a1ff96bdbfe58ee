// SPDX-License-Identifier: MIT
// fastify checks a bearer token before the upgrade
const fastify = require('fastify')();
const { port, fixed, echo } = require('../lib/case');

(async () => {
  await fastify.register(require('@fastify/websocket'));
  fastify.addHook('preValidation', async (request, reply) => {
    if (fixed || request.headers.authorization === 'Bearer t0k') return;
    await reply.code(401).send({ error: 'missing token' });
  });
  fastify.get('/chat', { websocket: true }, echo);
  await fastify.listen({ host: '127.0.0.1', port });
})();
