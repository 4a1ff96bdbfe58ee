// SPDX-License-Identifier: MIT
// look.mjs PAGE...: open each page in Chromium, on a phone and on a desk, light
// and dark, and print what is wrong with it, a line each. 0: nothing is.
import { browser, end } from './browser.mjs';
import { pathToFileURL } from 'node:url';

const screens = [{ width: 360, height: 800 }, { width: 1280, height: 800 }];
const faults = [];

// Runs in the page: what of it is not as it has to be.
function inspect() {
	const wrong = [];
	const doc = document.documentElement;
	const seen = (e) => e.getClientRects().length > 0;

	if (doc.scrollWidth > doc.clientWidth)
		wrong.push(`scrolls sideways: ${doc.scrollWidth} > ${doc.clientWidth}`);
	for (const e of document.querySelectorAll('body *'))
		if (seen(e) && !e.closest('pre, svg') &&
		    e.getBoundingClientRect().right > doc.clientWidth + 1)
			wrong.push(`<${e.tagName}> sticks out`);
	for (const e of document.querySelectorAll('h1, .summary'))
		if (!seen(e) || e.getBoundingClientRect().bottom > innerHeight)
			wrong.push(`<${e.tagName}> is below the fold`);
	if (doc.lang !== 'en' || !document.title)
		wrong.push('no language or title');

	let last = 0;
	const levels = [...document.querySelectorAll('h1,h2,h3,h4')]
		.map((e) => Number(e.tagName[1]));
	for (const level of levels) {
		if (level > last + 1)
			wrong.push(`a heading of level ${level} follows ${last}`);
		last = level;
	}
	if (levels.filter((l) => l === 1).length !== 1)
		wrong.push('not one h1');

	const channel = (c) => {
		const s = c / 255;
		return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
	};
	const rgb = (text) => text.match(/[\d.]+/g).map(Number);
	const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) +
		0.0722 * channel(b);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c.length < 4 || c[3] === 1)
				return c;
		}
		return [255, 255, 255];
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;
		if (!texts.currentNode.data.trim() || !seen(e))
			continue;
		const a = light(rgb(getComputedStyle(e).color));
		const b = light(behind(e));
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (contrast < 4.5)
			wrong.push(`contrast ${contrast.toFixed(1)}: ` +
				   texts.currentNode.data.trim().slice(0, 40));
	}
	// what is cut off sideways has to be reachable without a mouse
	for (const e of document.querySelectorAll('pre'))
		if (e.tabIndex !== 0)
			wrong.push('a box that cannot be focused');
	for (const e of document.querySelectorAll('script, iframe, object, embed, ' +
		'form, img, link, base, [onerror], [onload], [style]'))
		wrong.push(`<${e.tagName}> is in it`);
	if (globalThis.hacked !== undefined)
		wrong.push('a script of the server ran');
	return [...new Set(wrong)];
}

async function look(page, file, viewport, colorScheme) {
	const tell = (what) => faults.push(
		`${file}: ${viewport.width} ${colorScheme}: ${what}`);

	await page.setViewportSize(viewport);
	await page.emulateMedia({ colorScheme });
	await page.evaluate(() => document.querySelectorAll('details')
		.forEach((d) => { d.open = false; }));
	(await page.evaluate(inspect)).forEach(tell);
	const ground = await page.evaluate(
		() => getComputedStyle(document.body).backgroundColor);
	if ((colorScheme === 'dark') !== (Number(ground.match(/\d+/)[0]) < 128))
		tell(`the ground is ${ground}`);

	// the first box is opened from the keyboard, the others are as it is
	const first = page.locator('summary').first();
	if (await first.count() > 0) {
		await first.focus();
		await page.keyboard.press('Enter');
		if (await page.locator('details[open]').count() !== 1)
			tell('a box does not open');
	}
	await page.evaluate(() => document.querySelectorAll('details')
		.forEach((d) => { d.open = true; }));
	(await page.evaluate(inspect))
		.filter((w) => !w.includes('fold')).forEach(tell);
	if (process.env.SHOTS)
		await page.screenshot({ fullPage: true, path:
			`${process.env.SHOTS}/${file.split('/').pop()}-` +
			`${viewport.width}-${colorScheme}.png` });
}

async function visit(file) {
	const page = await browser.newPage();
	const url = pathToFileURL(file).href;
	const tell = (what) => faults.push(`${file}: ${what}`);

	page.on('console', (m) => tell(`console: ${m.text()}`));
	page.on('pageerror', (e) => tell(`error: ${e.message}`));
	page.on('dialog', (d) => { tell('a dialog'); d.dismiss(); });
	page.on('request', (r) => {
		if (r.url() !== url)
			tell(`asks for ${r.url()}`);
	});
	await page.goto(url);
	for (const screen of screens)
		for (const scheme of ['light', 'dark'])
			await look(page, file, screen, scheme);
	await page.close();
}

for (const file of process.argv.slice(2))
	await visit(file);
await end(faults);
