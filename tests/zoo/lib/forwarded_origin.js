// SPDX-License-Identifier: MIT
// forwarded_origin.js PORT VARIANT FOLDER host|site: an echo that compares the
// Origin with what a proxy says of it: its host, or its scheme and host.
const gate = require('./gate');

const comparesHost = process.argv[5] === 'host';

function sameSite({ headers }) {
  const host = headers['x-forwarded-host'] || headers.host;
  if (!headers.origin) return true;
  if (comparesHost) return new URL(headers.origin).host === host;
  return headers.origin === `${headers['x-forwarded-proto'] || 'http'}://${host}`;
}

gate({
  opens: sameSite,
  page: 'ok',
  everywhere: true,
  status: '403 Forbidden',
  type: comparesHost ? 'application/json' : 'text/plain',
  body: comparesHost ? '{"error":"Origin mismatch"}' : 'Forbidden',
});
