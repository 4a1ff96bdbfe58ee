// SPDX-License-Identifier: MIT
// each workspace has a name of its own
const gate = require('../lib/gate');

gate({
  opens: ({ headers }) => /^(north|south)\.rt\.example(:\d+)?$/.test(headers.host),
  page: 'ok',
  everywhere: true,
  status: '404 Not Found',
  type: 'application/json',
  body: '{"error":"unknown workspace"}',
});
