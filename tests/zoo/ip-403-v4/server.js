// SPDX-License-Identifier: MIT
// one address is refused, and told so
const gate = require('../lib/gate');

gate({
  opens: (request) => request.socket.remoteAddress !== '127.0.0.1',
  status: '403 Forbidden',
  body: 'Your IP address is not allowed',
});
