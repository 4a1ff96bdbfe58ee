// SPDX-License-Identifier: MIT
// the license does not include it
const gate = require('../lib/gate');

gate({
  opens: ({ url }) => /[?&]license=PRO-1/.test(url),
  page: 'ok',
  everywhere: true,
  status: '402 Payment Required',
  type: 'application/json',
  body: '{"error":"upgrade_required","message":"Your license does not include live data."}',
});
