// SPDX-License-Identifier: MIT
// the path has a slash too many
const gate = require('../lib/gate');

gate({
  opens: (request) => request.url === '/chat',
  page: '<h1>Chat</h1>',
});
