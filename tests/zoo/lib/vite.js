// SPDX-License-Identifier: MIT
// Vite, which allows every host when fixed. With "token" it wants the token of
// the page, unless fixed.
const fs = require('fs');
const wantsToken = process.argv[5] === 'token';
const { port, fixed, folder } = require('./case');

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
    legacy: { skipWebSocketTokenCheck: fixed || !wantsToken },
    server: { host: '127.0.0.1', port, strictPort: true, allowedHosts: fixed ? true : [] },
  });
  await server.listen();
})();
