// SPDX-License-Identifier: MIT
// The browser of all plays here, started alike.
import { chromium } from 'playwright-core';

export const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

// What is wrong, a line each; none: all is well.
export async function end(faults) {
	await browser.close();
	for (const fault of faults)
		console.log(fault);
	process.exit(faults.length > 0 ? 1 : 0);
}
