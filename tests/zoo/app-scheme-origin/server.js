// SPDX-License-Identifier: MIT
// the packaged app sends capacitor://localhost
const gate = require('../lib/gate');

const ours = /^https:\/\/(app|m)\.trail\.example$/;
gate({
  opens: ({ headers }) => !headers.origin || ours.test(headers.origin),
  page: '{}',
  everywhere: true,
  status: '403 Forbidden',
  type: 'application/json; charset=utf-8',
  body: '{"statusCode":403,"error":"Forbidden","message":"Forbidden"}',
});
