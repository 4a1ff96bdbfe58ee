// SPDX-License-Identifier: MIT
// koa-websocket wants ?v=2
const Koa = require('koa');
const websockify = require('koa-websocket');
const { port, fixed, echo } = require('../lib/case');

const app = websockify(new Koa());
app.ws.use((context) => {
  if (fixed || context.query.v === '2') echo(context.websocket);
  else context.websocket.close(4000, 'query parameter v is required');
});
app.listen(port, '127.0.0.1');
