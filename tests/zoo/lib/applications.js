// SPDX-License-Identifier: MIT
// applications.js PORT VARIANT NAME [WORD]: applications that stand behind proxies.
// Most of them have nothing wrong themselves, and a page at /.
const fs = require('fs');
const http = require('http');
const { port, fixed, echo } = require('./case');
const [name, word] = process.argv.slice(4);
const host = '127.0.0.1';

const page = (title) => (request, response) => {
  const home = request.url.split('?')[0] === '/';
  response.writeHead(home ? 200 : 404, { 'Content-Type': home ? 'text/html' : 'text/plain' });
  response.end(home ? `<!doctype html><title>${title}</title><h1>${title}</h1>` : 'Not found\n');
};
const site = (title) => http.createServer(page(title)).listen(port, host);

function ws(options, server = site('chat')) {
  const { WebSocketServer } = require('ws');
  return new WebSocketServer({ server, ...options }).on('connection', echo);
}

function socketio(options) {
  const { Server } = require('socket.io');
  const io = new Server(site('board'), options);
  io.on('connection', () => {});
  return io;
}

const applications = {
  ws: () => ws({}),
  deflate: () => ws({ perMessageDeflate: true }),

  // Its certificate is in the folder WORD.
  tls() {
    const read = (file) => fs.readFileSync(`${word}/${file}`);
    const options = { cert: read('localhost.pem'), key: read('localhost.key') };
    ws({}, require('https').createServer(options, page('secure')).listen(port, host));
  },

  // Its sessions are named after WORD, if there is one.
  'socket.io'() {
    const io = socketio({ cors: { origin: '*' } });
    let sessions = 0;
    if (word) io.engine.generateId = () => word + ++sessions;
  },

  'socket.io allowRequest': () => socketio({
    allowRequest({ headers: { origin } }, next) {
      const allowed = !origin || fixed || origin === 'https://board.example';
      next(allowed ? null : 'origin not allowed', allowed);
    },
  }),

  'engine.io': () => require('engine.io').attach(site('metrics')),

  sockjs() {
    const sockets = require('sockjs').createServer({ log() {} });
    sockets.on('connection', (socket) => socket &&
      socket.on('data', (message) => socket.write(message)));
    sockets.installHandlers(site('support'), { prefix: '/sockjs' });
  },

  primus() {
    const Primus = require('primus');
    new Primus(site('orders'), { transformer: 'websockets', pathname: '/primus' });
  },

  async nes() {
    const server = require('@hapi/hapi').server({ port, host });
    await server.register(require('@hapi/nes'));
    server.route({ method: 'GET', path: '/', handler: () => 'hapi' });
    await server.start();
  },

  async aedes() {
    const broker = await require('aedes').Aedes.createBroker();
    require('websocket-stream').createServer({ server: site('broker') }, broker.handle);
  },

  'graphql-ws'() {
    const { WebSocketServer } = require('ws');
    const { useServer } = require('graphql-ws/use/ws');
    const schema = require('graphql').buildSchema('type Query { a: Int }');
    useServer({ schema }, new WebSocketServer({ server: site('graphql'), path: '/graphql' }));
  },

  'websocket-node'() {
    const { server: Server } = require('websocket');
    new Server({ httpServer: site('ops'), autoAcceptConnections: true });
  },

  // Its WebSocket is at the path WORD.
  async fastify() {
    const app = require('fastify')();
    await app.register(require('@fastify/websocket'));
    app.get('/', async () => ({ ok: true }));
    app.get(word, { websocket: true }, (socket) => echo(socket));
    await app.listen({ port, host });
  },

  gun() {
    const Gun = require('gun');
    const web = http.createServer(Gun.serve('/nowhere')).listen(port, host);
    Gun({ web, file: false, radisk: false, localStorage: false, multicast: false, axe: false });
  },
};

// What a client that hangs up does to a library is not what the case is about.
process.on('uncaughtException', (error) => console.error(error));
applications[name]();
