// SPDX-License-Identifier: MIT
// dev_servers.js PORT VARIANT FOLDER SERVER [WORD]: servers with which front ends are
// written, most of them to reload the page, each as it is by default.
const fs = require('fs');
const { port, fixed, folder } = require('./case');
const [name, word] = process.argv.slice(5);
const host = '127.0.0.1';

const page = () => fs.writeFileSync(`${folder}/index.html`, '<html><body>hi</body></html>');

// webpack-dev-server from its fourth version on.
function webpackDevServer(version, options) {
  const webpack = require('webpack');
  fs.writeFileSync(`${folder}/entry.js`, '');
  const compiler = webpack({
    mode: 'development',
    context: folder,
    entry: `${folder}/entry.js`,
    output: { path: `${folder}/dist` },
    stats: 'none',
    infrastructureLogging: { level: 'none' },
  });
  const Server = require(version);
  new Server({ port, host, hot: true, static: false, ...options }, compiler).start();
}

// Vite from its third to its sixth version.
async function vite(version, server, options) {
  const { createServer } = await import(version);
  page();
  const hmr = server.hmr === undefined ? true : server.hmr;
  const listening = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    cacheDir: `${folder}/cache`,
    ...options,
    server: { port, host, strictPort: true, ...server, hmr },
  });
  await listening.listen();
}
const anyToken = { legacy: { skipWebSocketTokenCheck: true } };

const servers = {
  async '@web/dev-server'() {
    const { startDevServer } = await import('@web/dev-server');
    page();
    await startDevServer({
      config: { rootDir: folder, port, hostname: host, watch: true, eventStream: true,
        clearTerminalOnReload: false },
      readCliArgs: false,
      readFileConfig: false,
      logStartMessage: false,
    });
  },

  budo() {
    fs.writeFileSync(`${folder}/main.js`, '');
    const live = word !== 'off' || fixed;
    require('budo')(`${folder}/main.js`,
      { port, host, live, dir: folder, open: false, portfind: false });
  },

  async eleventy() {
    const { default: Server } = await import('@11ty/eleventy-dev-server');
    page();
    process.chdir(folder);
    Server.getServer('x', folder,
      { port, host, showAllHosts: false, liveReload: true, domDiff: false }).serve(port);
  },

  'five-server'() {
    const { default: Server } = require('five-server');
    page();
    new Server().start(
      { root: folder, port, host, open: false, workspace: folder, watch: false });
  },

  livereload: () => require('livereload').createServer({ port, bind: host }),

  // The page is here, its socket at the next port.
  reload() {
    const app = require('express')();
    app.get('/', (request, response) => response.send('<h1>hello</h1>'));
    require('reload')(app, { port: port + 1, webSocketServerWaitStart: false })
      .then(() => app.listen(port, host));
  },

  serve() {
    fs.writeFileSync(`${folder}/index.html`, '<div id=app></div>');
    process.argv = ['node', 'serve', '-l', `tcp://${host}:${port}`, '-s', folder];
    import('serve/build/main.js');
  },

  'tiny-lr': () => require('tiny-lr')().listen(port, host, () => {}),

  'vite-3 port': () => vite('vite-3', { hmr: { port: port + 1 } }),
  'vite-4': () => vite('vite-4', {}),
  'vite-4 base': () => vite('vite-4', {}, { base: '/shop/' }),
  'vite-4 port': () => vite('vite-4', { hmr: { port: port + 1 } }),
  'vite-5 token': () => vite('vite-5', { allowedHosts: [] }),
  'vite-6': () => vite('vite-6', { allowedHosts: [] }, anyToken),
  'vite-6 host': () => vite('vite-6', { allowedHosts: fixed || [] }, anyToken),
  'vite-6 path': () => vite('vite-6', { hmr: { path: 'hmr' } }, anyToken),
  'vite-6 token': () => vite('vite-6', { allowedHosts: [] }),
  'vite-6 without ws': () => vite('vite-6', fixed ? {} : { ws: false }, anyToken),

  'webpack-dev-server': () => webpackDevServer('webpack-dev-server',
    { allowedHosts: fixed ? 'all' : 'auto' }),
  'webpack-dev-server-4': () => webpackDevServer('webpack-dev-server-4',
    { allowedHosts: fixed ? 'all' : 'auto' }),
  'webpack-dev-server-4 off': () => webpackDevServer('webpack-dev-server-4',
    { webSocketServer: fixed && 'ws', hot: false, liveReload: false, client: false }),
  'webpack-dev-server-4 path': () => webpackDevServer('webpack-dev-server-4',
    { webSocketServer: { type: 'ws', options: { path: '/_hmr' } } }),

  // It wants webpack 4 (and for hot: true no other beside it), which wants an OpenSSL
  // that knows MD4.
  'webpack-dev-server-3'() {
    const Server = require('webpack-dev-server-3');
    fs.writeFileSync(`${folder}/entry.js`, '');
    const compiler = require('webpack-4')({
      mode: 'development',
      context: folder,
      entry: `${folder}/entry.js`,
      output: { path: `${folder}/dist` },
      stats: 'none',
    });
    new Server(compiler, { hot: false, noInfo: true, quiet: true, transportMode: 'ws',
      disableHostCheck: fixed }).listen(port, host);
  },
};

process.on('uncaughtException', (error) => console.error(error));
process.on('unhandledRejection', (error) => console.error(error));
servers[name]();
