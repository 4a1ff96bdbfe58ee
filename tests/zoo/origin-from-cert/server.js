// SPDX-License-Identifier: MIT
// one origin is allowed, and the certificate names it
const gate = require('../lib/gate');

gate({
  opens: ({ headers: { origin } }) => !origin || origin === 'https://www.kiosk.example',
  status: '403 Forbidden',
  body: 'Forbidden',
});
