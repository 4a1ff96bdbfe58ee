// SPDX-License-Identifier: MIT
// workerd.mjs PORT MODE VARIANT: Workers in workerd, by Miniflare. It says UP when
// they answer.
import { Miniflare } from 'miniflare';

const [port, mode, variant] = process.argv.slice(2);
const fixed = variant === 'fixed';

const expected = "new Response('Expected Upgrade: websocket', { status: 426 })";
const isUpgrade = "request.headers.get('Upgrade') === 'websocket'";
const accept = `
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.addEventListener('message', (event) => server.send(event.data));`;
const open = 'return new Response(null, { status: 101, webSocket: client });';
const worker = (body) => `export default { async fetch(request, env) { ${body} } };`;

const modes = {
  plain: worker(`if (!(${isUpgrade})) return ${expected}; ${accept} ${open}`),

  origin: worker(`
    if (!(${isUpgrade})) return ${expected};
    const ours = ['https://board.example', 'https://staging.board.example'];
    if (!fixed && !ours.includes(request.headers.get('Origin')))
      return new Response('Forbidden', { status: 403 });
    ${accept} ${open}`),

  // env.ROOMS is bound nowhere.
  binding: worker(`
    if (!fixed) return env.ROOMS.get(env.ROOMS.idFromName('lobby')).fetch(request);
    ${accept} ${open}`),

  token: worker(`
    ${accept}
    const token = new URL(request.url).searchParams.get('token');
    if (!fixed && token !== 'jwt-ok') server.close(1008, 'Invalid token');
    ${open}`),

  'no-subprotocol': worker(`
    ${accept}
    const offered = request.headers.get('Sec-WebSocket-Protocol');
    const headers = fixed && offered
      ? { 'Sec-WebSocket-Protocol': offered.split(',')[0].trim() } : {};
    return new Response(null, { status: 101, webSocket: client, headers });`),

  room: `
    import { DurableObject } from 'cloudflare:workers';
    export class Room extends DurableObject {
      async fetch() {
        if (!fixed && this.ctx.getWebSockets().length >= 1)
          return new Response('Room is full', { status: 403 });
        const [client, server] = Object.values(new WebSocketPair());
        this.ctx.acceptWebSocket(server);
        ${open}
      }
      webSocketMessage(socket, message) { socket.send(message); }
    }
    ${worker(`
      const room = /^\\/parties\\/main\\/([a-z0-9-]+)$/.exec(new URL(request.url).pathname);
      if (!room) return new Response('Not Found', { status: 404 });
      return env.ROOM.get(env.ROOM.idFromName(room[1])).fetch(request);`)}`,
};

const miniflare = new Miniflare({
  modules: true,
  script: `const fixed = ${fixed};\n${modes[mode]}`.replace(
    /^(const fixed = \w+;)\n\s*(import [^;]+;)/, '$2\n$1'),
  host: '127.0.0.1',
  port: Number(port),
  compatibilityDate: '2025-01-01',
  ...(mode === 'room' ? { durableObjects: { ROOM: 'Room' } } : {}),
});
await miniflare.ready;
console.log('UP');
process.on('SIGTERM', async () => {
  await miniflare.dispose();
  process.exit(0);
});
