// SPDX-License-Identifier: MIT
// a charging server of OCPP wants ocpp1.6: 400
const gate = require('../lib/gate');

gate({
  opens: (request) => /ocpp1\.6/.test(request.headers['sec-websocket-protocol']),
  status: '400 Bad Request',
  handleProtocols: (offered) => (offered.has('ocpp1.6') ? 'ocpp1.6' : false),
});
