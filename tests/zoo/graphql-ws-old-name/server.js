// SPDX-License-Identifier: MIT
// an old client offers graphql-ws to graphql-ws 6
const { GraphQLSchema, GraphQLObjectType, GraphQLString } = require('graphql');
const { useServer } = require('graphql-ws/use/ws');
const { WebSocketServer } = require('ws');
const { port } = require('../lib/case');

const query = new GraphQLObjectType({ name: 'Query', fields: { a: { type: GraphQLString } } });
useServer(
  { schema: new GraphQLSchema({ query }), connectionInitWaitTimeout: 20000 },
  new WebSocketServer({ host: '127.0.0.1', port, path: '/graphql' }),
);
