// SPDX-License-Identifier: MIT
// The page at argv[2] (ws://...) walks the cases of its host until it is done.
import { browser, end } from './browser.mjs';

const page = await browser.newPage();
await page.goto(process.argv[2].replace('ws:', 'http:') + '/');
await page.waitForFunction('document.title === "done"', null, { timeout: 0 });
await end([]);
