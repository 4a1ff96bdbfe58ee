// SPDX-License-Identifier: MIT
// status.mjs URL WORDS...: look at a running gateway's status page on a phone and
// on a desk, light and dark; follow the link to its latest refusal, where WORDS
// have to stand; see that the page loads itself again. Faults, a line each.
import { lookAtAll } from './anypage.mjs';
import { browser, end } from './browser.mjs';

const [url, ...words] = process.argv.slice(2);
const faults = [];

async function look(page, name) {
	const tell = (fault) => faults.push(fault);

	await lookAtAll(page, name, tell, async (here) => {
		if (await page.evaluate(() =>
			getComputedStyle(document.body).maxWidth === 'none'))
			here('its style is not used');
	});
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
await look(page, 'status');
await page.waitForFunction(() => performance.now() < 2000 &&
	document.title === 'sesame: status', null, { timeout: 15000 });
for (let i = 0; loads < 2 && i < 120; i++)
	await page.waitForTimeout(100);
if (loads < 2)
	faults.push('it does not load itself again');
await page.locator('h3 a').first().click();
await page.waitForSelector('table');
await look(page, 'refusal');
const text = await page.textContent('body');
for (const word of words)
	if (!text.includes(word))
		faults.push(`"${word}" does not stand there`);
await end(faults);
