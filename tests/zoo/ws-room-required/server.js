// SPDX-License-Identifier: MIT
// the endpoint wants ?room=
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

function verifyClient({ req }, done) {
  done(fixed || /[?&]room=/.test(req.url), 400, 'missing query parameter: room');
}
new WebSocketServer({ host: '127.0.0.1', port, verifyClient }).on('connection', echo);
