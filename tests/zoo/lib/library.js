// SPDX-License-Identifier: MIT
// library.js PORT VARIANT LIBRARY: servers of npm packages, each as its own
// documentation has it. Those that are in front of something have it at PORT + 1.
const http = require('http');
const { port, fixed, echo } = require('./case');
const host = '127.0.0.1';
const behind = `${host}:${port + 1}`;
const schema = 'type Query { a: Int } type Subscription { b: Int }';

// An HTTP server that knows nothing but its library's upgrades.
function bare() {
  const server = http.createServer((request, response) => {
    response.writeHead(404);
    response.end();
  });
  server.listen(port, host);
  return server;
}

function expressWs() {
  const app = require('express')();
  require('express-ws')(app);
  return app;
}

// Node's faye-websocket; opens(request) may end the socket and say false.
function fayeWebSocket(opens, protocols) {
  const Socket = require('faye-websocket');
  const page = (request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<h1>hello</h1>');
  };
  http.createServer(page).on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    if (!Socket.isWebSocket(request)) return socket.destroy();
    if (!fixed && !opens(request, socket)) return undefined;
    const one = new Socket(request, socket, head, protocols);
    return one.on('message', ({ data }) => one.send(data));
  }).listen(port, host);
}

function nodejsWebSocket(welcome) {
  require('nodejs-websocket').createServer((connection) => {
    connection.on('error', () => {});
    connection.on('text', (text) => connection.sendText(text));
    if (!fixed) welcome(connection);
  }).listen(port, host);
}

// An old Socket.IO, with a page.
function socketio(version, options) {
  const server = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<h1>hello</h1>');
  }).listen(port, host);
  const io = require(version)(server, options);
  io.on('connection', (socket) => socket.emit('hi'));
  return io;
}
const unless = (options) => (fixed ? {} : options);

function webSocketNode(asked) {
  const { server: Server } = require('websocket');
  const server = new Server({ httpServer: bare(), autoAcceptConnections: false });
  server.on('request', (request) => {
    if (!fixed && !asked(request)) return;
    const connection = request.accept(request.requestedProtocols[0] || null, request.origin);
    connection.on('message', ({ utf8Data }) => connection.sendUTF(utf8Data || ''));
  });
}

async function hapi(plugin, options) {
  const server = require('@hapi/hapi').server({ port, host });
  await server.register({ plugin, options });
  await server.start();
}

