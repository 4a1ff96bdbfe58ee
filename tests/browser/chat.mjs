// SPDX-License-Identifier: MIT
// chat.mjs PAGE: two tabs and a third in another room talk; what is wrong is
// printed, a line each. 0: nothing is. A line "gone?" on standard output asks
// whoever runs this to restart the gateway, and waits for one on its input.
import { browser, end } from './browser.mjs';
import { createInterface } from 'node:readline';

const [, , page] = process.argv;
const faults = [];
const expect = (good, what) => { if (!good) faults.push(what); };

// Each tab is somebody else.
async function tab(name, room = '', scheme = 'light', width = 1280) {
	const context = await browser.newContext({
		colorScheme: scheme, viewport: { width, height: 720 } });
	const p = await context.newPage();

	p.on('pageerror', (e) => faults.push(`${name}: ${e.message}`));
	p.on('dialog', (d) => { faults.push(`${name}: a dialog`); d.dismiss(); });
	await p.addInitScript((n) => localStorage.setItem('name', n), name);
	await p.goto(page + room);
	await p.waitForSelector('#state.open');
	return p;
}

async function say(p, text) {
	await p.fill('#text', text);
	await p.press('#text', 'Enter');
}

const texts = (p) => p.$$eval('#log li > p', (all) => all.map((e) => e.textContent));
const hears = (p, text) => p.waitForFunction(
	(t) => [...document.querySelectorAll('#log li > p')].some((e) => e.textContent === t), text);

async function shoot(p, name) {
	const wide = await p.evaluate(() =>
		document.documentElement.scrollWidth > document.documentElement.clientWidth);

	expect(!wide, `${name}: it scrolls sideways`);
	if (process.env.SHOTS)
		await p.screenshot({ path: `${process.env.SHOTS}/chat-${name}.png` });
}

const ada = await tab('Ada');
const ben = await tab('Ben', '', 'dark', 360);
const cleo = await tab('Cleo', '#k\u00fcche');

await ada.waitForFunction(() => document.body.textContent.includes('Ben is here'));
await say(ada, 'Hello, Ben!');
await hears(ben, 'Hello, Ben!');
await hears(ada, 'Hello, Ben!');
await say(ben, 'Hello, Ada. <img src=x onerror=alert(1)> <b>bold</b>');
await hears(ada, 'Hello, Ada. <img src=x onerror=alert(1)> <b>bold</b>');
await say(ada, 'averylongwordwithoutanyblank'.repeat(12));
await hears(ben, 'averylongwordwithoutanyblank'.repeat(12));
expect((await texts(cleo)).length === 0, 'another room hears it');
expect(await ada.$$eval('#log li.mine', (all) => all.length) === 2, 'whose is whose?');
expect(await ada.$$eval('#log img, #log b', (all) => all.length) === 0, 'markup of others is taken');
expect(JSON.stringify(await texts(ada)) === JSON.stringify(await texts(ben)), 'two orders');
await shoot(ada, 'desk-light');
await shoot(ben, 'phone-dark');
await ben.emulateMedia({ colorScheme: 'light' });
await shoot(ben, 'phone-light');
await ada.emulateMedia({ colorScheme: 'dark' });
await shoot(ada, 'desk-dark');

// the same tab in another room
await ben.evaluate(() => { location.hash = '#k\u00fcche'; });
await cleo.waitForFunction(() => document.body.textContent.includes('Ben is here'));
await ben.waitForSelector('#state.open');
await say(cleo, 'in here');
await hears(ben, 'in here');

// the gateway goes and comes back
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
console.log('gone?');
await answers.next();
await ada.waitForSelector('#state:not(.open)');
await shoot(ada, 'gone');
expect(await ada.isDisabled('#send'), 'a message can be sent to nobody');
console.log('back?');
await answers.next();
await ben.waitForSelector('#state.open', { timeout: 40000 });
await cleo.waitForSelector('#state.open', { timeout: 40000 });
await say(ben, 'again');
await hears(cleo, 'again');

await end(faults);
