// SPDX-License-Identifier: MIT
// onConnect throws for who gives no token: connection_error
const { buildSchema, execute, subscribe } = require('graphql');
const { SubscriptionServer } = require('subscriptions-transport-ws');
const server = require('http').createServer();
const { port, fixed } = require('../lib/case');

SubscriptionServer.create({
  schema: buildSchema('type Query { a: String }'),
  execute,
  subscribe,
  onConnect({ token }) {
    if (!fixed && !token) throw new Error('Missing auth token!');
  },
}, { server, path: '/subscriptions' });
server.listen(port, '127.0.0.1');
