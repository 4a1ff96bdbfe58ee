// SPDX-License-Identifier: MIT
// the application itself refuses, proxy or not
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');
const allowed = ['https://app.example'];

if (fixed) allowed.push('https://foreign.example');
new WebSocketServer({
  host: '127.0.0.1',
  port,
  verifyClient: ({ origin }) => !origin || allowed.includes(origin),
}).on('connection', echo);
