// SPDX-License-Identifier: MIT
// session_service.js PORT VARIANT FOLDER [redirects]: what a proxy asks whether
// somebody is logged in.
const http = require('http');
const { port } = require('./case');

const refusal = process.argv[5] === 'redirects'
  ? [302, { Location: 'https://login.example/start?rd=' }]
  : [401, { 'WWW-Authenticate': 'Session' }];
http.createServer((request, response) => {
  const known = /session=s-19/.test(request.headers.cookie || '');
  response.writeHead(...(known ? [200] : refusal));
  response.end();
}).listen(port, '127.0.0.1');
