// SPDX-License-Identifier: MIT
// the path is in small letters
const gate = require('../lib/gate');

gate({
  opens: (request) => request.url === '/chat',
  page: '<h1>Chat</h1>',
});
