// SPDX-License-Identifier: MIT
// accepted, an error in JSON, then closed
const after = require('../lib/after');

after((request, socket) => {
  if (/token=fresh/.test(request.url)) return null;
  socket.send(JSON.stringify({ type: 'error', error: { code: 401, message: 'token expired' } }));
  return [1000];
});
