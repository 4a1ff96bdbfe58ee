// SPDX-License-Identifier: MIT
// Socket.IO is mounted elsewhere, and Caddy makes 502 of its silence
const express = require('express');
const http = require('http');
const { Server } = require('socket.io');
const { port, fixed } = require('../lib/case');

const app = express();
const server = http.createServer(app);
app.get('/', (request, response) => response.type('html').send('<!doctype html><title>desk</title>'
  + '<script src="/realtime/socket.io/socket.io.js"></script>'
  + '<script>io({ path: "/realtime/socket.io" })</script>'));
new Server(server, { path: fixed ? '/socket.io' : '/realtime/socket.io' });
server.listen(port, '127.0.0.1');
