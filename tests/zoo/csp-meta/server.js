// SPDX-License-Identifier: MIT
// a meta element forbids the socket
const http = require('http');
const { port } = require('../lib/case');

const policy = "default-src 'self'; script-src 'self'; "
  + "connect-src 'self' https://api.example wss://rt.example";
http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><html><head>'
    + `<meta http-equiv="Content-Security-Policy" content="${policy}">`
    + '<title>App</title></head></html>');
}).listen(port, '127.0.0.1');
