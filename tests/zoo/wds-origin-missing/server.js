// SPDX-License-Identifier: MIT
// webpack-dev-server wants an Origin
const fs = require('fs');
const webpack = require('webpack');
const WebpackDevServer = require('webpack-dev-server');
const { port, fixed, folder } = require('../lib/case');

fs.writeFileSync(`${folder}/entry.js`, '');
const compiler = webpack({
  mode: 'development',
  entry: `${folder}/entry.js`,
  output: { path: `${folder}/dist` },
  infrastructureLogging: { level: 'none' },
  cache: false,
});
new WebpackDevServer({
  host: '127.0.0.1',
  port,
  hot: true,
  allowedHosts: fixed ? 'all' : 'auto',
  client: { logging: 'none' },
}, compiler).start();
