// SPDX-License-Identifier: MIT
// the body of the 400 names the parameter that is missing
const gate = require('../lib/gate');

gate({
  opens: (request) => /[?&]clientId=/.test(request.url),
  status: '400 Bad Request',
  type: 'application/json',
  body: JSON.stringify({
    detail: [{ loc: ['query', 'clientId'], msg: 'field required', type: 'value_error.missing' }],
  }),
});
