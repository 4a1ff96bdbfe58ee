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

// Hocuspocus 3, that wants a token in the query if it is told to.
function hocuspocus3(wantsToken) {
  const { Server } = require('hocuspocus-server-3');
  const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n'
    + 'Content-Length: 13\r\nConnection: close\r\n\r\nMissing token';
  new Server({
    port,
    address: host,
    quiet: true,
    async onUpgrade({ request, socket }) {
      if (fixed || !wantsToken || /token=/.test(request.url)) return;
      socket.end(refusal);
      throw null; // so the library means it
    },
  }).listen();
}

async function aedes(offers) {
  const { Aedes } = require('aedes');
  const { createWebSocketStream } = require('ws');
  const broker = await Aedes.createBroker();
  const server = http.createServer((request, response) => {
    response.statusCode = 426;
    response.end('Upgrade Required');
  });
  new WebSocketServer({
    server,
    handleProtocols: (offered) => offered.has('mqtt') && 'mqtt',
    verifyClient: ({ req }, next) =>
      next(offers(req), 400, 'Sec-WebSocket-Protocol: mqtt required'),
  }).on('connection', (socket) => broker.handle(createWebSocketStream(socket)));
  server.listen(port, host);
}

// graphql-ws 5 at /subscriptions; patient waits for connection_init as long as it likes.
function graphqlWs5(patient, onConnect = () => true) {
  const { useServer } = require('graphql-ws-5/lib/use/ws');
  const { buildSchema } = require('graphql');
  const server = http.createServer((request, response) => {
    response.statusCode = 404;
    response.end();
  }).listen(port, host);
  useServer({ schema: buildSchema('type Query { a: Int }'), onConnect,
    ...(patient ? {} : { connectionInitWaitTimeout: 800 }) },
  new WebSocketServer({ server, path: '/subscriptions' }));
}

function moleculer(mixins, io) {
  const { ServiceBroker } = require('moleculer');
  const socketAuthorize = async ({ handshake }) => {
    if (handshake.query.token !== 'm1') throw new Error('unauthorized');
    return { id: 1 };
  };
  const broker = new ServiceBroker({ logger: false });
  broker.createService({
    name: 'api',
    mixins: mixins.map((name) => require(name)),
    settings: { port, ip: host, io: { namespaces: { '/': { ...io, events: { call: {} } } } } },
    methods: { socketAuthorize },
  });
  broker.start();
}

function shareDb(allows) {
  const ShareDB = require('sharedb');
  const Stream = require('@teamwork/websocket-json-stream');
  const share = new ShareDB();
  if (!fixed) {
    share.use('connect', ({ req }, next) => next(allows(req) ? null : new Error('unauthorised')));
  }
  const server = http.createServer((request, response) => response.end('<h1>hello</h1>'));
  new WebSocketServer({ server }).on('connection', (socket, request) =>
    share.listen(new Stream(socket), request));
  server.listen(port, host);
}

const services = {
  // MQTT by WebSocket; with "strict" it refuses who does not offer mqtt.
  aedes: () => aedes(() => true),
  'aedes strict': () => aedes(({ headers }) =>
    fixed || /\bmqtt\b/.test(headers['sec-websocket-protocol'] || '')),

  'boardgame.io'() {
    const { Server } = require('boardgame.io/server');
    const origins = ['https://play.example'];
    Server({ games: [{ name: 't', setup: () => ({}), moves: {} }], origins }).run({ port });
  },

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

  'cors-anywhere': () => require('cors-anywhere').createServer(
    { originWhitelist: [], requireHeader: ['origin', 'x-requested-with'] }).listen(port, host),

  ganache: () => ganache(true),
  'ganache without ws': () => ganache(fixed),

  'graphql-ws-5': () => graphqlWs5(false),
  'graphql-ws-5 patient': () => graphqlWs5(true),
  'graphql-ws-5 forbidden': () => graphqlWs5(false, ({ extra }) =>
    fixed || /sid=/.test(extra.request.headers.cookie || '')),

  gun() {
    const web = http.createServer((request, response) => {
      response.statusCode = 404;
      response.end();
    }).listen(port, host);
    process.chdir(folder); // where it makes a folder
    require('gun')({ web, radisk: false, localStorage: false, multicast: false, axe: false });
  },

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

  'hocuspocus-3': () => hocuspocus3(false),
  'hocuspocus-3 token': () => hocuspocus3(true),

  'live-server': () => require('live-server').start(
    { port, host, root: folder, open: false, logLevel: 0 }),

  'moleculer without sockets': () =>
    moleculer(fixed ? ['moleculer-web', 'moleculer-io'] : ['moleculer-web']),
  'moleculer token': () => moleculer(['moleculer-web', 'moleculer-io'],
    { authorization: !fixed }),

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

  // AMQP by WebSocket.
  rhea() {
    const container = require('rhea').create_container();
    const handleProtocols = (offered) => {
      if (offered.has('amqp')) return 'amqp';
      return fixed ? [...offered][0] : false;
    };
    new WebSocketServer({ port, host, handleProtocols })
      .on('connection', (socket) => container.websocket_accept(socket));
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

  sharedb: () => shareDb(() => true),
  'sharedb user': () => shareDb((request) => request && /user=/.test(request.url)),

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
