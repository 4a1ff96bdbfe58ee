// SPDX-License-Identifier: MIT
// the server listens at 127.0.0.1, the URL says [::1]
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const host = fixed ? '::1' : '127.0.0.1';
new WebSocketServer({ host, port }).on('connection', echo);
