// SPDX-License-Identifier: MIT
// one of two servers has an old list of origins
const { WebSocketServer } = require('ws');
const { port, fixed, folder, echo } = require('../lib/case');
const allowed = ['https://app.example'];

if (fixed || folder === 'new') allowed.push('https://new.example');
new WebSocketServer({
  host: '127.0.0.1',
  port,
  verifyClient: ({ origin }, done) => done(!origin || allowed.includes(origin), 403),
}).on('connection', echo);
