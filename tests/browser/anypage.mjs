// SPDX-License-Identifier: MIT
// What any page of ours has to be: in which widths and colours it is looked at,
// and what is wrong with it there.

// Runs in the page, so it can use nothing from here.
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
	if (doc.lang !== 'en' || !document.title)
		wrong.push('no language or title');
	if (document.querySelectorAll('h1').length !== 1)
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
	for (const e of document.querySelectorAll('script, iframe, object, embed, ' +
		'form, img, link, base, [onerror], [onload], [style]'))
		wrong.push(`<${e.tagName}> is in it`);
	if (globalThis.hacked !== undefined)
		wrong.push('a script of somebody else ran');
	return [...new Set(wrong)];
}

const screens = [{ width: 360, height: 800 }, { width: 1280, height: 800 }];

// Look at @page on a phone and on a desk, light and dark: tell() is called with
// each fault, and inspectMore() with a tell() that knows where.
export async function lookAtAll(page, name, tell, inspectMore = async () => {}) {
	for (const viewport of screens) {
		for (const colorScheme of ['light', 'dark']) {
			const here = (what) => tell(
				`${name}: ${viewport.width} ${colorScheme}: ${what}`);

			await page.setViewportSize(viewport);
			await page.emulateMedia({ colorScheme });
			(await page.evaluate(inspect)).forEach(here);
			const ground = await page.evaluate(
				() => getComputedStyle(document.body).backgroundColor);
			if ((colorScheme === 'dark') !==
			    (Number(ground.match(/\d+/)[0]) < 128))
				here(`the ground is ${ground}`);
			await inspectMore(here);
			if (process.env.SHOTS)
				await page.screenshot({ fullPage: true, path:
					`${process.env.SHOTS}/${name.split('/').pop()}-` +
					`${viewport.width}-${colorScheme}.png` });
		}
	}
}

export async function tellFaults(page, tell) {
	(await page.evaluate(inspect)).forEach(tell);
}
