// SPDX-License-Identifier: MIT
// the path has a slash at its end
const gate = require('../lib/gate');

gate({
  opens: (request) => request.url === '/chat',
  page: '<h1>Chat</h1>',
});
