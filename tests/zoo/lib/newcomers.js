// SPDX-License-Identifier: MIT
// newcomers.js PORT VARIANT FOLDER NAME [REASON]: servers of npm packages. With a REASON
// there is one thing that they refuse; some of these, in both variants.
const fs = require('fs');
const http = require('http');
const { port, fixed, folder, echo } = require('./case');
const [name, reason] = process.argv.slice(5);
const host = '127.0.0.1';
const guarded = fixed ? '' : reason;

const page = (title) => (request, response) => {
  const home = request.url.split('?')[0] === '/';
  response.writeHead(home ? 200 : 404, { 'Content-Type': home ? 'text/html' : 'text/plain' });
  response.end(home ? `<!doctype html><title>${title}</title>` : 'Not found\n');
};
const site = (title) => http.createServer(page(title)).listen(port, host);
const foreign = (origin, known) => origin && origin !== known;

// What the routes of @jsenv/server answer instead of a WebSocket.
const answers = {
  crash() {
    throw new Error('db is undefined');
  },
  origin: ({ origin }) => foreign(origin, 'https://notes.example')
    && Response.json({ error: 'origin_not_allowed' }, { status: 403 }),
  plain: () => !fixed && new Response('live', { headers: { 'content-type': 'text/plain' } }),
  role: ({ authorization }) => authorization !== 'Bearer admin'
    && Response.json({ error: 'viewers may not write', role: 'viewer' }, { status: 403 }),
  'same origin': ({ origin, host: asked }) => origin && new URL(origin).host !== asked
    && Response.json({ error: 'csrf' }, { status: 403 }),
};

// What a stream over ws asks for: [how to know, what is said].
const verifies = {
  agent: [({ headers }) => fixed || !/python|curl/i.test(headers['user-agent'] || ''),
    'Forbidden client'],
  'same origin': [({ headers: { origin, host: asked } }) => !origin
    || new URL(origin).host === asked, 'Bad origin'],
  scheme: [({ headers }) => !headers.origin || headers.origin
    === `${headers['x-forwarded-proto'] || 'http'}://${headers.host}`, 'Bad origin'],
};

