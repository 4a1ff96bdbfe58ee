// SPDX-License-Identifier: MIT
// a list of origins left from development
const gate = require('../lib/gate');

gate({
  opens: ({ headers: { origin } }) => !origin || origin === 'http://localhost:3000',
  status: '403 Forbidden',
  body: 'CORS: origin not allowed',
});
