// SPDX-License-Identifier: MIT
// gateways.js PORT VARIANT NAME [FOLDER]: proxies of npm packages at PORT, before an
// application at PORT + 1, and forward proxies.
const fs = require('fs');
const http = require('http');
const { port, fixed } = require('./case');
const [name, folder] = process.argv.slice(4);
const host = '127.0.0.1';
const target = `http://${host}:${port + 1}`;

// A server that hands what it is asked to proxy.web, and listens.
const before = (proxy) =>
  http.createServer((request, response) => proxy.web(request, response)).listen(port, host);

function badGateway(response) {
  response.statusCode = 502;
  response.end();
}

// Whether a request to a forward proxy has this name and password.
function knows(pair) {
  const basic = `Basic ${Buffer.from(pair).toString('base64')}`;
  return (request) => request.headers['proxy-authorization'] === basic;
}

// A version of http-proxy-middleware in an application that has nothing else.
function middleware(version, options) {
  const app = require('express')();
  const { createProxyMiddleware } = require(version);
  const all = { target, logLevel: 'silent', ws: true, ...options };
  const proxy = createProxyMiddleware(all);
  app.use(proxy);
  const server = app.listen(port, host);
  if (all.ws) server.on('upgrade', proxy.upgrade);
}

const gateways = {
  'http-proxy-3 without upgrade'() {
    const proxy = require('http-proxy-3').createProxyServer({ target });
    proxy.on('error', (error, request, response) => response.end && response.end());
    const server = before(proxy);
    if (fixed) server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  },

  'http-proxy idle'() {
    const timeout = fixed ? 0 : 2000;
    const proxy = require('http-proxy').createProxyServer({ target, ws: true, timeout });
    proxy.on('error', () => {});
    before(proxy).on('upgrade', (request, socket, head) => {
      proxy.ws(request, socket, head);
      if (timeout) socket.setTimeout(timeout, () => socket.destroy());
    });
  },

  // Its xfwd says ws where it means wss.
  'http-proxy xfwd'() {
    const read = (file) => fs.readFileSync(`${folder}/${file}`, 'utf8');
    require('http-proxy').createServer({
      xfwd: !fixed,
      ws: true,
      target: { host, port: port + 1 },
      headers: fixed ? { 'X-Forwarded-Proto': 'https' } : {},
      ssl: { key: read('localhost.key'), cert: read('localhost.pem') },
    }).on('error', () => {}).listen(port, host);
  },

  'httpxy changeOrigin'() {
    const { createProxyServer } = require('httpxy');
    const proxy = createProxyServer({ target, ws: true, changeOrigin: !fixed });
    http.createServer((request, response) => {
      proxy.web(request, response).catch(() => badGateway(response));
    }).on('upgrade', (request, socket, head) => {
      proxy.ws(request, socket, {}, head).catch(() => socket.destroy());
    }).listen(port, host);
  },

  'koa-proxies without upgrade'() {
    const app = new (require('koa'))();
    app.use(require('koa-proxies')('/', { target, changeOrigin: false, logs: false }));
    const server = app.listen(port, host);
    if (!fixed) return;
    const proxy = require('http-proxy').createProxyServer({ target });
    server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
  },

  'http-proxy-middleware rewrite'() {
    const { createProxyMiddleware } = require('http-proxy-middleware-2');
    const app = require('express')();
    const pathRewrite = fixed ? {} : { '^/live': '' };
    app.get('/', (request, response) => response.send('<h1>portal</h1>'));
    app.use('/live', createProxyMiddleware({ target, ws: true, pathRewrite, logLevel: 'silent' }));
    app.listen(port, host);
  },

  'http-proxy-middleware-1': () => middleware('http-proxy-middleware-1', {}),
  'http-proxy-middleware-1 host': () => middleware('http-proxy-middleware-1',
    { changeOrigin: !fixed, target: `http://localhost:${port + 1}` }),
  'http-proxy-middleware-1 rewrite': () => middleware('http-proxy-middleware-1',
    fixed ? {} : { pathRewrite: { '^/feed': '/api/feed' } }),
  'http-proxy-middleware-1 without upgrade': () => middleware('http-proxy-middleware-1',
    { ws: fixed }),
  'http-proxy-middleware without upgrade': () => middleware('http-proxy-middleware',
    { ws: fixed }),

  'fastify-http-proxy-9 without upgrade'() {
    const app = require('fastify-4')();
    app.register(require('fastify-http-proxy-9'),
      { upstream: target, prefix: '/', websocket: fixed });
    app.listen({ port, host });
  },

  'http2-proxy origin'() {
    const proxy = require('http2-proxy');
    const to = { hostname: host, port: port + 1 };
    const denied = '{"statusCode":403,"message":"denied"}';
    http.createServer((request, response) => {
      proxy.web(request, response, to, (error) => error && badGateway(response));
    }).on('upgrade', (request, socket, head) => {
      const { origin } = request.headers;
      if (!fixed && origin && new URL(origin).host !== 'desk.example') {
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n' +
          `Content-Length: ${denied.length}\r\nConnection: close\r\n\r\n${denied}`);
        return;
      }
      proxy.ws(request, socket, head, to, (error) => error && socket.destroy());
    }).listen(port, host);
  },

  redbird() {
    const { Redbird } = require('redbird');
    const proxy = new Redbird({ port, host, xfwd: true });
    proxy.register(fixed ? '127.0.0.1' : 'push.example', target);
    proxy.register('localhost', target);
  },

  'proxy with a password'() {
    const server = require('proxy').createProxy(http.createServer());
    if (!fixed) server.authenticate = knows('ann:secret');
    server.listen(port, host);
  },
  // Its first version has a callback.
  'proxy-1 with a password'() {
    const server = require('proxy-1')(http.createServer());
    const known = knows('ann:s3');
    if (!fixed) server.authenticate = (request, next) => next(null, known(request));
    server.listen(port, host);
  },

  'proxy-chain hosts': () => chain(({ hostname, refuse }) => {
    if (!fixed && hostname !== 'api.example') refuse(`Host ${hostname} is not on the allow list`);
  }),
  'proxy-chain ports': () => chain(({ port: asked, refuse }) => {
    if (!fixed && Number(asked) !== 443) refuse('Only port 443 is allowed');
  }),
  'proxy-chain password': () => chain(({ username, password }) => (
    { requestAuthentication: username !== 'ann' || password !== 's3' })),

  'http-mitm-proxy'() {
    const { Proxy } = require('http-mitm-proxy');
    const proxy = new Proxy();
    proxy.onError(() => {});
    proxy.listen({ host, port, sslCaDir: `${folder}/authority` }, () => {});
  },
};

function chain(judge) {
  const { Server, RequestError } = require('proxy-chain');
  const refuse = (text) => {
    throw new RequestError(text, 403);
  };
  const prepareRequestFunction = (request) => judge({ ...request, refuse }) || {};
  return new Server({ port, host, prepareRequestFunction }).listen();
}

process.on('uncaughtException', (error) => console.error(error));
gateways[name]();
