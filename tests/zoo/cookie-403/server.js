// SPDX-License-Identifier: MIT
// the session of the cookie has expired: 403
const gate = require('../lib/gate');

gate({
  opens: (request) => /session=live/.test(request.headers.cookie),
  status: '403 Forbidden',
  type: 'application/json',
  body: '{"error":"session expired"}',
});
