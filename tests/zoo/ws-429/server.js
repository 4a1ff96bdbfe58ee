// SPDX-License-Identifier: MIT
// two handshakes a minute, and they are used up
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

function verifyClient(info, done) {
  done(fixed, 429, 'Too Many Requests', { 'Retry-After': '30' });
}
new WebSocketServer({ host: '127.0.0.1', port, verifyClient }).on('connection', echo);
