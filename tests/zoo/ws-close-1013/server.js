// SPDX-License-Identifier: MIT
// accepted, then 1013 try again later
const after = require('../lib/after');

after(() => [1013, 'server at capacity, try again later']);
