// SPDX-License-Identifier: MIT
// Closed with 4009 when no identify comes in time.
const { echo } = require('../lib/case');

require('../lib/after')((request, socket) => {
  setTimeout(() => socket.close(4009, 'Session timeout: no identify'), 250);
  echo(socket);
});
