// SPDX-License-Identifier: MIT
// guarded.js PORT VARIANT FOLDER FRAMEWORK [REASON]: web frameworks of npm whose own
// middleware stands before the WebSocket and has one reason to answer something else; the
// mended variant has none.
const fs = require('fs');
const http = require('http');
const { port, fixed, folder, echo } = require('./case');
const [framework, reason] = process.argv.slice(5);
const host = '127.0.0.1';
// What looks at the proxy before it stays in the mended variant.
const guarded = (!fixed || /^(same origin|scheme)/.test(reason)) && reason;
const hostOf = (url) => new URL(url).host;
let visits = 0;

// Fastify 4: what preValidation replies, with the word for its error.
const named = { 400: 'Bad Request', 401: 'Unauthorized' };
const fastify = {
  address: ({ headers }) => headers['x-forwarded-for']
    && [400, { error: 'Untrusted proxy 127.0.0.1: forwarded headers are refused' }],
  crash() {
    throw new Error('connect ECONNREFUSED 10.0.0.5:6379');
  },
  'same origin': ({ headers: { origin, host: asked } }) => origin && hostOf(origin) !== asked
    && [403, { error: 'Bad origin' }],
  'same origin and scheme': ({ headers }) => headers.origin
    && headers.origin !== `${headers['x-forwarded-proto'] || 'http'}://${headers.host}`
    && [403, { error: 'Bad origin' }],
  schema: ({ query }) => !query.feed && [400, { code: 'FST_ERR_VALIDATION',
    message: "querystring must have required property 'feed'" }],
  token: ({ headers }) => headers.authorization !== 'Bearer eyJ.ok.1'
    && [401, { code: 'FST_JWT_NO_AUTHORIZATION_IN_HEADER',
      message: 'No Authorization was found in request.headers' }],
};

// Hono: what a middleware of /live answers.
const hono = {
  cors: (header) => header('origin') && header('origin') !== 'https://board.example'
    && [403, { message: 'CORS: origin not allowed' }],
  role(header) {
    if (header('authorization') === 'Bearer admin') return null;
    return header('authorization')
      ? [403, { error: 'insufficient role', required: 'admin', role: 'viewer' }]
      : [401, { error: 'sign in' }];
  },
  room: (header, query) => !query('room') && [422, { error: 'missing query parameter: room' }],
  'same origin': (header) => header('origin') && hostOf(header('origin')) !== header('host')
    && [403, { error: 'cross-origin WebSocket' }],
  'same origin and scheme'(header) {
    const own = `${header('x-forwarded-proto') || 'http'}://${header('host')}`;
    return header('origin') && header('origin') !== own
      && [403, { error: `origin ${header('origin')} is not ${own}` }];
  },
  'token in the query': (header, query) => query('access_token') !== 'k1'
    && [401, { error: 'invalid or expired access_token' }],
};

// Koa: what a middleware throws, or says.
const koa = {
  address: (context) => context.get('x-forwarded-for')
    && [400, 'Bad Request: X-Forwarded-For from an untrusted proxy (127.0.0.1)'],
  crash: (context) => context.path === '/notify' && context.user.id,
  origin: (context) => context.get('origin') && context.get('origin') !== 'https://crm.example'
    && [403, 'Invalid origin'],
  scheme: (context) => context.get('origin')
    && context.get('origin') !== `${context.protocol}://${context.host}`
    && [403, 'Cross origin websockets not allowed'],
};

// tinyws on Node's own server: [status, text or object].
const tiny = {
  address(request) {
    const address = request.headers['x-real-ip'] || request.socket.remoteAddress;
    return !/^10\./.test(address) && [403, `${address} is not on the office network`];
  },
  agent: ({ headers }) => /curl|python|go-http|okhttp/i.test(headers['user-agent'] || '')
    && [403, 'Automated clients are not welcome'],
  crash() {
    throw new Error("Cannot read properties of undefined (reading 'id')");
  },
  full: () => [503, 'Room server full: 50/50 sockets'],
  host: ({ headers }) => headers.host.split(':')[0] !== 'chat.example'
    && [421, 'Misdirected: unknown host'],
  'needs an origin': ({ headers }) => !headers.origin && [403, 'Origin required'],
  rate: () => ++visits > 2 && [429, { error: 'slow down' }, { 'Retry-After': '60' }],
};

