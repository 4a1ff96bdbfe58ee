// SPDX-License-Identifier: MIT
// no subprotocol is offered to graphql-ws
const { GraphQLSchema, GraphQLObjectType, GraphQLString } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');
const { port } = require('../lib/case');

const query = new GraphQLObjectType({ name: 'Query', fields: { a: { type: GraphQLString } } });
useServer(
  { schema: new GraphQLSchema({ query }), connectionInitWaitTimeout: 20000 },
  new WebSocketServer({ host: '127.0.0.1', port, path: '/graphql' }),
);
