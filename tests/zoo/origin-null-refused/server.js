// SPDX-License-Identifier: MIT
// Origin: null is refused, all others are not
const gate = require('../lib/gate');

gate({
  opens: (request) => request.headers.origin !== 'null',
  status: '403 Forbidden',
});
