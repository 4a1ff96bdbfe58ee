// SPDX-License-Identifier: MIT
// bun.ts PORT MODE VARIANT: servers of Bun and of Elysia, at the address $ADDRESS, by
// TLS if there is a $CERTIFICATE.
const [port, mode, variant] = process.argv.slice(2);
const fixed = variant === 'fixed';
const { ADDRESS = '127.0.0.1', CERTIFICATE, KEY, CLIENT_CA } = process.env;
const listens: any = { hostname: ADDRESS, port: Number(port) };

if (CERTIFICATE) {
  listens.tls = { cert: Bun.file(CERTIFICATE), key: Bun.file(KEY!) };
  if (CLIENT_CA) {
    Object.assign(listens.tls,
      { ca: Bun.file(CLIENT_CA), requestCert: true, rejectUnauthorized: true });
  }
}

const echo = {
  message(socket, data) {
    socket.send(data);
  },
};
const refuse = (status, body = null, headers = {}) => new Response(body, { status, headers });

// An echo, unless refusal(request, server) is an answer.
function serve(refusal, more: any = {}) {
  Bun.serve({
    ...listens,
    fetch(request, server) {
      const refused = refusal(request, server);
      if (refused) return refused;
      if (!server.upgrade(request)) return refuse(500, 'Upgrade failed :(');
    },
    websocket: echo,
    ...more,
  });
}
// The same, where the fixed variant refuses nobody.
const guard = (refusal) => serve((request) => (fixed ? null : refusal(request)));
const given = (request, name) => request.headers.get(name);

const modes = {
  plain: () => serve(() => null),

  agent: () => guard((request) => {
    const scripts = /bot|crawl|spider|python|curl|okhttp|axios|node/i;
    return scripts.test(given(request, 'user-agent') || 'bot') && refuse(403, 'Access denied');
  }),

  cookie: () => guard((request) => {
    const cookies = new Bun.CookieMap(given(request, 'cookie') || '');
    return cookies.get('SessionId') !== 'b7a1' &&
      Response.json({ error: 'Not signed in' }, { status: 401 });
  }),

  moved: () => guard((request) => new URL(request.url).pathname === '/ws' &&
    Response.redirect('/v2/ws', 308)),

  origin: () => guard((request) => given(request, 'origin') !== 'https://play.example' &&
    refuse(403)),

  role() {
    const error = { error: 'forbidden',
      message: 'Your role in this workspace does not allow live editing.' };
    serve((request) => {
      const token = given(request, 'authorization');
      if (!token) return Response.json({ error: 'unauthorized' }, { status: 401 });
      return !fixed && token !== 'Bearer owner-1' && Response.json(error, { status: 403 });
    });
  },

  throws: () => serve((request) => {
    if (!fixed) ({} as any)[new URL(request.url).pathname].members;
  }, { development: false }),

  // One at a time.
  full() {
    let inside = 0;
    serve(() => !fixed && inside >= 1 && refuse(503, 'Server is full', { 'retry-after': '30' }), {
      websocket: {
        ...echo,
        open() {
          inside++;
        },
        close() {
          inside--;
        },
      },
    });
  },

  // A close in place of an answer.
  token: () => Bun.serve({
    ...listens,
    fetch(request, server) {
      const known = new URL(request.url).searchParams.get('token') === 'k-77';
      server.upgrade(request, { data: { known } });
    },
    websocket: {
      ...echo,
      open(socket) {
        if (!fixed && !socket.data.known) socket.close(4001, 'invalid token');
      },
    },
  }),

  // A subprotocol for everybody, asked or not.
  subprotocol: () => Bun.serve({
    ...listens,
    fetch(request, server) {
      const headers = fixed ? {} : { 'Sec-WebSocket-Protocol': 'room.v2' };
      if (!server.upgrade(request, { headers })) return refuse(500, 'Upgrade failed');
    },
    websocket: echo,
  }),

  // The page at /app says where it may connect to.
  page() {
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; " +
      "connect-src 'self' https://api.board.example";
    const headers = { 'content-type': 'text/html',
      ...(fixed ? {} : { 'content-security-policy': policy }) };
    const app = '<!doctype html><title>Board</title><script src=/app.js></script>';
    serve(() => null, { routes: { '/app': new Response(app, { headers }) } });
  },

  'elysia-query': () => elysia((app, t) => app.ws('/live',
    fixed ? echo : { query: t.Object({ symbol: t.String(), depth: t.Numeric() }), ...echo })),

  'elysia-bearer': () => elysia((app) => app.ws('/live', {
    beforeHandle({ headers, set }) {
      if (fixed || headers.authorization === 'Bearer elysium') return;
      set.status = 401;
      return 'Unauthorized';
    },
    ...echo,
  })),

  async 'elysia-rate'() {
    const { rateLimit } = await import('elysia-rate-limit');
    elysia((app) => {
      if (!fixed) app.use(rateLimit({ max: 2, duration: 60000, generator: () => 'all' }));
      app.ws('/live', echo).get('/', () => 'hi');
    });
  },

  'elysia-group': () => elysia((app) =>
    app.get('/', () => 'Hello Elysia').group('/api/v1', (group) => group.ws('/ws', echo))),
};

async function elysia(build) {
  const { Elysia, t } = await import('elysia');
  const app = new Elysia();
  build(app, t);
  app.listen(listens);
}

modes[mode]();
