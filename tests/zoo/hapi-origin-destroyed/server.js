// SPDX-License-Identifier: MIT
// an Origin with a port that the list lacks finds the socket destroyed
const hapi = require('@hapi/hapi');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const allowed = ['https://desk.example', ...(fixed ? ['https://desk.example:8443'] : [])];
const sockets = new WebSocketServer({ noServer: true, path: '/live' });
const server = hapi.server({ port, host: '127.0.0.1' });
server.route({ method: 'GET', path: '/health', handler: () => ({ ok: true }) });
server.listener.on('upgrade', (request, stream, head) => {
  const { origin } = request.headers;

  if (origin && !allowed.includes(origin)) stream.destroy();
  else sockets.handleUpgrade(request, stream, head, echo);
});
server.start();
