// SPDX-License-Identifier: MIT
// the endpoint was retired: 410
const gate = require('../lib/gate');

gate({
  opens: () => false,
  status: '410 Gone',
  type: 'application/json',
  body: '{"error":"realtime v1 was shut down"}',
});
