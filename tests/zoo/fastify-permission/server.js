// SPDX-License-Identifier: MIT
// fastify knows the token, but its role may not
const fastify = require('fastify')();
const { port, fixed, echo } = require('../lib/case');

(async () => {
  await fastify.register(require('@fastify/websocket'));
  fastify.addHook('preValidation', async (request, reply) => {
    const role = /^Bearer (reader|writer)$/.exec(request.headers.authorization)?.[1];
    if (!role) await reply.code(401).send({ error: 'invalid token' });
    else if (!fixed && role !== 'writer') {
      await reply.code(403).send({ error: 'insufficient_scope', message: 'role writer required' });
    }
  });
  fastify.get('/chat', { websocket: true }, echo);
  await fastify.listen({ host: '127.0.0.1', port });
})();
