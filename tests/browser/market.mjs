// SPDX-License-Identifier: MIT
// market.mjs PAGE: two tabs see the same prices; what is wrong is printed, a line
// each. Whoever runs this feeds the gateway, and stops and starts both.
import { end } from './browser.mjs';
import { ask, expect, faults, look, reads, tab } from './tabs.mjs';

const [, , page] = process.argv;

const choose = async (p, symbol) => {
	await p.locator(`.tile[data-symbol=${symbol}]`).click();
	await reads(p, '#symbol', symbol);
};
const all = (p) => p.evaluate(() => Object.fromEntries([...document.querySelectorAll('.tile')]
	.map((t) => [t.dataset.symbol, t.querySelector('.price').textContent])));
// Runs in the page: which prices are shown, one after the other.
const watch = (ms) => new Promise((resolve) => {
	const seen = [document.getElementById('price').textContent];
	const timer = setInterval(() => {
		const text = document.getElementById('price').textContent;

		if (text !== seen.at(-1))
			seen.push(text);
	}, 20);
	setTimeout(() => {
		clearInterval(timer);
		resolve(seen);
	}, ms);
});

// How many of these stand in both lists in one order: pages look at prices ten
// times a second, and not at the same moment.
const alike = (a, b) => a.reduce((before, x) => {
	const row = [0];

	b.forEach((y, j) => row.push(x === y ? before[j] + 1 : Math.max(row[j], before[j + 1])));
	return row;
}, new Array(b.length + 1).fill(0)).at(-1);

const ada = await tab(page, 'Ada');
const ben = await tab(page, 'Ben', 'dark', 390);

await reads(ada, '#state', '300 symbols');
await reads(ben, '#state', '300 symbols');
const symbol = await ada.evaluate(() => document.querySelectorAll('.tile')[40].dataset.symbol);
await choose(ada, symbol);
await choose(ben, symbol);

// it goes the same way in both
const [here, there] = await Promise.all([ada, ben].map((p) => p.evaluate(watch, 6000)));
const both = alike(here, there);
expect(here.length >= 4, `${symbol} stands still: ${here}`);
expect(both >= here.length / 2, `${symbol}: ${here} and ${there}`);

// a chart has a past from the first moment on, and says so in words
const label = await ben.getAttribute('#chart', 'aria-label');
expect(/lowest [\d.,]+, highest [\d.,]+/.test(label), label);
const inked = await ben.evaluate(() => {
	const c = document.getElementById('chart');
	const { data } = c.getContext('2d').getImageData(0, 0, c.width / 4, c.height);
	const column = new Set();

	for (let i = 3; i < data.length; i += 4)
		if (data[i] > 200)
			column.add((i >> 2) % (c.width / 4 | 0));
	return column.size / (c.width / 4);
});
expect(inked > 0.9, `the chart begins empty: ${inked}`);

await look(ada, 'market-desk-light');
await look(ben, 'market-phone-dark');
await ada.emulateMedia({ colorScheme: 'dark' });
await ben.emulateMedia({ colorScheme: 'light' });
await ada.selectOption('#order', 'up');
await ben.fill('#find', symbol.slice(0, 2));
await ben.waitForTimeout(300);
await look(ada, 'market-desk-dark');
await look(ben, 'market-phone-light');
const left = await ben.evaluate(() => [...document.querySelectorAll('.tile')]
	.filter((t) => t.checkVisibility()).map((t) => t.dataset.symbol));
expect(left.includes(symbol) && left.length < 100, `it finds ${left}`);
const rises = await ada.$$eval('.tile .part', (e) => e.map((x) => x.textContent));
expect(rises[0].startsWith('\u25b2') && rises.at(-1).startsWith('\u25bc'), `${rises[0]} first`);

// the gateway goes and comes back; when all is told, both show the same
await ask('gone');
await reads(ada, '#state', 'Next try in');
await look(ada, 'market-gone');
await ask('back');
for (const p of [ada, ben])
	await p.waitForSelector('#state.open', { timeout: 40000 });
await ada.waitForTimeout(1500);
await ask('still');
let [a, b] = [{}, {}];
for (let i = 0; i < 100 && (i === 0 || JSON.stringify(a) !== JSON.stringify(b)); i++) {
	await ada.waitForTimeout(300);
	[a, b] = [await all(ada), await all(ben)];
}
expect(Object.keys(a).length === 300, `${Object.keys(a).length} symbols came back`);
for (const [s, price] of Object.entries(a))
	expect(price === b[s] && price, `${s} is ${price} and ${b[s]}`);

// who may not come in is told why
await ask('closed');
await reads(ada, '#state', 'access.origin', 40000);
expect(/\(access.origin, [0-9A-Z]{4}-[0-9A-Z]{4}\)/.test(await ada.textContent('#state')), 'no reference');

await end(faults);
