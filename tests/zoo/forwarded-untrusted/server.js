// SPDX-License-Identifier: MIT
// the application refuses X-Forwarded-For of a proxy that it does not know
const gate = require('../lib/gate');

gate({
  opens: (request) => !request.headers['x-forwarded-for'],
  status: '400 Bad Request',
  body: '400: Bad Request',
});
