// SPDX-License-Identifier: MIT
// close.mjs PAGE URL: open URL as a WebSocket from PAGE and print what the page
// gets to see of its end, as JSON: opened, code, reason.
import { browser } from './browser.mjs';

const [where, url] = process.argv.slice(2);
const page = await browser.newPage();

await page.goto(where);
console.log(JSON.stringify(await page.evaluate((url) => new Promise((resolve) => {
	const ws = new WebSocket(url);
	let opened = false;

	ws.onopen = () => { opened = true; };
	ws.onclose = (e) => resolve({ opened, code: e.code, reason: e.reason });
}), url)));
await browser.close();
