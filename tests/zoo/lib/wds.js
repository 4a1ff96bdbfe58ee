// SPDX-License-Identifier: MIT
// webpack-dev-server as it is by default; fixed: it allows every host.
const fs = require('fs');
const webpack = require('webpack');
const WebpackDevServer = require('webpack-dev-server');
const { port, fixed, folder } = require('./case');

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
