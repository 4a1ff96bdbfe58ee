// SPDX-License-Identifier: MIT
// the application trusts no proxy, HAProxy adds X-Forwarded-For
const gate = require('../lib/gate');

gate({
  opens: ({ headers }) => !headers['x-forwarded-for'],
  status: '400 Bad Request',
  type: 'application/json',
  body: '{"error":"Received a forwarded request from 127.0.0.1, '
    + 'which is not in trusted_proxies"}',
});
