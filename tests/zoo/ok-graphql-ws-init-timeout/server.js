// SPDX-License-Identifier: MIT
// nothing is wrong: who does not begin within 0.8 s is closed with 4408
const { buildSchema } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');
const { port } = require('../lib/case');

const schema = buildSchema('type Query { a: String }');
useServer(
  { schema, connectionInitWaitTimeout: 800 },
  new WebSocketServer({ host: '127.0.0.1', port, path: '/graphql' }),
);
