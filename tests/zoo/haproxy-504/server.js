// SPDX-License-Identifier: MIT
// the application never answers
const { port } = require('../lib/case');

require('http').createServer(() => {}).on('upgrade', () => {}).listen(port, '127.0.0.1');
