// SPDX-License-Identifier: MIT
// the scheme is Token where Bearer is meant
const gate = require('../lib/gate');

gate({
  opens: (request) => request.headers.authorization === 'Bearer abc',
  status: '401 Unauthorized',
  fields: ['WWW-Authenticate: Bearer'],
  type: 'application/json',
  body: '{"detail":"Invalid authentication credentials"}',
});
