// SPDX-License-Identifier: MIT
// channel.mjs PLAY OPTIONS URL DIRECT [PAGE]: a play of channel_plays.mjs, in
// Node with `ws` or, where there is a PAGE, in Chromium on that page. A line on
// standard output that begins with "? " asks whoever runs this to do what it
// says, and waits for a line on its input. What is wrong is printed; 0: nothing.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [play, options, url, direct, page] = process.argv.slice(2);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(what) {
	console.log(`? ${what}`);
	await answers.next();
}

async function inNode() {
	const { Channel } = await import('../../clients/js/sesame.js');
	const { plays } = await import('./channel_plays.mjs');
	const { WebSocket } = createRequire(import.meta.url)('ws');

	await plays[play]({ Channel, url, direct, ask,
		options: { ...JSON.parse(options), WebSocket } });
	return [];
}

async function inChromium() {
	const { browser } = await import('./browser.mjs');
	const tab = await browser.newPage();
	const faults = [];

	tab.on('pageerror', (e) => faults.push(e.message));
	await tab.exposeFunction('ask', ask);
	await tab.goto(page);
	await tab.evaluate(async ([play, options, url, direct]) => {
		const { Channel } = await import(new URL('sesame.js', location));
		const { plays } = await import(new URL('channel_plays.mjs', location));

		await plays[play]({ Channel, url, direct, options, ask: window.ask });
	}, [play, JSON.parse(options), url, direct]);
	await browser.close();
	return faults;
}

setTimeout(() => {
	console.log('it does not come to an end');
	process.exit(1);
}, 60000).unref();
try {
	const faults = await (page ? inChromium() : inNode());

	faults.forEach((fault) => console.log(fault));
	process.exit(faults.length ? 1 : 0);
} catch (e) {
	console.log(e.stack ?? e);
	process.exit(1);
}
