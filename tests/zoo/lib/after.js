// SPDX-License-Identifier: MIT
// An echo that accepts everyone; turnsAway(request, socket) may then end the
// connection, by a [code, reason] or by itself.
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('./case');

module.exports = function after(turnsAway) {
  new WebSocketServer({ host: '127.0.0.1', port }).on('connection', (socket, request) => {
    const close = fixed ? null : turnsAway(request, socket);
    if (close) socket.close(...close);
    else echo(socket);
  });
};
