// SPDX-License-Identifier: MIT
// accepted, then 4403 Forbidden for this role
const after = require('../lib/after');

after(({ headers: { authorization } }) => {
  if (authorization === 'Bearer admin') return null;
  return authorization === 'Bearer guest'
    ? [4403, 'Forbidden: admin role required'] : [4401, 'Unauthorized'];
});
