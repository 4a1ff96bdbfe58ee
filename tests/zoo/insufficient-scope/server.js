// SPDX-License-Identifier: MIT
// the token lacks a scope: 403 with insufficient_scope
const gate = require('../lib/gate');

gate({
  opens: (request) => request.headers.authorization === 'Bearer admin',
  status: '403 Forbidden',
  fields: ['WWW-Authenticate: Bearer error="insufficient_scope", scope="chat:write"'],
  type: 'application/json',
  body: '{"error":"insufficient_scope"}',
});