const newcomers = {
  // PondSocket rejects after the handshake, with a message of its own.
  pondsocket() {
    const { default: PondSocket } = require('@eleven-am/pondsocket');
    new PondSocket(site('games')).createEndpoint('/api/socket', (request, response) => {
      const { query, headers } = request;
      if (reason === 'token' && query.token !== 'k1') response.reject('Invalid token', 401);
      else if (reason === 'origin' && foreign(headers.origin, 'https://play.example')) {
        response.reject('Origin not allowed', 403);
      } else if (guarded === 'season') response.reject('Season has not started', 503);
      else response.accept({});
    });
  },

  // Curveball's middleware sees an upgrade as it sees a request.
  async curveball() {
    const { Application } = await import('@curveball/core');
    const app = new Application();
    app.use(({ request, response, webSocket: socket }) => {
      const { headers, path } = request;
      if (path !== '/' && path !== '/desk') response.status = 404;
      else if (path === '/' || !socket) response.body = { links: { self: '/' } };
      else if (reason === 'key' && headers.get('X-Api-Key') !== 'k1') {
        socket.close(4001, 'missing api key');
      } else if (reason === 'origin' && foreign(headers.get('Origin'), 'https://desk.example')) {
        socket.close(4403, 'origin');
      } else echo(socket);
    });
    const server = http.createServer(app.callback());
    if (guarded !== 'http alone') server.on('upgrade', app.upgradeCallback.bind(app));
    server.listen(port, host);
  },

  // Marble hands its options to ws.
  async marble() {
    const { createWebSocketServer, webSocketListener } = require('@marblejs/websockets');
    const options = { port, host };
    if (reason === 'path') options.path = '/crew';
    if (reason === 'origin') {
      options.verifyClient = ({ origin }, done) =>
        done(!foreign(origin, 'https://crew.example'), 401);
    }
    const listener = webSocketListener({ effects: [] });
    (await createWebSocketServer({ options, listener }))();
  },

  // json-rpc2 takes a WebSocket at any path.
  'json-rpc2'() {
    const server = require('json-rpc2').Server.$create({ websocket: guarded !== 'http' });
    server.expose('add', ([a, b], options, done) => done(null, a + b));
    server.listen(port, host);
  },

  // A subscription of XRPC, whose errors are frames.
  async xrpc() {
    const { createServer, AuthRequiredError } = await import('@atproto/xrpc-server');
    const id = 'io.example.events';
    const required = reason === 'parameter' ? ['cursor'] : undefined;
    const parameters = { type: 'params', properties: { cursor: { type: 'integer' } }, required };
    const message = { schema: { type: 'union', refs: ['#tick'] } };
    const tick = { type: 'object', properties: { n: { type: 'integer' } } };
    const main = { type: 'subscription', parameters, message };
    const server = createServer([{ lexicon: 1, id, defs: { main, tick } }]);
    server.streamMethod(id, {
      async auth({ req: { headers } }) {
        if (reason === 'bearer' && headers.authorization !== 'Bearer k1') {
          throw new AuthRequiredError();
        }
        return { credentials: {} };
      },
      async* handler() {
        for (let n = 0; ; n++) {
          yield { $type: `${id}#tick`, n };
          await new Promise((done) => setTimeout(done, 60000));
        }
      },
    });
    require('express')().use(server.router).listen(port, host);
  },

  async jsenv() {
    const { startServer, WebSocketResponse } = await import('@jsenv/server');
    const home = () =>
      new Response('<h1>notes</h1>', { headers: { 'content-type': 'text/html' } });
    const live = ({ headers }) => {
      const refusal = answers[reason] && (!fixed || reason !== 'crash') && answers[reason](headers);
      return refusal || new WebSocketResponse((socket) =>
        socket.on('message', (text) => socket.send(String(text))));
    };
    await startServer({ port, hostname: host, logLevel: 'off', stopOnExit: false,
      stopOnInternalError: false,
      routes: [{ endpoint: 'GET /', fetch: home }, { endpoint: 'GET /live', fetch: live }] });
  },

  reactotron() {
    require('./loopback');
    require('reactotron-core-server').createServer({ port }).start();
  },

  // A lambda behind an imitation of API Gateway.
  'lambda-ws'() {
    require('./loopback');
    process.env.PORT = port;
    const lambda = require('aws-lambda-ws-server');
    const fine = async () => ({ statusCode: 200 });
    lambda(lambda.handler({
      async connect({ event }) {
        const { auth } = event.multiValueQueryStringParameters || {};
        if (guarded === 'hangs') await new Promise(() => {});
        if (guarded === 'throws') throw new Error('table not found');
        if (reason === 'token' && !auth) return { statusCode: 401 };
        return { statusCode: guarded === 'forbidden' ? 403 : 200 };
      },
      disconnect: fine,
      default: fine,
    }));
  },

  'ws-2'() {
    const { Server } = require('ws-2');
    const options = { server: site('till') };
    if (reason === 'path') options.path = '/till';
    if (reason === 'origin') {
      options.verifyClient = ({ origin }) => !foreign(origin, 'https://shop.example');
    }
    if (reason === 'protocol') {
      options.handleProtocols = (all) => all.includes('till.2') && 'till.2';
    }
    new Server(options).on('connection', echo);
  },

  // A bridge of streams, over ws 8.
  'websocket-stream'() {
    const options = { server: site('bridge') };
    if (verifies[reason]) {
      const [known, said] = verifies[reason];
      options.verifyClient = ({ req }, done) => done(known(req), 403, said);
    }
    const { createServer } = require('@httptoolkit/websocket-stream');
    createServer(options, (stream) => stream.pipe(stream));
  },

  'ws-server-wrapper'() {
    const { WebSocketServer } = require('ws');
    const Wrapper = require('ws-server-wrapper');
    const sockets = new Wrapper(new WebSocketServer({ server: site('poll') }));
    sockets.on('connection', (socket) => {
      if (guarded === 'closed') socket.disconnect(4100, 'poll is closed');
    });
  },

  // Its live reload is at the next port.
  'gulp-connect'() {
    require('./loopback');
    fs.writeFileSync(`${folder}/index.html`, '<html><body>hi</body></html>');
    const livereload = { port: port + 1, hostname: host };
    require('gulp-connect').server({ root: folder, port, host, livereload });
  },

  // ioBroker's sockets tell a client without a session to log in again.
  iobroker() {
    const { SocketIO } = require('@iobroker/ws-server');
    const io = new SocketIO(site('admin'));
    if (reason === 'session') {
      io.use(({ headers }, next) => (/connect\.sid=/.test(headers.cookie || '') ? next()
        : next(new Error('no session'))));
    }
    io.on('connection', () => {});
  },

  async tinybase() {
    const folderOf = 'tinybase/synchronizers/synchronizer-ws-server';
    const { createWsServer } = await import(require.resolve(folderOf));
    const { WebSocketServer } = require('ws');
    const server = http.createServer((request, response) => {
      response.statusCode = 426;
      response.end('Upgrade Required');
    }).listen(port, host);
    const options = { server };
    if (reason === 'origin') {
      options.verifyClient = ({ origin }) => !foreign(origin, 'https://notes.example');
    }
    if (reason === 'token') {
      options.verifyClient = ({ req }, done) => {
        const token = new URL(req.url, 'http://x').searchParams.get('token');
        done(token === 'k1', 401, JSON.stringify({ error: 'invalid token' }),
          { 'Content-Type': 'application/json' });
      };
    }
    createWsServer(new WebSocketServer(options));
  },

  'simple-websocket'() {
    const options = { server: site('canvas') };
    if (reason === 'path') options.path = '/draw';
    if (verifies[reason]) {
      const [known] = verifies[reason];
      options.verifyClient = ({ req }, done) => done(known(req), 403, 'Cross-origin connection');
    }
    const Server = require('simple-websocket/server.js');
    new Server(options).on('connection', (socket) =>
      socket.on('data', (data) => socket.send(data)));
  },

  'websocket-stream-5'() {
    const options = { server: site('broker') };
    if (reason === 'mqtt') options.handleProtocols = (all) => all.includes('mqtt') && 'mqtt';
    if (reason === 'key') {
      options.verifyClient = ({ req: { headers } }, done) =>
        done(headers.authorization === 'Bearer k1', 401, 'Unauthorized');
    }
    require('websocket-stream').createServer(options, (stream) => stream.pipe(stream));
  },

  chii() {
    require('chii').start({ port, host, domain: `localhost:${port}` });
  },

  // The routes of hapi-plugin-websocket are asked once at the start of a connection.
  async 'hapi-websocket'() {
    const server = new (require('@hapi/hapi').Server)({ address: host, port, debug: false });
    const { unauthorized, forbidden } = require('@hapi/boom');
    await server.register(require('hapi-plugin-websocket'));
    server.auth.scheme('key', () => ({
      authenticate({ headers }, h) {
        if (headers.authorization !== 'Bearer k1') throw unauthorized(null, 'Bearer');
        return h.authenticated({ credentials: { user: 1 } });
      },
    }));
    server.auth.strategy('key', 'key');
    const websocket = { only: true, initially: /token|private|crash/.test(reason),
      connect: ({ ws }) => ws.send('hi') };
    if (reason === 'protocol') websocket.subprotocol = 'board.v2';
    const options = { plugins: { websocket }, ...(reason === 'token' && { auth: 'key' }) };
    const handler = () => {
      if (guarded === 'private') throw forbidden('board is private');
      if (guarded === 'crash') throw new Error('boom');
      return { ok: true };
    };
    server.route({ method: 'POST', path: '/board', options, handler });
    server.route({ method: 'GET', path: '/', handler: () => 'boards' });
    await server.start();
  },

  // Watershed leaves it to its caller to refuse.
  watershed() {
    const { Watershed } = require('watershed');
    const shed = new Watershed();
    site('console').on('upgrade', (request, socket, head) => {
      if (reason === 'path' && request.url !== '/vnc') {
        const said = '{"code":"ResourceNotFound","message":"no such path"}';
        socket.end('HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n'
          + `Content-Length: ${said.length}\r\n\r\n${said}`);
        return;
      }
      try {
        const protocols = reason === 'protocol' ? ['binary', 'base64'] : undefined;
        const client = shed.accept(request, socket, head, false, protocols);
        client.on('text', (text) => client.send(text));
        client.on('error', () => {});
      } catch (error) {
        socket.end();
      }
    });
  },

  foxglove() {
    const { FoxgloveServer } = require('@foxglove/ws-protocol');
    const { WebSocketServer } = require('ws');
    const foxglove = new FoxgloveServer({ name: 'rover' });
    const server = http.createServer((request, response) => {
      response.writeHead(426, { 'Content-Type': 'text/plain' });
      response.end('Upgrade Required');
    }).listen(port, host);
    const handleProtocols = (all) => foxglove.handleProtocols(all);
    new WebSocketServer({ server, handleProtocols }).on('connection', (socket, { socket: tcp }) => {
      if (guarded === 'full') socket.close(1013, 'too many viewers');
      else foxglove.handleConnection(socket, tcp.remoteAddress);
    });
  },

  rsocket() {
    const { default: Transport } = require('rsocket-websocket-server');
    const { RSocketServer } = require('rsocket-core');
    const transport = new Transport({ host, port });
    new RSocketServer({ getRequestHandler: () => ({}), transport }).start();
  },

  // A SOCKS server.
  async 'simple-socks'() {
    const socks = await import('simple-socks');
    const options = {};
    if (reason === 'password') {
      options.authenticate = (user, password, socket, done) =>
        setImmediate(done, user === 'ann' && password === 's3' ? undefined
          : new Error('incorrect username and password'));
    }
    if (guarded === 'filter') {
      options.connectionFilter = (destination, origin, done) =>
        setImmediate(done, new Error('destination not allowed'));
    }
    (socks.createServer || socks.default.createServer)(options).listen(port, host);
  },

  async 'yjs-server'() {
    const { WebSocketServer } = require('ws');
    const { createYjsServer } = await import('yjs-server');
    const { Doc } = await import('yjs');
    const documents = createYjsServer({ createDoc: () => new Doc() });
    new WebSocketServer({ server: site('documents') }).on('connection', (socket, request) => {
      const { searchParams } = new URL(request.url, 'http://x');
      const refused = reason === 'token' && searchParams.get('token') !== 'k1';
      if (refused) socket.close(4001, 'unauthorized');
      documents.handleConnection(socket, request, Promise.resolve(!refused));
    });
  },
};

// What a client that hangs up does to a library is not what the case is about.
process.on('uncaughtException', (error) => console.error(error));
process.on('unhandledRejection', (error) => console.error(error));
newcomers[name]();
