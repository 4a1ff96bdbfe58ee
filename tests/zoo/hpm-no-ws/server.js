// SPDX-License-Identifier: MIT
// http-proxy-middleware without ws: true loses the answer
const express = require('express');
const { WebSocketServer } = require('ws');
const { createProxyMiddleware } = require('http-proxy-middleware');
const { port, fixed, echo } = require('../lib/case');

new WebSocketServer({ host: '127.0.0.1', port: port + 1, path: '/chat' }).on('connection', echo);
const proxy = createProxyMiddleware({ target: `http://127.0.0.1:${port + 1}`, ws: fixed });
const server = express().use(proxy).listen(port, '127.0.0.1');
if (fixed) server.on('upgrade', proxy.upgrade);
