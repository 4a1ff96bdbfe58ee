// SPDX-License-Identifier: MIT
// frameworks.js PORT VARIANT NAME: web frameworks of npm, each with its usual way
// to a WebSocket and one reason to refuse; the mended variant has none.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('./case');
const host = '127.0.0.1';

// An echo for the upgrades that a handler passes on.
const sockets = new WebSocketServer({ noServer: true });
function open(request, socket, head) {
  sockets.handleUpgrade(request, socket, head, echo);
}

function answer(socket, status, type, body) {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\n`
    + `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
}

function fastify(options, routes) {
  const app = require('fastify')();
  app.register(require('@fastify/websocket'), { options });
  app.register(async (scope) => routes(scope));
  app.listen({ port, host });
}

function koa(onSocket) {
  const app = require('koa-websocket')(new (require('koa'))());
  app.ws.use(({ websocket }) => (fixed ? echo : onSocket)(websocket));
  app.use((context) => { context.body = 'koa'; });
  app.listen(port, host);
}

function polka() {
  const app = require('polka')();
  app.get('/', (request, response) => response.end('polka'));
  return app;
}

// A GET route that claims the upgrade, as restify has it.
function restify(...plugins) {
  const server = require('restify').createServer({ name: 'devices', handleUpgrades: true });
  if (!fixed) server.use(...plugins);
  server.get('/stream', (request, response, next) => {
    if (!response.claimUpgrade) {
      response.send(400, { code: 'BadRequest', message: 'Connection Must Upgrade For WebSockets' });
      return next();
    }
    const { socket, head } = response.claimUpgrade();
    open(request, socket, head);
    return next(false);
  });
  server.listen(port, host);
}

function webSocketExpress() {
  const { WebSocketExpress } = require('websocket-express');
  const app = new WebSocketExpress();
  const listen = () => app.createServer().listen(port, host);
  return { app, listen };
}

const accept = async (request, response) => echo(await response.accept());

const frameworks = {
  async crossws() {
    const { default: adapter } = await import('crossws/adapters/node');
    const upgrade = (request) => {
      if (fixed || /auth_session=/.test(request.headers.get('cookie'))) return;
      throw new Response('{"statusCode":401,"statusMessage":"Unauthorized"}',
        { status: 401, headers: { 'Content-Type': 'application/json' } });
    };
    const message = (peer, text) => peer.send(text.text());
    const { handleUpgrade } = adapter({ hooks: { upgrade, message } });
    http.createServer((request, response) => response.end('<!doctype html><div id="__nuxt"></div>'))
      .on('upgrade', handleUpgrade).listen(port, host);
  },

  // The old path redirects, for upgrades too; the new one is a socket.
  'express redirect'() {
    const app = require('express')();
    app.get('/socket', (request, response) => response.redirect(307, '/v3/socket'));
    app.use((request, response) => response.status(404).json({ error: 'not_found' }));
    app.listen(port, host).on('upgrade', (request, socket, head) => {
      if (fixed || request.url === '/v3/socket') return open(request, socket, head);
      socket.on('error', () => {});
      const response = new http.ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.on('finish', () => socket.end());
      return app(request, response);
    });
  },

  // The middleware throws when the socket is open already.
  'express-ws cors'() {
    const app = require('express')();
    require('express-ws')(app);
    const allowed = ['https://studio.example', 'https://www.studio.example'];
    const origin = (name, next) => (!name || allowed.includes(name)
      ? next(null, true) : next(new Error('Not allowed by CORS')));
    if (!fixed) app.use(require('cors')({ origin }));
    app.ws('/session', echo);
    app.get('/', (request, response) => response.send('studio'));
    app.listen(port, host);
  },

  'fastify constraint'() {
    const constraints = fixed ? {} : { host: /^api\.shop\.example(:\d+)?$/ };
    fastify({}, (app) => {
      app.get('/live', { websocket: true, constraints }, (socket) => echo(socket));
      app.get('/', () => ({ ok: true }));
    });
  },

  'fastify verifyClient'() {
    const ours = (origin) => !origin || /^https:\/\/([\w-]+\.)?shop\.example$/.test(origin);
    const verifyClient = ({ origin }, next) => next(fixed || ours(origin), 403, 'Forbidden');
    fastify({ verifyClient }, (app) => {
      app.get('/cart', { websocket: true }, (socket) => echo(socket));
    });
  },

  'koa replaced': () => koa((socket) =>
    setTimeout(() => socket.close(4409, 'Session replaced'), 100)),
  'koa terminates': () => koa((socket) => setTimeout(() => socket.terminate(), 60)),

  'polka get'() {
    const app = polka();
    app.get('/events', (request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end('{"events":[]}');
    });
    app.listen(port, host);
    if (fixed) app.server.on('upgrade', open);
  },

  'polka version'() {
    const app = polka();
    app.listen(port, host);
    app.server.on('upgrade', (request, socket, head) => {
      const { pathname, searchParams } = new URL(request.url, 'http://polka');
      if (pathname !== '/events') answer(socket, '404 Not Found', 'text/plain', 'Not Found');
      else if (fixed || searchParams.get('v') === '10') open(request, socket, head);
      else answer(socket, '400 Bad Request', 'application/json',
        '{"message":"Invalid API version","code":50041}');
    });
  },

  restify: () => restify([]),
  'restify throttle': () =>
    restify(require('restify').plugins.throttle({ burst: 1, rate: 1 / 60, ip: true })),

  'websocket-express'() {
    const { app, listen } = webSocketExpress();
    const { Router } = require('websocket-express');
    const rooms = new Router();
    rooms.ws('/rooms/:id', accept);
    rooms.get('/rooms/:id', ({ params }, response) => response.json({ id: params.id }));
    app.use('/api', rooms);
    listen();
  },

  'websocket-express scope'() {
    const { app, listen } = webSocketExpress();
    const { requireBearerAuth, requireAuthScope } = require('websocket-express');
    const tokens = {
      'tok-reader': { scopes: { read: true } },
      'tok-writer': { scopes: { read: true, write: true } },
    };
    if (!fixed) {
      app.use(requireBearerAuth('board', (token) => tokens[token] || null));
      app.use(requireAuthScope('write'));
    }
    app.ws('/board', accept);
    listen();
  },
};

frameworks[process.argv[4]]();
