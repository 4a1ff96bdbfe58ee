// SPDX-License-Identifier: MIT
// the feed wants a parameter that the URL lacks
const Koa = require('koa');
const websocket = require('koa-easy-ws');
const { port, echo } = require('../lib/case');

const app = new Koa();
app.use((websocket.default || websocket)());
app.use(async (ctx) => {
  if (ctx.path !== '/quotes') return;
  if (!ctx.query.symbols) {
    ctx.status = 400;
    ctx.body = { error: 'missing_parameter', message: 'Query parameter "symbols" is required' };
  } else if (ctx.ws) {
    echo(await ctx.ws());
  } else {
    ctx.status = 426;
    ctx.body = 'Upgrade Required';
  }
});
app.listen(port, '127.0.0.1');
