// SPDX-License-Identifier: MIT
// squeezed.mjs PAGE URL: from PAGE, have an echo at URL repeat messages of many
// lengths, and print as JSON what was agreed to and how many came back changed.
import { browser } from './browser.mjs';

const [where, url] = process.argv.slice(2);
const page = await browser.newPage();

await page.goto(where);
console.log(JSON.stringify(await page.evaluate((url) => new Promise((resolve) => {
	const ws = new WebSocket(url);
	const message = (i) => Array.from({ length: i / 3 }, (_, k) =>
		`{"n":${(k * 7919 * (i + 1)) % 10007},"of":"${i}"}`).join() + '☕'.repeat(i % 3);
	let i = 0, changed = 0;

	ws.onopen = () => ws.send(message(0));
	ws.onmessage = (e) => {
		changed += e.data !== message(i);
		if (++i < 300)
			ws.send(message(i));
		else
			ws.close();
	};
	ws.onclose = (e) => resolve({ extensions: ws.extensions, code: e.code, n: i, changed });
}), url)));
await browser.close();
