// SPDX-License-Identifier: MIT
// the bearer token belongs into a second subprotocol, as Kubernetes has it
const app = require('fastify')();
const { port, echo } = require('../lib/case');

const BEARER = 'base64url.bearer.authorization.k8s.io.';

async function authenticate(request, reply) {
  const offered = (request.headers['sec-websocket-protocol'] || '').split(/, */);
  const bearer = offered.find((name) => name.startsWith(BEARER)) || BEARER;

  if (Buffer.from(bearer.slice(BEARER.length), 'base64url').toString() !== 'token-17')
    await reply.code(401).send({
      kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure',
      message: 'Unauthorized', reason: 'Unauthorized', code: 401,
    });
}

app.register(require('@fastify/websocket'), {
  options: {
    handleProtocols: (names) => [...names].find((name) => !name.startsWith(BEARER)) || false,
  },
});
app.register(async (api) => api.get('/api/v1/namespaces/:ns/pods/:pod/exec',
  { websocket: true, preValidation: authenticate }, echo));
app.listen({ port, host: '127.0.0.1' });
