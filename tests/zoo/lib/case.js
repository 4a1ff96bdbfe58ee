// SPDX-License-Identifier: MIT
// What `start node server.js PORT VARIANT FOLDER` hands to a case's server.
const [port, variant, folder] = process.argv.slice(2);

module.exports = {
  port: Number(port),
  fixed: variant === 'fixed',
  folder,
  echo(socket) {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', () => {});
  },
};
