// SPDX-License-Identifier: MIT
// strangers.js PORT VARIANT FOLDER NAME [REASON]: what stands in front of a WebSocket in
// npm's packages: middleware for engines and frameworks, and mocks. With a REASON there is
// one thing that is refused; some of these, in both variants.
const http = require('http');
const { port, fixed, folder, echo } = require('./case');
const [name, reason] = process.argv.slice(5);
const host = '127.0.0.1';
const guarded = fixed ? '' : reason;
const secret = 'kept-in-the-environment-of-the-server';

// What Express has for every server, as the engine of Socket.IO takes it: to a handshake it
// has no answer but its end.
const middleware = {
  jwt: () => require('express-jwt').expressjwt({ secret, algorithms: ['HS256'] }),
  ip: () => require('express-ipfilter').IpFilter(fixed ? [host] : ['127.0.0.2'],
    { mode: 'allow', log: false }),
  bearer() {
    const passport = require('passport');
    const { Strategy } = require('passport-http-bearer');
    passport.use(new Strategy((token, done) => done(null, token === 't1' && { id: 1 })));
    return passport.authenticate('bearer', { session: false });
  },
  session: () => (request, response, next) => require('cookie-session')({ keys: ['k'] })(
    request, response, () => {
      if (fixed || request.session.user) return next();
      response.statusCode = 401;
      return response.end('{"error":"not_logged_in"}');
    }),
};

// The rules of Fastify's plugins, which look at an upgrade as at any request.
const plugins = {
  async jwt(app) {
    await app.register(require('@fastify/jwt'), { secret });
    app.addHook('onRequest', async (request) => { await request.jwtVerify(); });
  },
  async scope(app) {
    await app.register(require('@fastify/jwt'), { secret });
    app.addHook('onRequest', async (request, reply) => {
      const { scope } = await request.jwtVerify();
      if (scope !== 'live') reply.code(403).send({ error: 'insufficient_scope', need: 'live' });
    });
  },
  async rate(app) {
    await app.register(require('@fastify/rate-limit'), { max: fixed ? 90 : 3 });
  },
  async basic(app) {
    await app.register(require('@fastify/basic-auth'), {
      authenticate: { realm: 'Ops' },
      validate: async (user, password) => {
        if (user !== 'ann' || password !== 'x1') throw new Error('no');
      },
    });
    app.addHook('onRequest', app.basicAuth);
  },
  async bearer(app) {
    if (!fixed) await app.register(require('@fastify/bearer-auth'), { keys: new Set(['t1']) });
  },
  async pressure(app) {
    if (fixed) return;
    await app.register(require('@fastify/under-pressure'), {
      healthCheck: async () => false, healthCheckInterval: 200,
    });
  },
  async accepts(app) {
    app.addHook('onRequest', async (request, reply) => {
      if (!fixed && !/mozilla/i.test(request.headers['user-agent'] || '')) {
        reply.code(406).send({ error: 'unsupported client' });
      }
    });
  },
};

// An answer by what only knows requests, to an upgrade.
const answered = (request, socket, answer) => {
  const response = new http.ServerResponse(request);
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  answer(request, response);
};
const upgrades = (server) => {
  const sockets = new (require('ws').WebSocketServer)({ noServer: true });
  sockets.on('connection', echo);
  return (request, socket, head) => sockets.handleUpgrade(request, socket, head,
    (ws) => sockets.emit('connection', ws, request));
};

