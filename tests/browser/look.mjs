// SPDX-License-Identifier: MIT
// look.mjs PAGE...: open each page in Chromium, on a phone and on a desk, light
// and dark, and print what is wrong with it, a line each. 0: nothing is.
import { lookAtAll, tellFaults } from './anypage.mjs';
import { browser, end } from './browser.mjs';
import { pathToFileURL } from 'node:url';

const faults = [];

// Runs in the page: what of a diagnosis is not as it has to be.
function inspect() {
	const wrong = [];

	for (const e of document.querySelectorAll('h1, .summary'))
		if (e.getClientRects().length === 0 ||
		    e.getBoundingClientRect().bottom > innerHeight)
			wrong.push(`<${e.tagName}> is below the fold`);

	let last = 0;
	for (const e of document.querySelectorAll('h1,h2,h3,h4')) {
		const level = Number(e.tagName[1]);
		if (level > last + 1)
			wrong.push(`a heading of level ${level} follows ${last}`);
		last = level;
	}
	// what is cut off sideways has to be reachable without a mouse
	for (const e of document.querySelectorAll('pre'))
		if (e.tabIndex !== 0)
			wrong.push('a box that cannot be focused');
	return wrong;
}

function openBoxes(page, open) {
	return page.evaluate((open) => document.querySelectorAll('details')
		.forEach((d) => { d.open = open; }), open);
}

async function inspectDiagnosis(page, tell) {
	await openBoxes(page, false);
	(await page.evaluate(inspect)).forEach(tell);
	// the first box is opened from the keyboard, the others are as it is
	const first = page.locator('summary').first();
	if (await first.count() > 0) {
		await first.focus();
		await page.keyboard.press('Enter');
		if (await page.locator('details[open]').count() !== 1)
			tell('a box does not open');
	}
	await openBoxes(page, true);
	await tellFaults(page, tell);
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
	await lookAtAll(page, file, (fault) => faults.push(fault),
		(here) => inspectDiagnosis(page, here));
	await page.close();
}

for (const file of process.argv.slice(2))
	await visit(file);
await end(faults);
