// SPDX-License-Identifier: MIT
// onConnect turns away who has no session cookie: 4403 after connection_init
const { buildSchema } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');
const { port, fixed } = require('../lib/case');

const schema = buildSchema('type Query { a: String }');
useServer(
  {
    schema,
    onConnect: ({ extra }) => fixed || /session=/.test(extra.request.headers.cookie || ''),
  },
  new WebSocketServer({ host: '127.0.0.1', port, path: '/graphql' }),
);
