// SPDX-License-Identifier: MIT
// Plays of clients/js, for Node and for a page alike. Each gets the URL of a
// channel, the module, options that suit where it runs, and ask(): what only
// whoever runs it can do (kill the gateway, cut connections).

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const quick = { minWait: 40, maxWait: 320 };

function must(good, what) {
	if (!good)
		throw new Error(what);
}

function same(a, b, what) {
	const [is, due] = [a, b].map((x) => JSON.stringify(x));

	must(is === due, `${what}: ${is.slice(0, 300)}, not ${due.slice(0, 300)}`);
}

function next(channel, type, suits = () => true, seconds = 20) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() =>
			reject(new Error(`no ${type} in ${seconds} s`)), seconds * 1000);
		channel.addEventListener(type, function hear(e) {
			if (!suits(e.detail))
				return;
			clearTimeout(timer);
			channel.removeEventListener(type, hear);
			resolve(e.detail);
		});
	});
}

async function until(happened, what) {
	for (let i = 0; !happened(); i++) {
		must(i < 2000, `never: ${what}`);
		await sleep(10);
	}
}

async function fails(promise, code) {
	const e = await promise.then(() => null, (e) => e);

	must(e && e.code === code, `${code} was due, not ${e && (e.code ?? e)}`);
	return e;
}

// Everything that a channel tells, in order.
function heard(channel) {
	const all = [];

	for (const type of ['open', 'message', 'state', 'gap', 'presence', 'down', 'refused', 'error', 'close'])
		channel.addEventListener(type, (e) => all.push({ ...e.detail, type }));
	all.of = (...types) => all.filter((e) => types.includes(e.type));
	return all;
}

async function opened(Channel, url, options) {
	const channel = new Channel(url, options);

	await next(channel, 'open');
	return channel;
}

