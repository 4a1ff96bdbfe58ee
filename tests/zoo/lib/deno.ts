// SPDX-License-Identifier: MIT
// deno.ts PORT MODE VARIANT: servers of Deno, by TLS if there is a $CERTIFICATE.
const [port, mode, variant] = Deno.args;
const fixed = variant === 'fixed';
const listens: any = { hostname: '127.0.0.1', port: Number(port), onListen() {} };
const certificate = Deno.env.get('CERTIFICATE');
let seen = 0;

if (certificate) {
  listens.cert = Deno.readTextFileSync(certificate);
  listens.key = Deno.readTextFileSync(Deno.env.get('KEY')!);
}

function open(request: Request, options = {}) {
  const { socket, response } = Deno.upgradeWebSocket(request, options);
  socket.onmessage = (event) => socket.send(event.data);
  socket.onerror = () => {};
  return { socket, response };
}
const refuse = (status: number, body: any = null, headers = {}) =>
  new Response(body, { status, headers });
const given = (request: Request, name: string) => request.headers.get(name) || '';

// What stands before the echo: an answer, or nothing.
const refusals: any = {
  async hangs() {
    await new Promise(() => {});
  },
  address: (request, { remoteAddr }) =>
    !['127.0.0.9', '10.1.0.4'].includes(remoteAddr.hostname) && refuse(403, 'Forbidden'),
  host(request) {
    const host = given(request, 'host');
    if (/^(localhost|127\.0\.0\.1)(:\d+)?$/.test(host)) return;
    const error = { code: -32000, message: `Invalid Host: ${host.split(':')[0]}` };
    return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 403 });
  },
  // Its own list has a slash at the end of each.
  slash(request) {
    const origin = given(request, 'origin');
    return origin && !['https://app.example/', 'https://admin.example/'].includes(origin) &&
      refuse(403, 'Origin not allowed');
  },
  origin(request) {
    const origin = given(request, 'origin');
    return origin && origin !== 'https://app.example' &&
      Response.json({ ok: false }, { status: 400 });
  },
  login(request) {
    const next = encodeURIComponent(new URL(request.url).pathname);
    return !/sid=ok/.test(given(request, 'cookie')) &&
      refuse(302, null, { location: `/login?next=${next}` });
  },
  scope(request) {
    const token = given(request, 'authorization');
    if (!token) return refuse(401, null, { 'www-authenticate': 'Bearer' });
    const insufficient = 'Bearer error="insufficient_scope", scope="stream:write"';
    return token !== 'Bearer rw-2' && refuse(403, null, { 'www-authenticate': insufficient });
  },
  rate: () => ++seen > 3 && refuse(429, '{"error":"slow down"}',
    { 'retry-after': '60', 'content-type': 'application/json' }),
  events() {
    const body = new ReadableStream({
      start(stream) {
        stream.enqueue(new TextEncoder().encode('data: {"n":1}\n\n'));
        stream.close();
      },
    });
    return refuse(200, body, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  },
};

// What is no refusal, or is one in both variants.
const modes: any = {
  plain: (request) => open(request).response,
  // As Deno's documentation has it.
  documented: (request) => given(request, 'upgrade') === 'websocket'
    ? open(request).response
    : refuse(501),
  subprotocol(request) {
    const first = given(request, 'sec-websocket-protocol').split(',')[0].trim();
    return open(request, { protocol: fixed ? first : 'board.v2' }).response;
  },
  same(request) {
    const origin = given(request, 'origin');
    const host = given(request, 'x-forwarded-host') || given(request, 'host');
    const own = `${given(request, 'x-forwarded-proto') || 'http'}://${host}`;
    return origin && origin !== own ? refuse(403, 'Forbidden') : open(request).response;
  },
  document(request) {
    const { socket, response } = open(request);
    const found = fixed || new URL(request.url).searchParams.get('doc') === 'd1';
    socket.onopen = () => {
      if (found) return;
      socket.send(JSON.stringify({ type: 'error', error: 'document not found' }));
      socket.close(1008, 'document not found');
    };
    return response;
  },
};

Deno.serve(listens, async (request, info) => {
  if (modes[mode]) return modes[mode](request);
  return (!fixed && await refusals[mode](request, info)) || open(request).response;
});
