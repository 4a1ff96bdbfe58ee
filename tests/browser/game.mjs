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

// Runs in the page, first: what its connection hears, and when; and frames that
// can be stopped, as those of a window that nobody sees.
function record() {
	const next = window.requestAnimationFrame.bind(window);
	let waiting = null;

	window.heard = [];
	window.hide = () => { window.requestAnimationFrame = (frame) => { waiting = frame; }; };
	window.show = () => { window.requestAnimationFrame = next; next(waiting); };
	window.WebSocket = class extends WebSocket {
		constructor(...of) {
			super(...of);
			this.addEventListener('message', (e) => {
				const { type, data } = JSON.parse(e.data);

				if (type === 'state' && data)
					window.heard.push({ t: performance.now(), name: JSON.parse(data).name });
			});
		}
	};
}

// Runs in the page: how many places of a boat come in a second.
function count(name) {
	const began = performance.now();

	return new Promise((resolve) => setTimeout(() => {
		const ended = performance.now();
		const n = window.heard.filter((h) => h.name === name && h.t > began && h.t <= ended).length;

		resolve(1000 * n / (ended - began));
	}, 1000));
}

// Runs in the page: the middle of what is drawn in this colour (or its first
// dot), frame by frame for so long, and somewhat longer where there are few.
function follow([want, ms, one]) {
	const canvas = document.getElementById('pond');
	const pen = canvas.getContext('2d', { willReadFrequently: true });
	const seen = [], began = performance.now();

	return new Promise((resolve) => {
		requestAnimationFrame(function frame() {
			const t = performance.now(); // it was drawn just now
			const { data, width } = pen.getImageData(0, 0, canvas.width, canvas.height);
			let x = 0, y = 0, n = 0;

			for (let i = 0; i < data.length && !(one && n); i += 4)
				if (Math.abs(data[i] - want[0]) < 3 && Math.abs(data[i + 1] - want[1]) < 3 &&
				    Math.abs(data[i + 2] - want[2]) < 3) {
					x += (i / 4) % width;
					y += Math.floor(i / 4 / width);
					n++;
				}
			if (one || Math.abs(x / n - width / 2) < width / 2 - 40) // its arrow is at the edge
				seen.push({ t, x: x / n, y: y / n });
			if (t - began < ms || (seen.length < 10 && t - began < 3 * ms))
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

const ada = await tab(page, 'Ada', 'light', 1280, record);
const ben = await tab(page, 'Ben', 'dark', 390, record);
const cleo = await tab(page + '#elsewhere', 'Cleo', 'light', 1280, record);

await reads(ada, '#boats', 'Ben');
await reads(ben, '#boats', 'Ada');
await reads(ada, '#state', '2 boats');
expect(JSON.stringify(await names(cleo)) === '["Cleo"]', 'another pond has its boats');
await cleo.evaluate(() => window.hide()); // whose frames are in nobody's way

// a move in one window is seen in the other, soon and without jerks
const far = await distance(ben);
const began = Date.now();
await ada.keyboard.down('ArrowLeft');
await ben.waitForFunction(([was]) => Math.abs(was - parseInt(
	document.querySelector('#boats li:not(.me) .far').textContent)) >= 2, [far], { timeout: 5000, polling: 20 });
const soon = Date.now() - began;
expect(soon < 3000, `a move was seen after ${soon} ms`);
await look(ada, 'game-desk-light');
await ada.keyboard.up('ArrowLeft');

// A boat makes 330 in a second, of which a phone shows 0.62, and half as much
// again where something came late: it leaps nowhere, and lies still in few frames.
function jerks(seen) {
	const steps = seen.slice(1).map((p, i) => ({ ms: p.t - seen[i].t,
		way: Math.hypot(p.x - seen[i].x, p.y - seen[i].y) }));
	const leaps = steps.filter(({ ms, way }) => way > 1.5 * 330 * 0.62 * (ms + 20) / 1000);
	const still = steps.filter(({ way }) => way < 0.3);
	const told = steps.map(({ ms, way }) => `${way.toFixed(1)} in ${ms.toFixed(0)} ms`).join(', ');

	if (process.env.SHOTS)
		console.log(`drawn: ${told}`);
	return [steps.length < 5 && `it was drawn but so often: ${told}`,
		leaps.length && `it leapt: ${told}`,
		still.length > steps.length / 3 && `it lay still: ${told}`].filter(Boolean);
}

// Where the other one sees it: from where it is near, towards it and past it.
async function smooth() {
	const tries = [];

	while (tries.length < 6) {
		const key = await ada.evaluate(() => /[\u2192\u2197\u2198]/.test(document
			.querySelector('#boats li:not(.me) .far').textContent) ? 'ArrowRight' : 'ArrowLeft');

		await ada.keyboard.down(key);
		await ada.waitForFunction(() => parseInt(document
			.querySelector('#boats li:not(.me) .far').textContent) < 22, null, { polling: 20 });
		tries.push(jerks(await ben.evaluate(follow, [await colour(ben, 'Ada'), 700])));
		await ada.keyboard.up(key);
		if (tries.at(-1).length === 0)
			return;
	}
	faults.push(...tries.flat());
}

// Thirty places a second of each come to the other.
async function thirty(from, name, to, keys) {
	const rates = [];

	for (const key of keys) {
		await from.keyboard.down(key);
		rates.push(await to.evaluate(count, name));
		await from.keyboard.up(key);
		if (rates.at(-1) > 25)
			break;
	}
	const best = Math.max(...rates);
	if (process.env.SHOTS)
		console.log(`places of ${name} in a second: ${rates.map((r) => r.toFixed(1))}`);
	expect(best > 25 && best < 35, `places of ${name} in a second: ${rates.map((r) => r.toFixed(1))}`);
}

// A machine with other work may need a few tries.
const there = [1, 2, 3].flatMap(() => ['ArrowRight', 'ArrowLeft']);
await smooth();
await thirty(ada, 'Ada', ben, there);
await thirty(ben, 'Ben', ada, there);
await ada.evaluate(() => window.hide()); // and from a window that nobody sees
await thirty(ada, 'Ada', ben, there.reverse());
await ada.evaluate(() => window.show());

// a finger on a phone sends a boat; a flower counts for who came first
const heart = (await ben.evaluate(follow, [[0xf0, 0xb9, 0x3a], 0, true]))[0];
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
await cleo.evaluate(() => window.show());
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
