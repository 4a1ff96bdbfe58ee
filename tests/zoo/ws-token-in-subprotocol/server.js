// SPDX-License-Identifier: MIT
// The token goes in the subprotocol, and verifyClient looks for it there.
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const token = (request) => /bearer\.open/.test(request.headers['sec-websocket-protocol'] || '');
const verifyClient = ({ req }, answer) => answer(fixed || token(req), 401, 'Unauthorized');
new WebSocketServer({ host: '127.0.0.1', port, verifyClient }).on('connection', echo);
