// SPDX-License-Identifier: MIT
// An application with a limit of its own on the size of the head.
require('../lib/gate')({
  opens: ({ headers }) => Buffer.byteLength(JSON.stringify(headers)) <= 3000,
  status: '413 Payload Too Large',
});
