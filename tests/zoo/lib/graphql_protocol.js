// SPDX-License-Identifier: MIT
// graphql_protocol.js PORT NAME: accepts everyone and closes those that did not
// offer the subprotocol NAME with 4406, as GraphQL servers do.
const { WebSocketServer } = require('ws');
const [port, name] = process.argv.slice(2);
new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  handleProtocols: (offered) => (offered.has(name) ? name : false),
}).on('connection', (socket) => {
  if (socket.protocol !== name) socket.close(4406, 'Subprotocol not acceptable');
});
