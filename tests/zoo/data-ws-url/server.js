// SPDX-License-Identifier: MIT
// the page names the path in ws-connect of htmx
const gate = require('../lib/gate');

gate({
  opens: (request) => request.url === '/rooms/lobby',
  page: '<div hx-ext="ws" ws-connect="/rooms/lobby"></div>',
});
