// SPDX-License-Identifier: MIT
// changeOrigin rewrites Host; the server compares it with Origin
const express = require('express');
const { WebSocketServer } = require('ws');
const { createProxyMiddleware } = require('http-proxy-middleware');
const { port, fixed, echo } = require('../lib/case');

function sameOrigin({ origin, req }, done) {
  const same = !origin || (URL.canParse(origin) && new URL(origin).host === req.headers.host);
  done(same, 403, 'Forbidden');
}
new WebSocketServer({
  host: '127.0.0.1', port: port + 1, path: '/chat', verifyClient: sameOrigin,
}).on('connection', echo);
const proxy = createProxyMiddleware({
  target: `http://localhost:${port + 1}`, ws: true, changeOrigin: !fixed,
});
express().use(proxy).listen(port, '127.0.0.1').on('upgrade', proxy.upgrade);
