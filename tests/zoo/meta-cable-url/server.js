// SPDX-License-Identifier: MIT
// the page names the path in meta action-cable-url
const gate = require('../lib/gate');

gate({
  opens: (request) => request.url === '/rails/cable-v2',
  page: '<meta name="action-cable-url" content="/rails/cable-v2">',
});
