// SPDX-License-Identifier: MIT
// accepted, then 1008 for the Origin
const after = require('../lib/after');
const { port } = require('../lib/case');

const known = [undefined, 'https://shop.example', `http://127.0.0.1:${port}`];
after((request) => !known.includes(request.headers.origin) && [1008, 'policy violation']);
