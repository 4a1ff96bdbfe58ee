// SPDX-License-Identifier: MIT
// sockets.js PORT VARIANT FOLDER PACKAGE NAME [WORD]: an echo by one of the versions of
// node's ws, in whose application there is one reason to refuse or to close; the mended
// variant has none.
const fs = require('fs');
const http = require('http');
const https = require('https');
const { port, fixed, folder } = require('./case');
const [version, name, word] = process.argv.slice(5);
const WebSocket = require(version);
const host = '127.0.0.1';

const page = (request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<h1>hello</h1>');
};
const query = (request) => new URL(request.url, 'http://x').searchParams;
const json = 'Content-Type: application/json';
const text = 'Content-Type: text/plain';

function echo(socket) {
  socket.on('error', () => {});
  socket.on('message', (data) => socket.send(String(data)));
}

function serve(options, welcome = echo) {
  const server = new WebSocket.Server(options.server ? options : { port, host, ...options });
  server.on('connection', fixed ? echo : welcome);
  return server;
}

// Those who hold the places that are taken.
function taken(count = 1) {
  if (fixed) return;
  for (let i = 0; i < count; i++) new WebSocket(`ws://${host}:${port}`).on('error', () => {});
}

// What the library's verifyClient is given: [yes, status, reason phrase].
const verifies = {
  agent: ({ req }) => [!/okhttp|python|curl|^$/i.test(req.headers['user-agent'] || ''),
    403, 'Please use the app'],
  cookie: ({ req }) => [/sid=abc/.test(req.headers.cookie || ''), 401, 'Unauthorized'],
  'needs an origin': ({ origin }) => [/^https:\/\/(.*\.)?wallet\.example$/.test(origin || ''),
    403, 'Origin required'],
  origin: ({ origin }) => [!origin || origin === word, 401, 'Unauthorized'],
  'origin 403': ({ origin }) => [!origin || origin === word, 403, 'Origin forbidden'],
  'origin 404': ({ origin }) => [!origin || origin === word, 404, 'Not Found'],
  'same origin': ({ origin, req }) => [!origin || new URL(origin).host === req.headers.host,
    403, `Origin ${origin} does not match Host ${req.headers.host}`],
  'token in the query': ({ req }) => [query(req).get('access_token') === 'k-4711',
    401, 'Unauthorized'],
};

// What the application answers to an upgrade by itself: [status line, body, fields], or
// nothing where it hangs up. True opens.
const doors = {
  agent: ({ headers }) => !/curl|python|go-http|wget/i.test(headers['user-agent'] || 'curl')
    || ['403 Forbidden', 'Bots are not welcome.', text],
  challenge: ({ headers }) => /wall_ok=/.test(headers.cookie || '') || ['403 Forbidden',
    '<!doctype html><title>Making sure you\'re not a bot!</title>'
    + '<script src="/.within.website/x/cmd/anubis/static/js/main.mjs"></script>Anubis: Loading...',
    'Content-Type: text/html; charset=utf-8',
    'Set-Cookie: techaro.lol-anubis-cookie-verification=1'],
  host: ({ headers }) => /^(localhost|panel\.lan)(:|$)/.test(headers.host)
    || ['421 Misdirected Request', 'Invalid Host', text],
  'host named': ({ headers }) => /^ops\.example/.test(headers.host)
    || ['403 Forbidden', JSON.stringify({ error: 'host_not_allowed', host: headers.host }), json],
  address: (request, { remoteAddress }) => remoteAddress === '127.0.0.9'
    || ['403 Forbidden', `{"message":"Access denied for IP ${remoteAddress}"}`, json],
  'address, hangs up': (request, { remoteAddress }) => remoteAddress === '127.0.0.9',
  login: ({ headers }) => /connect\.sid=/.test(headers.cookie || '')
    || ['302 Found', '', 'Location: /login?next=%2F'],
  'needs an origin': ({ headers }) => Boolean(headers.origin)
    || ['400 Bad Request', 'Missing Origin header'],
  'needs a protocol': ({ headers }) => Boolean(headers['sec-websocket-protocol'])
    || ['400 Bad Request', 'Sec-WebSocket-Protocol required: telemetry.v1', text],
  resets: (request, socket) => {
    socket.resetAndDestroy();
    return false;
  },
  role: ({ headers }) => {
    if (headers['x-api-key'] === 'ops-7') return true;
    if (headers['x-api-key'] !== 'read-7') return ['401 Unauthorized', ''];
    return ['403 Forbidden', '{"error":"insufficient_scope","scope":"stream:write"}', json];
  },
  room: (request) => query(request).has('room')
    || ['400 Bad Request', 'missing parameter: room', text],
  'token in the protocol': ({ headers }) =>
    (headers['sec-websocket-protocol'] || '').split(/, */).includes('access_token.9f2')
    || ['401 Unauthorized', '{"error":"invalid_token"}',
      'WWW-Authenticate: Bearer error="invalid_token"', json],
  version: (request) => query(request).get('v') === '2'
    || ['410 Gone', 'API v1 has been retired, use v=2', text],
};
let knocks = 0;
doors.rate = () => ++knocks <= 2
  || ['429 Too Many Requests', '{"retry_after":60}', 'Retry-After: 60', json];

