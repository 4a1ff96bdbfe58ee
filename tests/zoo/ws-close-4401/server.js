// SPDX-License-Identifier: MIT
// accepted, then 4401 Unauthorized
const after = require('../lib/after');

after((request) => request.headers.cookie !== 'sid=new' && [4401, 'Unauthorized']);