const strangers = {
  engine() {
    const { Server } = require('socket.io');
    const server = http.createServer((request, response) => response.end('home'));
    const io = new Server(server);
    if (reason) io.engine.use(middleware[reason]());
    io.on('connection', (socket) => socket.onAny((event, ...args) => socket.emit(event, ...args)));
    server.listen(port, host);
  },

  async thream() {
    const { authorize } = await import('@thream/socketio-jwt');
    const { Server } = require('socket.io');
    const io = new Server(Number(port), { path: '/rt' });
    if (!fixed) io.use(authorize({ secret }));
  },

  async nest() {
    require('reflect-metadata');
    const { NestFactory } = require('@nestjs/core');
    const { Module } = require('@nestjs/common');
    const { WebSocketGateway, SubscribeMessage } = require('@nestjs/websockets');
    const { IoAdapter } = require('@nestjs/platform-socket.io');
    class Live { said(body) { return body; } }
    Reflect.decorate([SubscribeMessage('said')], Live.prototype, 'said',
      Object.getOwnPropertyDescriptor(Live.prototype, 'said'));
    const options = { path: '/live' };
    if (reason === 'polling' && !fixed) options.transports = ['polling'];
    if (reason === 'allow') {
      options.allowRequest = ({ headers }, done) => {
        const known = fixed || 'x-client-version' in headers;
        done(known ? null : 'client too old', known);
      };
    }
    Reflect.decorate([WebSocketGateway(options)], Live);
    class App {}
    Reflect.decorate([Module({ providers: [Live] })], App);
    const app = await NestFactory.create(App, { logger: false });
    app.useWebSocketAdapter(new IoAdapter(app));
    await app.listen(port, host);
  },

  async fastify() {
    const app = require('fastify')();
    if (reason && plugins[reason]) await plugins[reason](app);
    await app.register(require('@fastify/websocket'));
    app.register(async (scope) => scope.get('/v1/live', { websocket: true }, echo));
    app.get('/', async () => ({ up: true }));
    await app.listen({ port, host });
    await new Promise((resolve) => setTimeout(resolve, 300)); // for a check of its health
  },

  // Hono's own middleware.
  async hono() {
    const { Hono } = require('hono');
    const { serve } = require('@hono/node-server');
    const { createNodeWebSocket } = require('@hono/node-ws');
    const app = new Hono();
    const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app });
    const rules = {
      bearer: () => require('hono/bearer-auth').bearerAuth({ token: 't1' }),
      ip: () => require('hono/ip-restriction').ipRestriction(
        require('@hono/node-server/conninfo').getConnInfo,
        { denyList: [], allowList: ['127.0.0.2'] }),
      jwt: () => require('hono/jwt').jwt({ secret, alg: 'HS256' }),
      validator: () => require('hono/validator').validator('query', (query, context) => (
        query.room ? query : context.json({ error: 'room is required' }, 422))),
    };
    if (guarded) app.use('/live', rules[guarded]());
    app.get('/live', upgradeWebSocket(() => ({
      onMessage: (event, socket) => socket.send(event.data),
    })));
    injectWebSocket(serve({ fetch: app.fetch, port, hostname: host }));
  },

  'koa-ratelimit': () => {
    const app = new (require('koa'))();
    app.use(require('koa-ratelimit')({
      driver: 'memory', db: new Map(), duration: 60000, id: ({ ip }) => ip, max: fixed ? 90 : 3,
    }));
    app.use((context) => { context.body = 'ok'; });
    const handle = app.callback();
    const accept = upgrades();
    http.createServer(handle).on('upgrade', (request, socket, head) => {
      const response = new http.ServerResponse(request);
      const end = response.end.bind(response);
      response.assignSocket(socket);
      response.on('finish', () => socket.end());
      response.end = (...words) => {
        if (response.statusCode !== 200) return end(...words);
        response.detachSocket(socket);
        return accept(request, socket, head);
      };
      handle(request, response);
    }).listen(port, host);
  },

  vhost() {
    const app = require('connect')();
    app.use(require('vhost')('live.example', (request, response) => response.end('live')));
    app.use((request, response) => {
      response.statusCode = 404;
      response.end('no such site');
    });
    const accept = upgrades();
    http.createServer(app).on('upgrade', (request, socket, head) => {
      if (fixed || /^live\.example/.test(request.headers.host)) accept(request, socket, head);
      else answered(request, socket, app);
    }).listen(port, host);
  },

  koa() {
    const Koa = require('koa');
    const app = new Koa();
    app.use(require('koa-jwt')({ secret }));
    app.use((context) => { context.status = 204; });
    const handle = app.callback();
    const accept = upgrades();
    http.createServer(handle).on('upgrade', (request, socket, head) => {
      const token = (request.headers.authorization || '').slice(7);
      try {
        if (!fixed) require('jsonwebtoken').verify(token, secret);
        accept(request, socket, head);
      } catch {
        answered(request, socket, handle);
      }
    }).listen(port, host);
  },

  'http-auth': () => {
    const auth = require('http-auth');
    const digest = auth.digest({ realm: 'Plant' }, (user, done) => done(user === 'ann'
      ? require('crypto').createHash('md5').update('ann:Plant:x1').digest('hex') : null));
    const accept = upgrades();
    http.createServer((request, response) => response.end('up')).on('upgrade',
      (request, socket, head) => {
        if (fixed) return accept(request, socket, head);
        const response = new http.ServerResponse(request);
        response.assignSocket(socket);
        response.on('finish', () => socket.end());
        return digest.check(() => {
          response.detachSocket(socket);
          accept(request, socket, head);
        })(request, response);
      }).listen(port, host);
  },

  limiter() {
    const { RateLimiterMemory } = require('rate-limiter-flexible');
    const limiter = new RateLimiterMemory({ points: fixed ? 90 : 3, duration: 60 });
    const server = http.createServer((request, response) => response.end('up'));
    new (require('ws').WebSocketServer)({
      server,
      verifyClient: ({ req }, done) => limiter.consume(req.socket.remoteAddress)
        .then(() => done(true), () => done(false, 429, 'Too Many Requests')),
    }).on('connection', echo);
    server.listen(port, host);
  },

  async mockttp() {
    const mock = require('mockttp').getLocal({ cors: false });
    await mock.start(Number(port));
    const any = mock.forAnyWebSocket(guarded === 'path' ? '/feed' : undefined);
    const rules = {
      reject: () => any.thenRejectConnection(409, 'Conflict', { 'content-type': 'text/plain' },
        'another editor has it'),
      hang: () => any.thenTimeout(),
      reset: () => any.thenResetConnection(),
      query: () => any.withQuery({ v: '2' }).thenEcho(),
    };
    await (rules[guarded] || (() => any.thenEcho()))();
  },

  // The page of a site, an echo at /ws, and one rule for who may come.
  page() {
    const accept = upgrades();
    const rules = {
      fetch: ({ headers }) => headers['sec-fetch-site'] === 'cross-site'
        && [403, '{"error":"cross-site"}'],
      cookie: ({ headers }) => !/(^|; )__Host-sid=[0-9a-f]{4}/.test(headers.cookie || '')
        && [401, '{"error":"session"}'],
      length: ({ url }) => url.length > 60 && [414, 'URI Too Long'],
      origins: ({ headers }) => headers.origin && !/^https:\/\/([a-z]+\.)?shop\.example$/.test(
        headers.origin) && [403, 'origin'],
      tenant: ({ headers }) => !/^[a-z]+\.shop\.example/.test(headers.host)
        && [404, '{"error":"no such shop"}'],
      maintenance: () => [503, '{"error":"maintenance"}'],
      version: ({ headers }) => headers['sec-websocket-protocol'] !== 'v2.shop'
        && [400, '{"error":"protocol v2.shop required"}'],
    };
    http.createServer((request, response) => {
      const home = request.url === '/';
      response.writeHead(home ? 200 : 404, { 'content-type': 'text/html' });
      response.end(home ? '<title>shop</title><script>new WebSocket("/ws")</script>' : 'none');
    }).on('upgrade', (request, socket, head) => {
      const refused = guarded && rules[guarded](request);
      if (!refused && request.url.split('?')[0] === '/ws') return accept(request, socket, head);
      const [status, text] = refused || [404, 'none'];
      return answered(request, socket, (_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(text);
      });
    }).listen(port, host);
  },
};

strangers[name]();
