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

function ganache(ws) {
  const options = { server: { ws }, logging: { quiet: true }, wallet: { totalAccounts: 1 } };
  require('ganache').server(options).listen(port, host);
}

// What guacamole-lite has behind it: a guacd that says yes to everything.
function guacd(listening) {
  const args = '4.args,13.VERSION_1_5_0,8.hostname,4.port,8.password;';
  const ready = '5.ready,37.$260d01da-779b-4ee9-afc1-c16bae885cc7;';
  require('net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (String(data).startsWith('6.select')) socket.write(args);
      if (String(data).includes('7.connect')) socket.write(ready);
    });
  }).listen(port + 1, host, listening);
}

const services = {
  'browser-sync': () => require('browser-sync').create().init({
    proxy: { target: `http://${host}:${port + 1}`, ws: fixed },
    port, host, listen: host, ui: false, open: false, online: false,
    logLevel: 'silent', notify: false, ghostMode: false,
  }),

  'bittorrent-tracker': () => import('bittorrent-tracker/server').then(({ default: Server }) => {
    const server = new Server({ udp: false, http: true, ws: true, stats: true });
    server.on('error', () => {});
    server.listen(port, host);
  }),

  colyseus() {
    const { Server, Room } = require('colyseus');
    const server = new Server({ greet: false });
    server.define('lobby', class extends Room {});
    server.listen(port, host);
  },

  ganache: () => ganache(true),
  'ganache without ws': () => ganache(fixed),

  'guacamole-lite': () => guacd(() => {
    const Guacamole = require('guacamole-lite');
    const key = 'MySuperSecretKeyForParamsToken12';
    new Guacamole({ port, host }, { host, port: port + 1 }, {
      crypt: { cypher: 'AES-256-CBC', key },
      log: { level: 'QUIET', stdLog() {}, errorLog() {} },
    });
  }),

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

  'live-server': () => require('live-server').start(
    { port, host, root: folder, open: false, logLevel: 0 }),

  'node-media-server'() {
    process.chdir(folder); // it makes a folder when it is loaded
    const MediaServer = require('node-media-server');
    new MediaServer({
      bind: host,
      http: { port, bind: host },
      rtmp: { port: port + 1, bind: host },
      notify: {},
      auth: { play: !fixed, publish: false, secret: 'nodemedia2017privatekey' },
      static: {},
      record: {},
    }).run();
  },

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

  protoo() {
    const { Room, WebSocketServer: Protoo } = require('protoo-server');
    const rooms = new Map();
    const server = http.createServer((request, response) => {
      response.statusCode = 404;
      response.end();
    }).listen(port, host);
    const protoo = new Protoo(server, { maxReceivedFrameSize: 960000 });
    protoo.on('connectionrequest', (info, accept, reject) => {
      const query = new URL(info.request.url, 'http://room').searchParams;
      const name = query.get('roomId');
      const peer = query.get('peerId') || String(Math.random());
      if (!fixed && !(name && query.get('peerId'))) {
        reject(400, 'Connection request without roomId and/or peerId');
        return;
      }
      const room = rooms.get(name) || new Room();
      rooms.set(name, room);
      const transport = accept();
      if (room.hasPeer(peer)) room.getPeer(peer).close();
      room.createPeer(peer, transport);
    });
  },

  'rpc-websockets': () => rpcWebSockets({}),
  'rpc-websockets origin': () => rpcWebSockets({
    verifyClient: ({ origin }) => fixed || !origin
      || ['https://wallet.example', 'https://www.wallet.example'].includes(origin),
  }),

  // The origins of its sockets. With FRONT it is one of two nodes behind that port.
  sails() {
    const front = process.env.FRONT;
    const store = ['https://store.example'];
    if (fixed || front) store.push('https://www.store.example');
    if (front) store.push(`http://127.0.0.1:${front}`);
    process.chdir(folder);
    require('sails').lift({
      appPath: folder,
      port,
      explicitHost: host,
      environment: 'production',
      log: { level: 'silent' },
      hooks: { sockets: require('sails-hook-sockets'), grunt: false, views: false, i18n: false,
        session: false, pubsub: false, blueprints: false },
      globals: false,
      routes: { 'GET /': (request, response) => response.send('sails') },
      session: { secret: 'x' },
      security: { cors: { allRoutes: false } },
      sockets: { onlyAllowOrigins: store, transports: ['websocket', 'polling'] },
    }, (error) => error && console.error(error));
  },

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

process.on('uncaughtException', (error) => console.error(error));
services[process.argv[4]]();
