// SPDX-License-Identifier: MIT
// the Origin is on the list, the key is not good any more
const { WebSocketServer } = require('ws');
const { port, echo } = require('../lib/case');

function verifyClient({ origin, req }, done) {
  if (origin !== 'https://desk.example') return done(false, 403, 'Forbidden');
  if (req.headers['x-api-key'] !== 'k-2026') return done(false, 401, 'Unauthorized');
  return done(true);
}

new WebSocketServer({ port, host: '127.0.0.1', path: '/stream', verifyClient })
  .on('connection', echo);
