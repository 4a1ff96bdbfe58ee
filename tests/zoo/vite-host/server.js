// SPDX-License-Identifier: MIT
// Vite does not know this host name
const fs = require('fs');
const { port, fixed, folder } = require('../lib/case');

fs.writeFileSync(`${folder}/index.html`,
  '<html><body><script type="module" src="/main.js"></script></body></html>');
fs.writeFileSync(`${folder}/main.js`, 'export default 1');
(async () => {
  const { createServer } = await import('vite');
  const server = await createServer({
    configFile: false,
    root: folder,
    cacheDir: `${folder}/cache`,
    logLevel: 'silent',
    legacy: { skipWebSocketTokenCheck: true },
    server: { host: '127.0.0.1', port, strictPort: true, allowedHosts: fixed ? true : [] },
  });
  await server.listen();
})();
