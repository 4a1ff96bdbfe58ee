// SPDX-License-Identifier: MIT
// the API's root lists the stream under /api/v2
const Koa = require('koa');
const websocket = require('koa-easy-ws');
const { port, echo } = require('../lib/case');

const app = new Koa();
app.use((websocket.default || websocket)());
app.use(async (ctx) => {
  if (ctx.path === '/') {
    ctx.body = { name: 'desk', endpoints: { events: '/api/v2/events' } };
  } else if (ctx.path === '/api/v2/events') {
    if (ctx.ws) echo(await ctx.ws());
    else ctx.status = 426;
  }
});
app.listen(port, '127.0.0.1');
