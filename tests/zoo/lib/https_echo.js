// SPDX-License-Identifier: MIT
// https_echo.js PORT FOLDER [VERSION]: an echo by ws behind node's https, with TLS
// up to this version.
const fs = require('fs');
const https = require('https');
const { WebSocketServer } = require('ws');
const [port, folder, maxVersion] = process.argv.slice(2);

const server = https.createServer({
  key: fs.readFileSync(`${folder}/localhost.key`),
  cert: fs.readFileSync(`${folder}/localhost.pem`),
  ...(maxVersion && { minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' }),
});
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
server.listen(Number(port), '127.0.0.1');