const frameworks = {
  async 'fastify-4'() {
    const app = require('fastify-4')();
    const verifyClient = ({ origin }, next) =>
      next(!origin || origin === 'https://desk.example', 401, 'Unauthorized');
    const verifies = guarded === 'verifies';
    await app.register(require('fastify-websocket-8'),
      { options: verifies ? { verifyClient } : {} });
    const preValidation = async (request, reply) => {
      const [statusCode, body] = (guarded && !verifies && fastify[reason](request)) || [];
      if (!statusCode) return undefined;
      const error = body.error || named[statusCode];
      return reply.code(statusCode).send({ statusCode, ...body, error });
    };
    app.get('/', async () => ({ ok: 1 }));
    app.register(async (scope) => scope.get('/feed', { websocket: true, preValidation },
      (connection) => echo(connection.socket)));
    await app.listen({ port, host });
  },

  hono() {
    const { Hono } = require('hono');
    const { serve } = require('@hono/node-server');
    const { createNodeWebSocket } = require('@hono/node-ws');
    const app = new Hono();
    const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
    const own = {
      basic: () => require('hono/basic-auth').basicAuth({ username: 'ann', password: 'pw' }),
      bearer: () => require('hono/bearer-auth').bearerAuth({ token: 'sesame' }),
    };
    if (guarded in own) app.use('/live', own[reason]());
    if (guarded in hono) {
      app.use('/live', async (context, next) => {
        const { req } = context;
        const [status, body] = hono[reason]((name) => req.header(name), (name) => req.query(name))
          || [];
        return status ? context.json(body, status) : next();
      });
    }
    const routes = reason === 'below' ? app.basePath('/api/v2') : app;
    const onOpen = (event, socket) =>
      guarded === 'closes' && socket.close(4003, 'board is archived');
    const onMessage = (event, socket) => socket.send(event.data);
    if (guarded === 'plain') routes.get('/live', (context) => context.json({ items: [] }));
    else routes.get('/live', upgradeWebSocket(() => ({ onOpen, onMessage })));
    if (!['below', 'plain'].includes(guarded)) app.get('/', (context) => context.text('board'));
    const server = serve({ fetch: app.fetch, port, hostname: host });
    if (guarded !== 'plain') injectWebSocket(server);
  },

  'koa-easy-ws'() {
    const app = new (require('koa'))({ proxy: reason === 'scheme' });
    app.silent = true;
    app.use(require('koa-easy-ws')());
    app.use(async (context) => {
      const [status, words] = (guarded && koa[reason](context)) || [];
      if (status === 403) context.throw(status, words);
      if (status) {
        context.status = status;
        context.body = words;
      } else if (reason || ['/', '/notify'].includes(context.path)) {
        if (context.ws) echo(await context.ws());
        else context.body = 'crm';
      }
    });
    app.listen(port, host);
  },

  'koa-websocket'() {
    const app = require('koa-websocket')(new (require('koa'))());
    app.ws.use(({ websocket, headers }) => {
      const foreign = headers.origin && headers.origin !== 'https://pos.example';
      if (guarded === 'origin' && foreign) websocket.close(1008, 'origin not allowed');
      else if (guarded === 'session' && !/koa\.sess=/.test(headers.cookie || '')) {
        websocket.close(4401, 'no session');
      } else echo(websocket);
    });
    app.use((context) => { context.body = 'pos'; });
    app.listen(port, host);
  },

  async tinyws() {
    const { tinyws } = await import('tinyws');
    const handler = async (request, response) => {
      const say = (status, body, fields = {}) => {
        const isText = typeof body === 'string';
        response.writeHead(status, isText ? fields
          : { 'Content-Type': 'application/json', ...fields });
        response.end(isText ? body : JSON.stringify(body));
      };
      try {
        const answer = guarded && tiny[reason](request);
        if (answer) say(...answer);
        else if (request.url.split('?')[0] !== '/chat') say(404, 'Not Found');
        else if (request.ws) echo(await request.ws());
        else say(200, 'chat over WebSocket only');
      } catch (error) {
        say(500, error.stack);
      }
    };
    const server = http.createServer(handler);
    tinyws({ handler }, server);
    server.listen(port, host);
  },

  'hapi-20'() {
    const server = require('hapi-20').server({ port, host });
    const options = {
      origin: { origin: ['https://app.example'] },
      full: { maxConnections: 1 },
    }[guarded] || {};
    server.route({ method: 'GET', path: '/', handler: () => 'ok' });
    server.register({ plugin: require('nes-12'), options }).then(() => server.start()).then(() => {
      if (guarded === 'full') new (require('ws'))(`ws://${host}:${port}`).on('error', () => {});
    });
  },

  async feathers() {
    const { feathers } = require('@feathersjs/feathers');
    const { koa: transport } = require('@feathersjs/koa');
    const app = transport(feathers());
    const transports = guarded === 'polling' ? ['polling'] : ['websocket', 'polling'];
    const authenticate = (socket, next) => (socket.handshake.headers.authorization
      ? next() : next(new Error('Not authenticated')));
    app.configure(require('@feathersjs/socketio')(
      { cors: { origin: 'https://a.example' }, transports },
      (io) => guarded === 'token' && io.use(authenticate)));
    await app.listen(port, host);
  },

  // A page whose policy leaves out the socket, which is at the next port.
  helmet() {
    const own = `ws://${host}:${port + 1}`;
    const directives = {
      helmet: { connectSrc: ["'self'", ...(fixed ? [own] : [])] },
      'helmet-7': { defaultSrc: ["'none'"], connectSrc: ["'self'", 'https://api.example'] },
    }[reason];
    const app = require('express')();
    app.use(require(reason)({ contentSecurityPolicy: { directives } }));
    app.get(['/', '/board'], (request, response) => response.send('<h1>hello</h1>'));
    app.listen(port, host);
    const { WebSocketServer } = require('ws');
    new WebSocketServer({ port: port + 1, host }).on('connection', echo);
  },

  jayson() {
    const { Server } = require('jayson');
    const { WebSocketServer } = require('ws');
    const rpc = new Server({ add: (numbers, next) => next(null, 3) });
    const server = rpc.http();
    rpc.websocket({ wss: new WebSocketServer({ server, path: '/rpc' }) });
    server.listen(port, host);
  },

  'total4'() {
    require('total4');
    process.chdir(folder);
    // Else it keeps its counters beside this file.
    fs.writeFileSync('config', 'allow_stats_snapshot : false\n');
    fs.mkdirSync('controllers');
    fs.writeFileSync('controllers/default.js', `exports.install = function() {
      ROUTE('GET /', () => 1);
      ROUTE('SOCKET /bus/', function() {
        this.autodestroy();
        this.on('message', (client, message) => client.send(message));
      }, ['json']);
    };`);
    F.http('release', { port, ip: host, directory: folder });
  },

  'trpc-server-11'() {
    const { initTRPC } = require('trpc-server-11');
    const { createHTTPServer } = require('trpc-server-11/adapters/standalone');
    const trpc = initTRPC.create();
    const router = trpc.router({ a: trpc.procedure.query(() => 1) });
    const server = createHTTPServer({ router, createContext: () => ({}) });
    if (guarded !== 'http') {
      const { applyWSSHandler } = require('trpc-server-11/adapters/ws');
      const { WebSocketServer } = require('ws');
      const createContext = ({ req }) => {
        if (guarded === 'cookie' && !req.headers.cookie) throw new Error('UNAUTHORIZED');
        return {};
      };
      const wss = new WebSocketServer({ server: server.server || server, path: '/trpc-ws' });
      applyWSSHandler({ wss, router, createContext });
    }
    server.listen(port, host);
  },

  async apollo() {
    const { ApolloServer } = require('@apollo/server');
    const { startStandaloneServer } = require('@apollo/server/standalone');
    const server = new ApolloServer({ typeDefs: 'type Query { a: Int }', resolvers: {} });
    await startStandaloneServer(server, { listen: { port, host } });
  },
};

process.on('uncaughtException', (error) => console.error(error));
process.on('unhandledRejection', (error) => console.error(error));
frameworks[framework]();
