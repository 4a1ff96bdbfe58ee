// SPDX-License-Identifier: MIT
// services.js PORT VARIANT NAME FOLDER: programs and libraries of npm that bring
// a protocol and a server of their own, each as its documentation has it.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed } = require('./case');
const host = '127.0.0.1';
const folder = process.argv[5];

function ocpp(protocols, auth) {
  const { RPCServer } = require('ocpp-rpc');
  const server = new RPCServer({ protocols });
  if (auth && !fixed) server.auth(auth);
  server.on('client', (client) => client.handle(() => ({})));
  server.listen(port, host);
}

function yoga(hasSockets) {
  const { createYoga, createSchema } = require('graphql-yoga');
  const typeDefs = 'type Query { a: Int } type Subscription { b: Int }';
  const yoga = createYoga({ logging: false, schema: createSchema({ typeDefs }) });
  const server = http.createServer(yoga).listen(port, host);
  if (!hasSockets) return;
  const { useServer } = require('graphql-ws/use/ws');
  useServer({ schema: yoga.getEnveloped().schema, connectionInitWaitTimeout: 60000 },
    new WebSocketServer({ server, path: '/graphql' }));
}

function rpcWebSockets(options) {
  const { Server } = require('rpc-websockets');
  new Server({ port, host, ...options }).register('sum', ([a, b]) => a + b);
}

const services = {
  'browser-sync': () => require('browser-sync').create().init({
    proxy: { target: `http://${host}:${port + 1}`, ws: fixed },
    port, host, listen: host, ui: false, open: false, online: false,
    logLevel: 'silent', notify: false, ghostMode: false,
  }),

  colyseus() {
    const { Server, Room } = require('colyseus');
    const server = new Server({ greet: false });
    server.define('lobby', class extends Room {});
    server.listen(port, host);
  },

  hocuspocus: () => require('@hocuspocus/server').Server.configure({
    port,
    address: host,
    quiet: true,
    async onUpgrade({ request: { headers }, socket }) {
      if (fixed || !headers.origin || headers.origin === 'https://notes.example') return;
      socket.on('error', () => {});
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      throw null; // so the library means it
    },
  }).listen(),

  'node-red'() {
    const app = require('express')();
    const server = http.createServer(app);
    const red = require('node-red');
    red.init(server, {
      httpAdminRoot: '/admin',
      httpNodeRoot: '/api',
      userDir: folder,
      logging: { console: { level: 'off' } },
      telemetry: { enabled: false },
      editorTheme: { tours: false },
    });
    app.use('/admin', red.httpAdmin);
    app.use('/api', red.httpNode);
    red.start().then(() => server.listen(port, host));
  },

  ocpp: () => ocpp(['ocpp2.0.1', 'ocpp1.6']),
  'ocpp password': () => ocpp(['ocpp2.0.1', 'ocpp1.6'], (accept, reject, { password }) =>
    (String(password) === 'tulip' ? accept({}) : reject(401, 'Invalid password'))),
  'ocpp station': () => ocpp(['ocpp1.6'], (accept, reject, { identity }) =>
    (identity === 'CP-0042' ? accept({}) : reject(404, 'Unknown charge point'))),

  'rpc-websockets': () => rpcWebSockets({}),
  'rpc-websockets origin': () => rpcWebSockets({
    verifyClient: ({ origin }) => fixed || !origin
      || ['https://wallet.example', 'https://www.wallet.example'].includes(origin),
  }),

  'y-websocket'() {
    const { setupWSConnection } = require('y-websocket/bin/utils');
    const server = http.createServer((request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      response.end('okay');
    });
    new WebSocketServer({ server }).on('connection', setupWSConnection);
    server.listen(port, host);
  },

  yoga: () => yoga(true),
  'yoga by events': () => yoga(fixed),
};

services[process.argv[4]]();
