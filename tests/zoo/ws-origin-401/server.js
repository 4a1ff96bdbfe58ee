// SPDX-License-Identifier: MIT
// verifyClient looks at the origin, and leaves the status at 401.
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const known = ({ origin }) => !origin || /^https:\/\/([a-z]+\.)?app\.example$/.test(origin);
const verifyClient = (info) => fixed || known(info);
new WebSocketServer({ host: '127.0.0.1', port, verifyClient }).on('connection', echo);
