// SPDX-License-Identifier: MIT
// What the plays of the examples share: tabs that are somebody else each, a look
// at how they look, and whoever runs this, who does what a page cannot.
import { browser } from './browser.mjs';
import { createInterface } from 'node:readline';

export const faults = [];
export const expect = (good, what) => { if (!good) faults.push(what); };

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// A line that ends in "?" asks whoever runs this, and waits for a line.
export async function ask(what) {
	console.log(`${what}?`);
	await answers.next();
}

// @first runs in the page, before anything else.
export async function tab(url, name, scheme = 'light', width = 1280, first = () => {}) {
	const context = await browser.newContext({ colorScheme: scheme,
		viewport: { width, height: width < 600 ? 844 : 720 }, hasTouch: width < 600 });
	const p = await context.newPage();

	p.on('pageerror', (e) => faults.push(`${name}: ${e.message}`));
	p.on('dialog', (d) => { faults.push(`${name}: a dialog`); d.dismiss(); });
	p.on('request', (r) => {
		if (new URL(r.url()).host !== new URL(url).host && !r.url().startsWith('data:'))
			faults.push(`${name}: asks for ${r.url()}`);
	});
	await p.addInitScript((n) => localStorage.setItem('name', n), name);
	await p.addInitScript(first);
	await p.goto(url);
	await p.waitForSelector('#state.open');
	return p;
}

// Runs in the page: what cannot be read, reached or named.
function inspect() {
	const wrong = [];
	const doc = document.documentElement;
	const seen = (e) => e.getClientRects().length > 0 && e.closest('.hidden') === null;

	if (doc.scrollWidth > doc.clientWidth)
		wrong.push('it scrolls sideways');
	if (doc.lang !== 'en' || !document.title || document.querySelectorAll('h1').length !== 1)
		wrong.push('no language, title or heading');
	for (const e of document.querySelectorAll('input, button, select, canvas, [tabindex]'))
		if (!e.textContent.trim() && !e.labels?.length && !e.ariaLabel)
			wrong.push(`<${e.tagName} id=${e.id}> has no name`);
	for (const e of document.querySelectorAll('body *'))
		if (seen(e) && getComputedStyle(e).overflowY === 'hidden' &&
		    e.scrollHeight > e.clientHeight + 2)
			wrong.push(`<${e.tagName} class=${e.className}> is cut off`);
	const channel = (c) => {
		const s = c / 255;

		return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
	};
	const rgb = (text) => text.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);

			if (c.length < 4 || c[3] > 0.85)
				return c;
		}
		return [255, 255, 255];
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;

		if (!texts.currentNode.data.trim() || !seen(e) || e.closest(':disabled'))
			continue;
		const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

		if (contrast < 4.5)
			wrong.push(`contrast ${contrast.toFixed(1)}: ${texts.currentNode.data.trim().slice(0, 40)}`);
	}
	return [...new Set(wrong)];
}

export async function look(p, name) {
	(await p.evaluate(inspect)).forEach((what) => faults.push(`${name}: ${what}`));
	if (process.env.SHOTS)
		await p.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
}

export const reads = (p, selector, words, timeout = 10000) => p.waitForFunction(
	([s, w]) => document.querySelector(s)?.textContent.includes(w), [selector, words], { timeout });
