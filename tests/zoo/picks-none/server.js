// SPDX-License-Identifier: MIT
// offered v2.chat, and the server picks none
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

function handleProtocols(offered) {
  if (fixed) return 'v2.chat';
  return offered.has('v1.chat') ? 'v1.chat' : false;
}
new WebSocketServer({ host: '127.0.0.1', port, handleProtocols }).on('connection', echo);
