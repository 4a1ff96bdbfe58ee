// SPDX-License-Identifier: MIT
// Primus authorize() without a token
const server = require('http').createServer();
const Primus = require('primus');
const { port, fixed } = require('../lib/case');

const primus = new Primus(server, { transformer: 'websockets' });
primus.authorize((request, done) => {
  if (fixed || /token=abc/.test(request.url)) done();
  else done({ message: 'Authentication required', statusCode: 401 });
});
server.listen(port, '127.0.0.1');
