// SPDX-License-Identifier: MIT
// accepted, then 1011: the application failed
const after = require('../lib/after');

after(() => [1011, 'Internal error']);
