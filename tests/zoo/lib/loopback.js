// SPDX-License-Identifier: MIT
// node -r loopback.js: servers that cannot be told where to listen do so at 127.0.0.1.
const { Server } = require('net');
const { listen } = Server.prototype;

Server.prototype.listen = function listenHere(where, ...rest) {
  const port = Number(where && (where.port || where));
  const host = (where && where.host) || (typeof rest[0] === 'string' && rest.shift()) || '127.0.0.1';
  return port ? listen.call(this, { port, host }, ...rest.filter((x) => typeof x === 'function'))
    : listen.call(this, where, ...rest);
};
