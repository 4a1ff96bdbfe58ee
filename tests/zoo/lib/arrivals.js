// SPDX-License-Identifier: MIT
// arrivals.js PORT VARIANT FOLDER NAME [REASON]: servers of npm packages, and answers that
// are seldom. With a REASON there is one thing that they refuse.
const http = require('http');
const { port, fixed, echo } = require('./case');
const [name, reason] = process.argv.slice(5);
const host = '127.0.0.1';

const site = () => http.createServer((request, response) => {
  const home = request.url === '/';
  response.writeHead(home ? 200 : 404, { 'Content-Type': 'text/html' });
  response.end(home ? '<!doctype html><title>app</title>' : 'Not found\n');
}).listen(port, host);
const answer = (socket, head, body = '') => socket.end(
  `HTTP/1.1 ${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);

const arrivals = {
  // faye's driver leaves all that is not the protocol to the application.
  'websocket-driver'() {
    const driver = require('websocket-driver');
    site().on('upgrade', (request, socket, head) => {
      if (!driver.isWebSocket(request)) return socket.destroy();
      const { cookie = '', origin = '' } = request.headers;
      if (reason === 'cookie' && !/\bsid=s1\b/.test(cookie)) {
        return answer(socket, '401 Unauthorized', 'sign in');
      }
      if (reason === 'origin' && origin && origin !== 'https://desk.example') {
        return answer(socket, '500 Internal Server Error');
      }
      const peer = driver.http(request);
      peer.io.write(head);
      socket.pipe(peer.io).pipe(socket);
      peer.messages.on('data', (text) => peer.messages.write(text));
      return peer.start();
    });
  },

  // The repository of documents, as its sync server is written.
  async automerge() {
    const { Repo } = await import('@automerge/automerge-repo');
    const adapter = await import('@automerge/automerge-repo-network-websocket');
    const { WebSocketServer } = require('ws');
    const sockets = new WebSocketServer({ noServer: true });
    new Repo({ network: [new adapter.WebSocketServerAdapter(sockets)] });
    site().on('upgrade', (request, socket, head) => {
      if (request.url !== '/sync') return answer(socket, '404 Not Found', 'no such document');
      return sockets.handleUpgrade(request, socket, head, (peer) => {
        sockets.emit('connection', peer, request);
      });
    });
  },

  // An RPC server whose tokens are subprotocols.
  'push-rpc'() {
    const { createWebsocketServer } = require('@push-rpc/websocket');
    const server = createWebsocketServer({
      port, host, handleProtocols: (offered) => [...offered][0] || false,
    });
    server.onConnection((socket, request, protocol) => {
      if (reason === 'token' && protocol !== 'k1') socket.disconnect(4401, 'bad token');
    });
  },

  // Who is not who it wants gets a message, and no close frame.
  farewell() {
    const { WebSocketServer } = require('ws');
    new WebSocketServer({ port, host }).on('connection', (socket, request) => {
      const { origin } = request.headers;
      if (reason === 'origin' && origin && origin !== 'https://board.example') {
        socket.send('ERR origin not allowed', () => socket.terminate());
      } else if (reason === 'restart' && !fixed) socket.close(1012, 'Service Restart');
      else if (reason === 'full' && !fixed) socket.close(1013, 'Try again later');
      else echo(socket);
    });
  },

  // An upgrade is known by its letters.
  letters() {
    const { WebSocketServer } = require('ws');
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', echo);
    site().on('upgrade', (request, socket, head) => {
      if (!fixed && request.headers.upgrade !== 'WebSocket') {
        return answer(socket, '400 Bad Request', 'Upgrade expected');
      }
      return sockets.handleUpgrade(request, socket, head, (peer) => {
        sockets.emit('connection', peer);
      });
    });
  },

  // No extension is understood, and each is refused.
  extensions() {
    const { WebSocketServer } = require('ws');
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', echo);
    site().on('upgrade', (request, socket, head) => {
      if (!fixed && request.headers['sec-websocket-extensions']) return socket.destroy();
      return sockets.handleUpgrade(request, socket, head, (peer) => {
        sockets.emit('connection', peer);
      });
    });
  },
};
arrivals[name]();
