// SPDX-License-Identifier: MIT
// the list has the origin without its port
const gate = require('../lib/gate');

gate({
  opens: ({ headers: { origin } }) => !origin || origin === 'http://127.0.0.1',
  status: '403 Forbidden',
  body: 'Origin not allowed',
});