// What it does to a socket that is open: [code, reason], or nothing if it is to stay.
const welcomes = {
  'after a message'(socket) {
    socket.send('{"error":"license expired"}');
    return [1000];
  },
  channel: (socket, { url }) => url !== '/ws/42' && [4404, 'No such channel'],
  crashes: (socket, request) => !query(request).get('cfg')
    && [1011, 'Cannot read property \'room\' of null'],
  origin: (socket, { headers }) => headers.origin && headers.origin !== 'https://wall.example'
    && [1008, 'Origin not allowed'],
  rate: () => knocks++ > 0 && [4429, 'Too many connections, retry in 30s'],
  role(socket, { headers }) {
    const key = headers['x-api-key'];
    if (key === 'admin-1') return false;
    return key === 'view-1' ? [4403, 'Forbidden: role viewer'] : [4401, 'Unauthorized'];
  },
  session(socket, { headers }) {
    if (/sid=/.test(headers.cookie || '')) return false;
    socket.send('{"type":"error","message":"session expired"}');
    return [4401, 'session expired'];
  },
  'token of a user'(socket, request) {
    const token = query(request).get('token');
    if (token === 'adm.1') return false;
    return token === 'usr.1' ? [4403, 'Forbidden: admin only'] : [4401, 'Unauthorized'];
  },
};

function behindDoor(opens) {
  const sockets = new WebSocket.Server({ noServer: true });
  http.createServer(page).on('upgrade', (request, socket, head) => {
    socket.on('error', () => {});
    const answer = fixed || opens(request, socket);
    if (answer === true) {
      sockets.handleUpgrade(request, socket, head, echo);
    } else if (answer) {
      const [status, body, ...fields] = answer;
      socket.end([`HTTP/1.1 ${status}`, 'Connection: close', ...fields,
        `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n'));
    } else socket.destroy();
  }).listen(port, host);
}

function overTls(more) {
  const read = (file) => fs.readFileSync(file);
  const options = { key: read(`${folder}/localhost.key`), cert: read(`${folder}/localhost.pem`) };
  if (!fixed) Object.assign(options, more);
  serve({ server: https.createServer(options, page).listen(port, host) });
}

const others = {
  open: () => serve({}),
  path: () => serve({ path: word }),
  'at ::1': () => serve(fixed ? {} : { host: '::1' }),
  hangs: () => (fixed ? others.open()
    : http.createServer(page).on('upgrade', () => {}).listen(port, host)),

  tls: () => overTls({}),
  'tls 1.1': () => overTls(
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
  'tls for those with a certificate': () => overTls({ requestCert: true, rejectUnauthorized: true,
    ca: fs.readFileSync(`${process.env.ZOO_OUT}/ca.pem`) }),

  // It speaks one subprotocol, WORD. The first version had a callback for the answer.
  protocol: () => serve({
    handleProtocols(offered, next) {
      const list = [...offered];
      if (version === 'ws-1') return next(fixed || list.includes(word), list[0]);
      if (list.includes(word)) return word;
      return fixed ? list[0] : false;
    },
  }),
  'a protocol that nobody asked for'() {
    const crypto = require('crypto');
    http.createServer(page).on('upgrade', ({ headers }, socket) => {
      const key = `${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = crypto.createHash('sha1').update(key).digest('base64');
      socket.write(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket',
        'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`,
        ...(fixed ? [] : ['Sec-WebSocket-Protocol: chat']), '', ''].join('\r\n'));
    }).listen(port, host);
  },

  full() {
    const verifyClient = (info, next) =>
      next(fixed || server.clients.size < 1, 503, 'Server at capacity');
    const server = serve({ verifyClient });
    taken();
  },
  'full after all'() {
    const server = serve({}, (socket) => {
      echo(socket);
      if (server.clients.size <= 2) return;
      socket.send('{"t":"error","msg":"server full"}');
      socket.close(1013, 'Try again later');
    });
    taken(2);
  },
  // The system takes the connection, and Node closes it.
  'one connection'() {
    const server = http.createServer(page);
    if (!fixed) server.maxConnections = 1;
    serve({ server: server.listen(port, host) });
    taken();
  },
  restarts: () => serve({}, (socket) =>
    setTimeout(() => socket.close(1012, 'service restart'), 300)),
  terminates: () => serve({}, (socket) => setTimeout(() => socket.terminate(), 2500)),

  // The page is here, the socket at the next port.
  'page elsewhere'() {
    const url = `"ws://" + location.hostname + ":${port + 1}/live"`;
    http.createServer((request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<h1>board</h1><script>const s = new WebSocket(${url});</script>`);
    }).listen(port, host);
    serve({ port: port + 1, path: '/live' });
  },
};

process.on('uncaughtException', (error) => console.error(error));
const [kind, ...rest] = name.split(': ');
const reason = rest.join(': ');
if (kind === 'verifies') {
  // What looks at the proxy before it stays in the mended variant.
  const stays = reason === 'same origin';
  serve(fixed && !stays ? {} : { verifyClient: (info, next) => next(...verifies[reason](info)) });
} else if (kind === 'answers') {
  behindDoor(doors[reason]);
} else if (kind === 'closes') {
  serve({}, (socket, request) => {
    const close = welcomes[reason](socket, request);
    if (close) socket.on('error', () => {}).close(...close);
    else echo(socket);
  });
  if (reason === 'rate') taken();
} else {
  others[name]();
}
