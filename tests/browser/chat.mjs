// SPDX-License-Identifier: MIT
// chat.mjs PAGE: two tabs and a third in another room talk; what is wrong is
// printed, a line each. 0: nothing is. A line that ends in "?" asks whoever runs
// this to stop or start the gateway.
import { end } from './browser.mjs';
import { ask, expect, faults, look, reads, tab } from './tabs.mjs';

const [, , page] = process.argv;

async function say(p, text) {
	await p.fill('#text', text);
	await p.press('#text', 'Enter');
}

const texts = (p) => p.$$eval('#log li > p', (all) => all.map((e) => e.textContent));
const hears = (p, text) => p.waitForFunction(
	(t) => [...document.querySelectorAll('#log li > p')].some((e) => e.textContent === t), text);

const ada = await tab(page, 'Ada');
const ben = await tab(page, 'Ben', 'dark', 390);
const cleo = await tab(page + '#k\u00fcche', 'Cleo');

await ada.waitForFunction(() => document.body.textContent.includes('Ben is here'));
await say(ada, 'Hello, Ben!');
await hears(ben, 'Hello, Ben!');
await hears(ada, 'Hello, Ben!');
await say(ben, 'Hello, Ada. <img src=x onerror=alert(1)> <b>bold</b>');
await hears(ada, 'Hello, Ada. <img src=x onerror=alert(1)> <b>bold</b>');
await say(ada, 'averylongwordwithoutanyblank'.repeat(12));
await hears(ben, 'averylongwordwithoutanyblank'.repeat(12));
await hears(ada, 'averylongwordwithoutanyblank'.repeat(12));
expect((await texts(cleo)).length === 0, 'another room hears it');
expect(await ada.$$eval('#log li.mine', (all) => all.length) === 2, 'whose is whose?');
expect(await ada.$$eval('#log img, #log b', (all) => all.length) === 0, 'markup of others is taken');
expect(JSON.stringify(await texts(ada)) === JSON.stringify(await texts(ben)), 'two orders');
await reads(ada, '#state', '2 here');
await look(ada, 'chat-desk-light');
await look(ben, 'chat-phone-dark');
await ben.emulateMedia({ colorScheme: 'light' });
await look(ben, 'chat-phone-light');
await ada.emulateMedia({ colorScheme: 'dark' });
await look(ada, 'chat-desk-dark');

// who comes later finds what was said
const dora = await tab(page, 'Dora');
await hears(dora, 'Hello, Ben!');
await hears(dora, 'averylongwordwithoutanyblank'.repeat(12));
expect(JSON.stringify(await texts(dora)) === JSON.stringify(await texts(ada)), 'it finds something else');
await dora.close();
await reads(ada, '#log', 'Dora has left');

// the same tab in another room
await ben.evaluate(() => { location.hash = '#k\u00fcche'; });
await cleo.waitForFunction(() => document.body.textContent.includes('Ben is here'));
await ben.waitForSelector('#state.open');
await say(cleo, 'in here');
await hears(ben, 'in here');

// the gateway goes and comes back
await ask('gone');
await ada.waitForSelector('#state:not(.open)');
await reads(ada, '#state', 'Next try in');
await look(ada, 'chat-gone');
expect(await ada.isDisabled('#send'), 'a message can be sent to nobody');
await ask('back');
await ben.waitForSelector('#state.open', { timeout: 40000 });
await cleo.waitForSelector('#state.open', { timeout: 40000 });
await say(ben, 'again');
await hears(cleo, 'again');
await reads(cleo, '#log', 'Some messages are missing here');

// who says too much at once is told so, and stays
await cleo.evaluate(() => {
	for (let i = 0; i < 12; i++) {
		document.querySelector('#text').value = `n${i}`;
		document.querySelector('#form').requestSubmit();
	}
});
await cleo.waitForFunction(() => /\(access\.rate, [0-9A-Z]{4}-[0-9A-Z]{4}\)/.test(
	document.querySelector('#log').textContent));
await look(cleo, 'chat-rate');

// who may not come in is told why
await ask('closed');
await reads(ada, '#state', 'access.origin', 40000);
expect(/\(access.origin, [0-9A-Z]{4}-[0-9A-Z]{4}\)/.test(await ada.textContent('#state')), 'no reference');

await end(faults);
