// SPDX-License-Identifier: MIT
// allowRequest compares Origin and says no more than Forbidden
const http = require('http');
const { attach } = require('engine.io');
const { port, fixed } = require('../lib/case');

const allowed = ['https://desk.example', ...(fixed ? ['http://localhost:4200'] : [])];
const server = http.createServer((request, response) => response.writeHead(404).end());
attach(server, {
  allowRequest({ headers: { origin } }, done) {
    done(null, !origin || allowed.includes(origin));
  },
});
server.listen(port, '127.0.0.1');
