// SPDX-License-Identifier: MIT
// An edge that answers as AWS WAF does in CloudFront when it wants a browser to prove itself.
const http = require('http');
const { WebSocketServer } = require('ws');
const { port, fixed, echo } = require('../lib/case');

const status = 202;
const fields = {
  Server: 'CloudFront',
  'x-amzn-waf-action': 'challenge',
  'Content-Type': 'text/html; charset=UTF-8',
  'Cache-Control': 'no-store, max-age=0',
  Via: '1.1 3f1b0e.cloudfront.net (CloudFront)',
  'X-Cache': 'Error from cloudfront',
  'X-Amz-Cf-Id': 'q1',
};
const page = '';
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
