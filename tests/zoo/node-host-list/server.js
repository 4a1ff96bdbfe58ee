// SPDX-License-Identifier: MIT
// the application takes its names alone, not the address
const gate = require('../lib/gate');

const names = /^(live\.example|\[::1\]|localhost)(:\d+)?$/;
gate({
  opens: ({ headers }) => names.test(headers.host),
  page: 'ok',
  everywhere: true,
  status: '400 Bad Request',
  body: 'Bad Request',
});
