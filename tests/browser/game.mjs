// SPDX-License-Identifier: MIT
// game.mjs PAGE: two boats on one pond, and a third on another; what is wrong is
// printed, a line each. Whoever runs this stops and starts the gateway.
import { end } from './browser.mjs';
import { ask, expect, faults, look, reads, tab } from './tabs.mjs';

const [, , page] = process.argv;
const names = (p) => p.evaluate(() =>
	[...document.querySelectorAll('#boats .name')].map((e) => e.textContent));
const distance = (p) => p.evaluate(() =>
	parseInt(document.querySelector('#boats li:not(.me) .far').textContent));

// Runs in the page: the middle of what is drawn in this colour (or its first
// dot), for so many frames.
function follow([want, frames, one]) {
	const canvas = document.getElementById('pond');
	const pen = canvas.getContext('2d', { willReadFrequently: true });
	const seen = [];

	return new Promise((resolve) => {
		requestAnimationFrame(function frame() {
			const { data, width } = pen.getImageData(0, 0, canvas.width, canvas.height);
			let x = 0, y = 0, n = 0;

			for (let i = 0; i < data.length; i += 4)
				if (Math.abs(data[i] - want[0]) + Math.abs(data[i + 1] - want[1]) +
				    Math.abs(data[i + 2] - want[2]) < 6 && !(one && n)) {
					x += (i / 4) % width;
					y += Math.floor(i / 4 / width);
					n++;
				}
			seen.push(n ? { t: performance.now(), x: x / n, y: y / n } : null);
			if (seen.length < frames)
				requestAnimationFrame(frame);
			else
				resolve(seen);
		});
	});
}

// Lists are made anew all the time: found and read in one go.
const colour = (p, name) => p.evaluate((n) => getComputedStyle(
	[...document.querySelectorAll('#boats li')].find((e) => e.textContent.startsWith(n))
		.querySelector('i')).backgroundColor.match(/\d+/g).map(Number), name);

const ada = await tab(page, 'Ada');
const ben = await tab(page, 'Ben', 'dark', 390);
const cleo = await tab(page + '#elsewhere', 'Cleo');

await reads(ada, '#boats', 'Ben');
await reads(ben, '#boats', 'Ada');
await reads(ada, '#state', '2 boats');
expect(JSON.stringify(await names(cleo)) === '["Cleo"]', 'another pond has its boats');

// a move in one window is seen in the other, soon and without jerks
const before = await distance(ben);
const film = ben.evaluate(follow, [await colour(ben, 'Ada'), 60]);
const began = Date.now();
await ada.keyboard.down('ArrowLeft');
await ben.waitForFunction(([was]) => Math.abs(was - parseInt(
	document.querySelector('#boats li:not(.me) .far').textContent)) >= 2, [before], { timeout: 5000, polling: 20 });
const soon = Date.now() - began;
expect(soon < 3000, `a move was seen after ${soon} ms`);
await ada.waitForTimeout(600);
await look(ada, 'game-desk-light');
await ada.keyboard.up('ArrowLeft');
const seen = (await film).filter(Boolean);
const steps = seen.slice(1).map((p, i) => Math.hypot(p.x - seen[i].x, p.y - seen[i].y));
const way = steps.reduce((a, b) => a + b, 0);
const moves = steps.filter((s) => s > 0.5);
if (process.env.SHOTS)
	console.log(`seen after ${soon} ms; on ${way.toFixed(0)} dots in ${moves.length} steps`);
expect(way > 20 && moves.length > 3, `it was drawn on ${way.toFixed(0)} dots in ${moves.length} steps`);
expect(moves.length < 12 || Math.max(...steps) < way / 2, `it leapt: ${steps.map(Math.round)}`);

// a finger on a phone sends a boat; a flower counts for who came first
const heart = (await ben.evaluate(follow, [[0xf0, 0xb9, 0x3a], 1, true]))[0];
expect(heart, 'no flower is to be seen');
const box = await ben.locator('#pond').boundingBox();
await ben.touchscreen.tap(box.x + heart.x, box.y + heart.y);
await ben.waitForTimeout(400);
await look(ben, 'game-phone-dark');
const points = (p, name, n) => p.waitForFunction(([who, least]) =>
	[...document.querySelectorAll('#boats li')].some((e) => e.textContent.startsWith(who) &&
		Number(e.querySelector('.points').textContent) >= least), [name, n], { timeout: 8000 });
await points(ben, 'Ben', 1);
await points(ada, 'Ben', 1);
await ben.emulateMedia({ colorScheme: 'light' });
await ben.waitForTimeout(200);
await look(ben, 'game-phone-light');
await ada.emulateMedia({ colorScheme: 'dark' });
await ada.waitForTimeout(200);
await look(ada, 'game-desk-dark');

// who leaves is gone
await cleo.goto(page + '?again');
await reads(ada, '#boats', 'Cleo');
await cleo.close();
await ada.waitForFunction(() => !document.querySelector('#boats').textContent.includes('Cleo'), null,
	{ timeout: 3000 });
await reads(ada, '#state', '2 boats');

// the gateway goes and comes back, and so do the boats
await ask('gone');
await ada.waitForSelector('#state:not(.open)');
await reads(ada, '#state', 'Next try in');
await look(ada, 'game-gone');
await ask('back');
for (const [p, other] of [[ada, 'Ben'], [ben, 'Ada']]) {
	await p.waitForSelector('#state.open', { timeout: 40000 });
	await reads(p, '#boats', other, 40000);
}

// who may not come in is told why
await ask('closed');
await reads(ada, '#state', 'access.origin', 40000);
expect(/\(access.origin, [0-9A-Z]{4}-[0-9A-Z]{4}\)/.test(await ada.textContent('#state')), 'no reference');
await look(ada, 'game-refused');

await end(faults);
