// SPDX-License-Identifier: MIT
// one of two servers closes every connection with an error
const { WebSocketServer } = require('ws');
const { port, fixed, folder, echo } = require('../lib/case');

new WebSocketServer({ host: '127.0.0.1', port }).on('connection', (socket) => {
  if (fixed || folder === 'well') echo(socket);
  else setTimeout(() => socket.close(1011, 'database connection lost'), 20);
});