const libraries = {
  'engine.io': () => require('engine.io').listen(port, { cors: {} }),

  'express-http-proxy'() {
    const app = require('express')();
    if (!fixed) app.use('/', require('express-http-proxy')(behind));
    const server = app.listen(port, host);
    if (!fixed) return;
    const proxy = require('http-proxy').createProxyServer({ target: `http://${behind}` });
    server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  },

  'express-session'() {
    const app = require('express')();
    const session = require('express-session')(
      { secret: 'x', resave: false, saveUninitialized: false });
    const sockets = new (require('ws').WebSocketServer)({ noServer: true });
    app.use(session);
    app.get('/login', (request, response) => {
      request.session.user = 1;
      response.send('ok');
    });
    app.listen(port, host).on('upgrade', (request, socket, head) => {
      session(request, {}, () => {
        if (fixed || request.session.user) sockets.handleUpgrade(request, socket, head, echo);
        else socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
      });
    });
  },

  'express-ws'() {
    const app = expressWs();
    app.ws('/echo', echo);
    app.get('/', (request, response) => response.send('hi'));
    app.listen(port, host);
  },

  // The middleware answers into a socket that is open already.
  'express-ws with a session'() {
    const app = expressWs();
    app.use((request, response, next) => {
      if (fixed || /sid=ok/.test(request.headers.cookie || '')) next();
      else response.status(401).json({ error: 'not logged in' });
    });
    app.ws('/echo', echo);
    app.listen(port, host);
  },

  'faye-websocket': () => fayeWebSocket(() => true),
  'faye-websocket cookie': () => fayeWebSocket(({ headers }, socket) => {
    const known = /(^|; )sid=s%3A/.test(headers.cookie || '');
    if (!known) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    }
    return known;
  }),
  'faye-websocket device': () => fayeWebSocket(({ headers }, socket) =>
    headers['x-device-id'] || !socket.destroy()),
  'faye-websocket protocol': () => fayeWebSocket(() => true, ['irc']),

  '@fastify/http-proxy'() {
    const app = require('fastify')();
    app.register(require('@fastify/http-proxy'),
      { upstream: `http://${behind}`, websocket: fixed });
    app.listen({ port, host });
  },

  'http-server': () => require('http-server').createServer({ root: __dirname }).listen(port, host),

  'json-server'() {
    const json = require('json-server');
    const app = json.create();
    app.use(json.router({ posts: [{ id: 1 }] }));
    app.listen(port, host);
  },

  mercurius() {
    const app = require('fastify')();
    const verifyClient = ({ req }, next) =>
      next(/token=/.test(req.url) || Boolean(req.headers['x-token']));
    app.register(require('mercurius'), { schema, subscription: fixed ? true : { verifyClient } });
    app.listen({ port, host });
  },

  nes: () => hapi(require('@hapi/nes'),
    { auth: false, heartbeat: fixed ? false : { interval: 1000, timeout: 500 } }),

  async nest() {
    require('reflect-metadata');
    const { NestFactory } = require('@nestjs/core');
    const { Module } = require('@nestjs/common');
    const { WsAdapter } = require('@nestjs/platform-ws');
    const { WebSocketGateway } = require('@nestjs/websockets');
    class Events {}
    WebSocketGateway({ path: '/events' })(Events);
    class Application {}
    Module({ providers: [Events] })(Application);
    const app = await NestFactory.create(Application, { logger: false });
    app.useWebSocketAdapter(new WsAdapter(app));
    await app.listen(port, host);
  },

  'nodejs-websocket': () => nodejsWebSocket(() => {}),
  'nodejs-websocket full': () => nodejsWebSocket((socket) => socket.close(1013, 'try again later')),

  peer: () => require('peer').PeerServer({ port, host, path: '/myapp', key: 'peerjs' }),

  'socket.io'() {
    const { Server } = require('socket.io');
    new Server(bare(), { path: '/realtime' });
  },

  'socket.io-1': () => socketio('socket.io-1'),
  'socket.io-1 origin'() {
    const io = socketio('socket.io-1');
    if (!fixed) io.origins(['till.example:443']);
  },
  'socket.io-1 path': () => socketio('socket.io-1', { path: '/realtime/io' }),
  'socket.io-1 polling': () => socketio('socket.io-1', unless({ transports: ['polling'] })),
  'socket.io-1 token': () => socketio('socket.io-1',
    unless({ allowRequest: ({ url }, next) => next(4, /tok=/.test(url)) })),

  'socket.io-2': () => socketio('socket.io-2'),
  'socket.io-2 origin': () => socketio('socket.io-2',
    { origins: fixed ? '*:*' : 'https://shop.example:443' }),
  'socket.io-2 path': () => socketio('socket.io-2', { path: '/live' }),
  'socket.io-2 polling': () => socketio('socket.io-2', unless({ transports: ['polling'] })),
  'socket.io-2 token': () => socketio('socket.io-2').use(({ handshake }, next) =>
    (fixed || handshake.query.token === 'abc' ? next() : next(new Error('Authentication error')))),

  'socket.io-3': () => socketio('socket.io-3'),
  'socket.io-3 session': () => socketio('socket.io-3', unless({
    allowRequest({ headers }, next) {
      const known = /session=/.test(headers.cookie || '');
      next(known ? null : 'no session', known);
    },
  })),

  socketcluster() {
    require('socketcluster-server').attach(bare(),
      { origins: fixed ? '*:*' : 'app.example:443', wsEngine: 'ws', path: '/socketcluster/' });
  },

  sockjs() {
    const sockets = require('sockjs').createServer({ log() {} });
    sockets.on('connection', (socket) => socket.on('data', (data) => socket.write(data)));
    const server = http.createServer((request, response) => {
      response.writeHead(404);
      response.end('Not here');
    });
    sockets.installHandlers(server, { prefix: '/chat', websocket: fixed });
    server.listen(port, host);
  },

  stomp() {
    const Stomp = require('stomp-broker-js');
    new Stomp({ server: bare(), path: '/ws' });
  },

  subscriptions() {
    const { buildSchema, execute, subscribe } = require('graphql');
    const { SubscriptionServer } = require('subscriptions-transport-ws');
    SubscriptionServer.create({ schema: buildSchema(schema), execute, subscribe },
      { server: bare(), path: '/subscriptions' });
  },

  trpc() {
    const { initTRPC } = require('@trpc/server');
    const { applyWSSHandler } = require('@trpc/server/adapters/ws');
    const { WebSocketServer } = require('ws');
    const trpc = initTRPC.create();
    const router = trpc.router({ a: trpc.procedure.query(() => 1) });
    applyWSSHandler({ wss: new WebSocketServer({ port, host, path: '/trpc' }), router });
  },

  websocket: () => webSocketNode(() => true),
  'websocket origin': () => webSocketNode((request) => {
    const ours = !request.origin || request.origin === 'https://tv.example';
    if (!ours) request.reject(403, 'Origin not allowed');
    return ours;
  }),
};

process.on('uncaughtException', (error) => console.error(error));
libraries[process.argv[4]]();
