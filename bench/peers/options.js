// SPDX-License-Identifier: MIT
// What the servers of this folder are asked for: --cert FILE --key FILE
// --deflate --broadcast --origin ORIGIN --redis URL
'use strict';
const names = ['cert', 'key', 'deflate', 'broadcast', 'origin', 'redis'];
const want = {};

for (let words = process.argv.slice(2); words.length;) {
	const name = words.shift().replace(/^--/, '');

	if (!names.includes(name))
		throw new Error(`what is --${name}?`);
	want[name] = ['deflate', 'broadcast'].includes(name) || words.shift();
}
module.exports = want;
