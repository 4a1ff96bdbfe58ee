// SPDX-License-Identifier: MIT
// status.mjs URL WORDS...: look at a running gateway's status page on a phone and
// on a desk, light and dark; follow the link to its latest refusal, where WORDS
// have to stand; see that the page loads itself again. Faults, a line each.
import { browser, end } from './browser.mjs';

const [url, ...words] = process.argv.slice(2);
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
		if (seen(e) && !e.closest('pre') &&
		    e.getBoundingClientRect().right > doc.clientWidth + 1)
			wrong.push(`<${e.tagName}> sticks out`);
	if (doc.lang !== 'en' || !document.title)
		wrong.push('no language or title');
	if (document.querySelectorAll('h1').length !== 1)
		wrong.push('not one h1');
	if (getComputedStyle(document.body).maxWidth === 'none')
		wrong.push('its style is not used');
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
	for (const e of document.querySelectorAll('script, iframe, object, embed, ' +
		'form, img, link, base, [onerror], [onload], [style]'))
		wrong.push(`<${e.tagName}> is in it`);
	if (globalThis.hacked !== undefined)
		wrong.push('a script of a client ran');
	return [...new Set(wrong)];
}

async function look(page, name, viewport, colorScheme) {
	const tell = (what) => faults.push(
		`${name}: ${viewport.width} ${colorScheme}: ${what}`);

	await page.setViewportSize(viewport);
	await page.emulateMedia({ colorScheme });
	(await page.evaluate(inspect)).forEach(tell);
	const ground = await page.evaluate(
		() => getComputedStyle(document.body).backgroundColor);
	if ((colorScheme === 'dark') !== (Number(ground.match(/\d+/)[0]) < 128))
		tell(`the ground is ${ground}`);
	if (process.env.SHOTS)
		await page.screenshot({ fullPage: true, path:
			`${process.env.SHOTS}/${name}-${viewport.width}-${colorScheme}.png` });
}

async function lookAll(page, name) {
	for (const screen of screens)
		for (const scheme of ['light', 'dark'])
			await look(page, name, screen, scheme);
}

const page = await browser.newPage();
let loads = 0;

page.on('console', (m) => {
	if (!m.text().includes('favicon'))
		faults.push(`console: ${m.text()}`);
});
page.on('pageerror', (e) => faults.push(`error: ${e.message}`));
page.on('request', (r) => {
	if (!r.url().startsWith(url))
		faults.push(`asks for ${r.url()}`);
	loads += r.isNavigationRequest() && r.url() === url;
});
await page.goto(url);
await lookAll(page, 'status');
await page.waitForFunction(() => performance.now() < 2000 &&
	document.title === 'sesame: status', null, { timeout: 15000 });
for (let i = 0; loads < 2 && i < 120; i++)
	await page.waitForTimeout(100);
if (loads < 2)
	faults.push('it does not load itself again');
await page.locator('h3 a').first().click();
await page.waitForSelector('table');
await lookAll(page, 'refusal');
const text = await page.textContent('body');
for (const word of words)
	if (!text.includes(word))
		faults.push(`"${word}" does not stand there`);
await end(faults);
