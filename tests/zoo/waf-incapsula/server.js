// SPDX-License-Identifier: MIT
// An edge that answers with an incident page as Imperva's does.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const status = 403;
const fields = {
  'Content-Type': 'text/html',
  'X-Iinfo': '9-1-0 0NNN RT(1 1) q(0 -1 -1 0) r(0 -1) B15(4,200,0) U18',
  'Set-Cookie': 'visid_incap_1=x; path=/',
};
const page = '<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>'
  + '<iframe src="/_Incapsula_Resource?CWUDNSAI=9">Request unsuccessful. '
  + 'Incapsula incident ID: 9-1</iframe></body></html>';
const sockets = new WebSocketServer({ noServer: true });
http.createServer((request, response) => {
  response.writeHead(status, fields);
  response.end(page);
}).on('upgrade', (request, socket, head) => {
  socket.on('error', () => {});
  if (fixed) {
    sockets.handleUpgrade(request, socket, head, echo);
    return;
  }
  const response = new http.ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  response.writeHead(status, fields);
  response.end(page);
}).listen(port, '127.0.0.1');