export const plays = {
	async talk({ Channel, url, options }) {
		const a = await opened(Channel, url, options);
		const b = await opened(Channel, url, options);
		const got = heard(b);

		must(a.state === 'open' && a.welcome.channel === 'lobby', 'it is open');
		const first = await a.publish('h\u00e9llo "you"');
		await a.publish({ x: [1, 'y'] });
		await a.publish(new Uint8Array([0, 255, 7]));
		await until(() => got.of('message').length === 3, 'three messages');
		const [one, two, three] = got.of('message');

		same([one.data, one.id], ['h\u00e9llo "you"', first.id], 'a text');
		same(JSON.parse(two.data), { x: [1, 'y'] }, 'an object');
		same([...three.bytes], [0, 255, 7], 'bytes');
		must(b.last === three.id && a.pending === 0, 'the last id');
		same((await a.count()).count, 2, 'who is there');
		same((await a.members()).members, ['anonymous-1', 'anonymous-2'], 'their names');
		await a.publish(1).then(() => must(false, 'a number is no payload'),
			(e) => must(e instanceof TypeError, String(e)));

		// one that is too long takes the connection along, and nothing else
		const gone = next(a, 'down');
		await fails(a.publish('x'.repeat(5000)), 'lost');
		same((await gone).code, 1009, 'the close');
		await a.publish('and on');
		await until(() => got.of('message').length === 4, 'a fourth message');
		await sleep(300); // who came and went at once is not told
		a.close();
		must(a.state === 'closed', 'it is closed');
		await fails(a.publish('too late'), 'closed');
		await next(b, 'presence', (e) => e.left?.length === 1);
		b.close();
	},

	async own({ Channel, url, options }) {
		const a = await opened(Channel, url, options);
		const b = await opened(Channel, url, options);
		const [mine, theirs] = [heard(a), heard(b)];
		const payload = (i) => [`text ${i}`, { i }, new Uint8Array([i, 0, 255])][i % 3];

		for (let i = 0; i < 60; i++)
			await Promise.all([a.publish(payload(i)), i % 2 && b.publish(payload(i))]);
		await until(() => mine.of('message').length === 90 &&
			theirs.of('message').length === 90, 'all of both');
		for (const [got, due, who] of [[mine, 60, 'a'], [theirs, 30, 'b']])
			same(got.of('message').filter((e) => e.own).length, due, `what ${who} owns`);
		same(mine.of('message').map((e) => e.id), theirs.of('message').map((e) => e.id), 'the order');
		must(!mine.of('message').some((e, i) => e.own && theirs.of('message')[i].own), 'of one each');
		a.close();
		b.close();
	},

	async queue({ Channel, url, options }) {
		const a = await opened(Channel, url, options);
		const got = heard(a);
		const b = new Channel(url, { ...options, queue: 3 });
		const sent = [0, 1, 2].map((i) => b.publish(`m${i}`));
		const e = await fails(b.publish('one more'), 'full');

		must(/3 publishes wait/.test(e.message), e.message);
		await Promise.all(sent);
		await b.publish('room again');
		await until(() => got.of('message').length === 4, 'four messages');
		same(got.of('message').map((m) => m.data), ['m0', 'm1', 'm2', 'room again'], 'in order');
		const c = new Channel(url, { ...options, queueBytes: 100 });
		await fails(c.publish('y'.repeat(100)), 'full');
		const waits = c.publish('short');
		c.close();
		await fails(waits, 'closed');
		a.close();
		b.close();
	},

	async killed({ Channel, url, options, ask }) {
		const a = await opened(Channel, url, { ...options, ...quick });
		const got = heard(a);
		const id = (await a.publish('before')).id;
		const epoch = a.welcome.epoch;

		const down = next(a, 'down');
		await ask('kill');
		must((await down).opened && a.state !== 'open', 'it is down');
		const waits = a.publish('meanwhile');
		await sleep(300);
		await ask('start');
		await waits;
		const gap = got.of('gap');
		must(gap.length === 1 && gap[0].missing === null, 'one gap of unknown length');
		must(a.welcome.epoch !== epoch && a.last !== id, 'another epoch');
		const b = new Channel(url, { ...options, since: `${a.welcome.epoch}-0` });
		same((await next(b, 'message')).data, 'meanwhile', 'what waited');
		a.close();
		b.close();
	},

	// Twenty connections are cut, each after some bytes, amid messages.
	async cut({ Channel, url, direct, options, ask }) {
		const n = 3000;
		const a = await opened(Channel, url, { ...options, ...quick, maxWait: 40 });
		const got = heard(a);
		const b = await opened(Channel, direct, { ...options, queue: n + 1 });

		await ask('cut 20');
		const all = [];
		for (let i = 0; i < n; i++) {
			all.push(b.publish(String(i)));
			if (i % 50 === 0)
				await sleep(10);
		}
		await Promise.all(all);
		await b.publish('end');
		await until(() => got.of('message').at(-1)?.data === 'end', 'the end');
		same(got.of('gap'), [], 'gaps');
		same(got.of('message').map((m) => m.data).join(),
			[...Array(n).keys(), 'end'].join(), 'each once, in order');
		must(got.of('down').length >= 20, `only ${got.of('down').length} were cut`);

		// its own that were cut off before they could be heard of
		const c = await opened(Channel, direct, options);
		const mine = await a.publish('mine');
		const again = next(a, 'message', (m) => m.id === mine.id);
		const cut = next(a, 'open');
		await ask('cut now');
		await c.publish('after');
		await cut;
		must((await again).own === true, 'it knows its own');
		for (const channel of [a, b, c])
			channel.close();
	},

	async back_off({ Channel, url, options, ask }) {
		await ask('deaf');
		const a = new Channel(url, { ...options, ...quick, stable: 1000, explain: false });
		const got = heard(a);

		await until(() => got.of('down').length >= 9, 'nine attempts');
		got.of('down').forEach(({ waitMs, opened }, i) => {
			const whole = Math.min(320, 40 * 2 ** i);

			must(!opened && waitMs >= whole / 2 && waitMs <= whole,
				`wait ${i} is ${waitMs} ms`);
		});
		await ask('attempts');
		const open = next(a, 'open');
		await ask('hear');
		await open;
		// cut at once: the wait stays long; cut later: it is short again
		let down = next(a, 'down');
		await ask('cut now');
		must((await down).waitMs >= 160, 'it did not come to rest');
		await next(a, 'open');
		await sleep(1500);
		down = next(a, 'down');
		await ask('cut now');
		must((await down).waitMs <= 40, 'it had come to rest');
		await next(a, 'open');
		a.close();
		const until_now = got.length;
		await sleep(400);
		same(got.length, until_now, 'who is closed is silent');
	},

	async refused({ Channel, url, options, ask }) {
		const nowhere = new Channel(new URL('/nowhere?x=1', url), { ...options, ...quick });
		let why = await next(nowhere, 'refused');

		same([why.status, why.cause, why.opened], [404, 'url.path', false], 'no such path');
		must(why.waitMs >= 60000 && nowhere.state === 'waiting', 'it does not hammer');
		must(/no WebSocket at \/nowhere/.test(why.detail), why.detail);
		await ask(`why ${why.reference} url.path`);
		nowhere.reconnect();
		why = await next(nowhere, 'refused');
		must(why.status === 404 && why.waitMs >= 60000, 'the same again');
		nowhere.close();

		// with refusal.close; who has a token by then gets in
		let token = 'wrong';
		const closed = new Channel(new URL('/secret/a', url),
			{ ...options, ...quick, protocols: async () => ['bearer', token] });
		const waits = closed.publish('patience');
		why = await next(closed, 'refused');
		same([why.code, why.cause], [4403, 'access.credentials'], 'no token');
		must(why.detail && why.waitMs >= 60000, 'it waits');
		await ask(`why ${why.reference} access.credentials`);
		token = 'let-me-publish';
		closed.reconnect();
		await waits;
		closed.close();
	},

	// What Node's `ws` sees, and a page does not unless refusal.close is set.
	async status({ Channel, url, options, ask }) {
		const a = new Channel(new URL('/secret/a', url), { ...options, ...quick });
		const why = await next(a, 'refused');

		same([why.status, why.cause], [401, 'access.credentials'], 'no token');
		await ask(`why ${why.reference} access.credentials`);
		a.close();
	},

	async silent({ Channel, url, options, ask }) {
		const a = new Channel(url, { ...options, ...quick });
		const why = await next(a, 'refused');

		same(why.status, 404, 'the application refuses');
		await ask(`why ${why.reference} server.app-rejected`);
		a.close();
	},

	// A page is told by the gateway what its browser hides: of its own origin, and
	// of one that may not come in.
	async explained({ Channel, url, direct, options, ask }) {
		const a = new Channel(new URL('/secret/a', url), { ...options, ...quick });
		let why = await next(a, 'refused');

		same([why.code, why.status, why.cause], [1006, 401, 'access.credentials'], 'no token');
		must(/needs credentials/.test(why.detail) && why.waitMs >= 60000, why.detail);
		await ask(`why ${why.reference} access.credentials`);
		a.close();
		const foreign = new Channel(new URL('/few/a', direct), { ...options, ...quick });

		why = await next(foreign, 'refused');
		same([why.status, why.cause], [403, 'access.origin'], 'not this origin');
		await ask(`why ${why.reference} access.origin`);
		foreign.close();
		const quiet = new Channel(new URL('/secret/a', url),
			{ ...options, ...quick, explain: false });

		why = await next(quiet, 'down');
		same([why.code, why.status], [1006, undefined], 'nothing was asked');
		quiet.close();
		const elsewhere = new Channel(new URL('/secret/a', url),
			{ ...options, ...quick, explain: '/no/such/place' });

		why = await next(elsewhere, 'down');
		same([why.code, why.status], [1006, undefined], 'nobody answers there');
		elsewhere.close();
	},

	// Who sends too much is told to come later.
	async later({ Channel, url, options }) {
		const a = await opened(Channel, url, { ...options, ...quick });
		const down = next(a, 'down');
		const all = [...Array(100).keys()].map((i) => a.publish(`m${i}`).catch((e) => e.code));

		must((await Promise.all(all)).includes('lost'), 'it was cut off');
		const why = await down;
		must(why.code === 1008 && why.reference, `${why.code}`);
		must(why.waitMs >= 5000, `it comes back after ${why.waitMs} ms`);
		a.close();
	},

	async long({ Channel, url, options }) {
		const a = await opened(Channel, url, { ...options, ...quick });
		const down = next(a, 'down');

		await fails(a.publish('x'.repeat(3000)), 'lost');
		const { code, reference, cause, detail } = await down;
		must(code === 1009 && reference, `${code}`);
		same([cause, detail], [undefined, 'message too long'], 'it names no cause');
		a.close();
	},

	async states({ Channel, url, direct, options, ask }) {
		const b = await opened(Channel, direct, options);
		for (let i = 0; i < 30; i++)
			await b.publish({ symbol: `s${i % 3}`, price: i });
		const a = new Channel(url, { ...options, ...quick });
		const got = heard(a);
		const prices = () => {
			const now = {};

			for (const e of got.of('state', 'gap'))
				if (e.type === 'gap')
					Object.keys(now).forEach((k) => delete now[k]);
				else if (e.data === null)
					delete now[e.key];
				else
					now[e.key] = JSON.parse(e.data).price;
			return now;
		};

		await until(() => got.of('state').length === 3, 'three states');
		same(prices(), { s0: 27, s1: 28, s2: 29 }, 'the newest of each');
		await ask('deaf');
		await until(() => a.state !== 'open', 'it is cut off');
		for (let i = 0; i < 100; i++)
			await b.publish({ symbol: 's1', price: 1000 + i });
		await b.publish({ symbol: 's2' });
		await fails(b.publish('no key'), 'key');
		await ask('hear');
		await until(() => prices().s1 === 1099 && !('s2' in prices()), 'what changed');
		same(got.of('state').length, 5, 'nothing but what changed');
		same(got.of('gap'), [], 'gaps');
		a.close();

		// another life of the channel: all of it is forgotten
		const c = new Channel(direct, { ...options, since: 'abcdefgh-7' });
		const first = heard(c);
		await until(() => first.of('state').length === 2, 'the whole state');
		same(first.map((e) => e.type).slice(0, 3), ['open', 'gap', 'state'], 'in order');
		b.close();
		c.close();
	},
};
