// SPDX-License-Identifier: MIT
// A channel of `sesame serve`, in pages and in Node: the subprotocol sesame.v1
// (docs/sesame.v1.md). It comes back by itself, where it was: nothing twice,
// nothing missing, or a gap that says so. One file that stands on nothing else.
//
// What is hard is when to move `last`, the id to come back with: before
// listeners hear of a message, so that one which throws does not hear it again,
// and never past what has not come yet.

/**
 * @typedef {object} Options
 * @property {string} [since] the id of the last message that is known already
 * @property {'url' | 'message'} [resume] where that id goes when coming back:
 *   into the URL (the default), or into the first message, so that no log of a
 *   proxy has it
 * @property {string[] | (() => string[] | Promise<string[]>)} [protocols] what
 *   to offer behind sesame.v1, as ['bearer', token]; a function is asked anew
 *   at each attempt
 * @property {number} [queue] publishes without an answer, at most (256)
 * @property {number} [queueBytes] the same in characters of JSON (2^20)
 * @property {number} [minWait] before the second attempt, in ms (1,000)
 * @property {number} [maxWait] what waits grow up to, in ms (30,000)
 * @property {number} [laterWait] after 1008 or 4429 at least, in ms (5,000)
 * @property {number} [refusedWait] after a refusal that no second try changes,
 *   in ms (60,000; it grows to ten times that)
 * @property {number} [stable] a connection that lived for so long was a good
 *   one: the next wait is short again, in ms (10,000)
 * @property {number} [patience] for the welcome and for each answer, in ms
 *   (30,000): a connection without them is given up
 * @property {boolean | string | URL} [explain] whether to ask by fetch() why a
 *   handshake was refused (true); or where, if refusal.explain of the gateway
 *   is another path than its default
 * @property {any} [WebSocket] the constructor to use, as that of the package
 *   `ws`; without it, the one that is there
 * @property {{headers?: object, ca?: any}} [ws] options for that of `ws`
 */

/**
 * What a message, a state or a gap brings; sesame.v1 has all members.
 * @typedef {object} Envelope
 * @property {string} type
 * @property {string} [id]
 * @property {number} [time]
 * @property {string | null} [from] who sent it; of a gap, its first id
 * @property {string | null} [to]
 * @property {number | null} [missing]
 * @property {string} [key]
 * @property {string | null} [data]
 * @property {Uint8Array} [bytes] what was sent as bytes
 * @property {boolean} [own] it was published by this very object
 */

/**
 * Why it went wrong, as far as that can be known.
 * @typedef {object} Reason
 * @property {number} [code] of the close
 * @property {number} [status] of the refused handshake
 * @property {string} [reference] for `sesame why`
 * @property {string} [cause] where refusal.disclose tells it
 * @property {string} [detail] a sentence
 * @property {string} [rule] with its `file` and `line`, where disclose is full
 * @property {string} [file]
 * @property {number} [line]
 * @property {boolean} [opened] whether there had been a welcome
 * @property {number} [retryMs] what its Retry-After asked for
 * @property {number} [waitMs] until the next attempt
 */

/**
 * @typedef {object} Waiting a publish or a question without an answer
 * @property {string} text
 * @property {number} bytes
 * @property {(envelope: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {string} [payload] as its message would bring it
 * @property {any} [timer]
 */

const KNOWN_OWN = 1024; // ids of what was published here, at most
const MOST_HELD = 1024; // envelopes that wait for an ack, at most
const MAX_BODY = 65536; // of an answer that refuses
const EXPLAIN_EVERY = 10000;
const EXPLAIN_MS = 5000;
const EXPLAIN_PATH = '/.well-known/sesame/refusals';
// "7K2M-Q4XD access.origin words": each cause of a refusal has a dot
const REFERENCE =
	/^([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})(?: ([a-z]+\.[a-z-]+))?(?: (.*))?$/s;

/** What `detail` is, the page of each event says: README.md. */
export class ChannelEvent extends Event {
	/** @param {string} type @param {any} detail */
	constructor(type, detail) {
		super(type);
		this.detail = detail;
	}
}

/**
 * Why nothing was published. `code` is one of sesame.v1's errors (`rate`,
 * `permission`, `storage`, ...) or
 *   full    too many publishes wait for an answer: this one was not sent
 *   lost    the connection broke before the answer: it may have been published
 *           or not
 *   closed  the channel was closed
 */
export class PublishError extends Error {
	/** @param {string} code @param {string} text @param {Reason} [more] */
	constructor(code, text, more = {}) {
		super(text);
		this.name = 'PublishError';
		this.code = code;
		this.cause = more.cause;
		this.reference = more.reference;
	}
}

export class Channel extends EventTarget {
	/** @type {any} */ #socket = null;
	/** @type {any} */ #timer = 0; // of the next attempt, or of the welcome
	/** @type {any} */ #stableTimer = 0;
	/** @type {Waiting[]} */ #queue = [];
	/** @type {Map<number, Waiting>} */ #asked = new Map();
	#bytes = 0;
	#ref = 0;
	#tries = 0;
	#refusals = 0;
	#explainedAt = -Infinity;
	#attempt = ''; // what this handshake is called, where it may be refused
	/** @type {Set<string>} */ #own = new Set();
	/** @type {{e: any, refs: number[]}[]} */ #held = [];
	/** @type {any} */ #welcome = null;
	/** @type {Reason | null} */ #refusal = null; // what `ws` saw
	// The network is back: there is nothing to wait for.
	#online = () => {
		if (this.state === 'waiting' && !this.#refusals)
			this.#connect();
	};
	#url;
	#options;

	/**
	 * Where it stands: 'connecting', 'open', 'waiting' (for the next
	 * attempt) or 'closed'.
	 */
	state = 'closed';
	/**
	 * The id of the last message: what `since` of a later visit begins at.
	 * @type {string | null}
	 */
	last = null;

	/**
	 * Connects at once.
	 * @param {string | URL | (() => string | URL | Promise<string | URL>)} url
	 *   of the channel; a function is asked anew at each attempt
	 * @param {Options} [options]
	 */
	constructor(url, options = {}) {
		super();
		this.#url = url;
		this.#options = {
			since: '', protocols: /** @type {any} */ ([]),
			resume: 'url', queue: 256, queueBytes: 1 << 20,
			minWait: 1000, maxWait: 30000, laterWait: 5000,
			refusedWait: 60000, stable: 10000, patience: 30000,
			explain: true, ws: {},
			WebSocket: /** @type {any} */ (globalThis).WebSocket,
			...options,
		};
		if (!this.#options.WebSocket)
			throw new TypeError('There is no WebSocket here: ' +
				'give that of the package "ws" as an option');
		this.last = this.#options.since || null;
		this.#connect();
	}

	/** What the server said when this connection began, or null. */
	get welcome() {
		return this.#welcome;
	}

	/** How many publishes wait for an answer. */
	get pending() {
		return this.#queue.length + this.#asked.size;
	}

	/**
	 * A text is the payload, of an object its JSON text is. What is
	 * published while there is no connection waits for one.
	 * @param {string | object | ArrayBuffer | ArrayBufferView} data
	 * @returns {Promise<{id: string | null}>} rejected with a PublishError
	 */
	publish(data) {
		if (typeof data !== 'string' && (typeof data !== 'object' || !data))
			return Promise.reject(new TypeError(
				'publish a text, an object or bytes'));
		if (typeof data === 'string')
			return this.#ask({ publish: data }, data);
		if (!(data instanceof ArrayBuffer || ArrayBuffer.isView(data)))
			return this.#ask({ publish: data }, JSON.stringify(data));
		const base64 = toBase64(data);
		return this.#ask({ publish_base64: base64 }, base64);
	}

	/**
	 * Who is there, a page of them; `next` is for `after`.
	 * @param {{after?: string, limit?: number}} [page]
	 * @returns {Promise<{count: number, members: string[], next?: string}>}
	 */
	members(page = {}) {
		return this.#ask({ presence: 'list', ...page });
	}

	/** How many are there. @returns {Promise<{count: number}>} */
	count() {
		return this.#ask({ presence: 'count' });
	}

	/** Try now, whatever was waited for: there is a new token, say. */
	reconnect() {
		this.#refusals = 0;
		this.#explainedAt = -Infinity;
		if (this.state === 'waiting' || this.state === 'closed')
			this.#connect();
	}

	/** It is over, until reconnect(). */
	close() {
		if (this.state === 'closed')
			return;
		this.state = 'closed';
		globalThis.removeEventListener?.('online', this.#online);
		this.#drop('closed', 'the channel was closed');
		this.#reject(this.#queue.splice(0), 'closed', 'the channel was closed');
		this.#tell('close', {});
	}

	// ---- Connections ----

	async #connect() {
		const { WebSocket, patience, ws, protocols } = this.#options;

		clearTimeout(this.#timer);
		globalThis.addEventListener?.('online', this.#online); // once
		this.state = 'connecting';
		const attempt = this.#socket = /** @type {any} */ ({});
		try {
			const url = await this.#address();
			const more = typeof protocols === 'function'
				? await protocols() : protocols;

			if (this.#socket !== attempt)
				return; // closed meanwhile
			const all = ['sesame.v1', ...more];
			this.#listen(typeof WebSocket.prototype?.terminate === 'function'
				? new WebSocket(url, all, { ...ws, headers: {
					Accept: 'application/json', ...ws.headers } })
				: new WebSocket(url, [...all, ...this.#numbered()]));
		} catch (e) { // no such URL, or the page's function threw
			if (this.#socket === attempt)
				this.#over({ detail: String(e) });
			return;
		}
		this.#timer = setTimeout(() =>
			this.#over({ detail: 'no welcome came in time' }), patience);
	}

	/**
	 * No page sees the answer to a refused handshake, so the handshake takes
	 * a number of the page's own to ask by: among its subprotocols, which
	 * stand in no URL. In digits, which a gateway counts as one kind.
	 */
	#numbered() {
		const random = this.#options.explain &&
			globalThis.crypto?.getRandomValues(new Uint32Array(4));

		this.#attempt = Array.from(random || [],
			(n) => String(n).padStart(10, '0')).join('');
		return this.#attempt ? [`sesame.attempt.${this.#attempt}`] : [];
	}

	async #address() {
		const said = typeof this.#url === 'function' ? await this.#url() : this.#url;
		const url = new URL(said, globalThis.location?.href);

		url.protocol = url.protocol.replace(/^http/, 'ws');
		url.hash = '';
		url.searchParams.delete('since');
		if (this.last)
			url.searchParams.set('since',
				this.#options.resume === 'message' ? 'later' : this.last);
		return url.href;
	}

	/** @param {any} socket */
	#listen(socket) {
		const mine = (/** @type {(e: any) => void} */ f) =>
			(/** @type {any} */ e) => this.#socket === socket && f(e);

		this.#socket = socket;
		// That of `ws` shows what was answered instead of a 101.
		const seesAnswers = typeof socket.on === 'function';
		this.#refusal = seesAnswers ? {} : null;
		socket.onerror = () => {}; // the close follows
		socket.onopen = mine(() => this.#onopen());
		socket.onmessage = mine((e) => this.#read(e.data));
		socket.onclose = mine((e) => this.#onclose(e));
		if (seesAnswers)
			socket.on('unexpected-response', (/** @type {any} */ request,
				/** @type {any} */ answer) => readAnswer(answer, (why) => {
				if (this.#socket === socket)
					this.#refusal = why;
				socket.terminate();
			}));
	}

	#onopen() {
		if (this.#socket.protocol !== 'sesame.v1')
			this.#over({ code: 4403, detail: 'what answers there does ' +
				'not speak sesame.v1' });
		else if (this.last && this.#options.resume === 'message')
			this.#socket.send(JSON.stringify({ resume: this.last }));
	}

	/** @param {{code: number, reason: string}} event */
	async #onclose({ code, reason }) {
		const [, reference, cause, detail] = REFERENCE.exec(reason) ?? [];
		/** @type {Reason} */
		let why = { code, reference, cause, detail: detail ?? (reference ? '' : reason) };

		if (!this.#welcome && (code === 1006 || reference)) {
			const socket = this.#socket;

			clearTimeout(this.#timer);
			const seen = code === 1006 ? this.#refusal : null;
			const more = seen ?? await this.#explain(socket.url, reference);
			why = { ...why, ...more };
			if (this.#socket !== socket)
				return; // closed meanwhile
		}
		this.#over(why);
	}

	/**
	 * Browsers tell a page nothing of a refused handshake. The gateway does,
	 * by its reference or by the number that it was given; without that, a
	 * plain visit to the same URL may be refused alike.
	 * @param {string} url @param {string} [reference]
	 * @returns {Promise<Reason>}
	 */
	async #explain(url, reference) {
		if (!this.#options.explain || Date.now() - this.#explainedAt < EXPLAIN_EVERY)
			return {};
		this.#explainedAt = Date.now();
		const page = new URL(url.replace(/^ws/, 'http'));
		const name = reference ?? this.#attempt;
		const said = name && await read(this.#explainer(page, name));

		if (said?.status === 200)
			return reasonOf(problemOf(said.body)?.status, said.body, null);
		if (reference || said?.status === 429)
			return {};
		page.searchParams.delete('since');
		const answer = await read(page);
		return !answer || answer.status === 426 // of the path nothing is wrong
			? {} : reasonOf(answer.status, answer.body, answer.retryAfter);
	}

	/** @param {URL} page @param {string} name */
	#explainer(page, name) {
		const { explain } = this.#options;
		const where = new URL(explain === true ? EXPLAIN_PATH : explain, page);

		where.pathname += `/${name}`;
		return where;
	}

	/** This connection is over; when the next one begins. @param {Reason} why */
	#over(why) {
		const opened = this.#welcome !== null;
		const socket = this.#socket;

		this.#release(true);
		if (this.#socket !== socket)
			return; // a listener closed it
		this.#drop('lost',
			'the connection broke before the answer: it may be published or not');
		this.state = 'waiting';
		const waitMs = this.#wait(why);
		this.#timer = setTimeout(() => this.#connect(), waitMs);
		const detail = { ...why, opened, waitMs };
		this.#tell('down', detail);
		if (isRefusal(why))
			this.#tell('refused', detail);
	}

	/**
	 * Longer each time, never all at once, and what the other side asks for.
	 * @param {Reason} why
	 */
	#wait(why) {
		const o = this.#options;
		let least = why.retryMs ?? 0;

		if (isRefusal(why))
			least = o.refusedWait * Math.min(10, 2 ** this.#refusals++);
		else if (why.code === 1008 || why.code === 4429 || why.status === 429)
			least = Math.max(least, o.laterWait);
		const wait = Math.min(o.maxWait, o.minWait * 2 ** Math.min(20, this.#tries++));
		return least > wait ? least * (1 + Math.random() / 2)
			: wait * (0.5 + Math.random() / 2);
	}

	/**
	 * Nothing of this connection is heard any more.
	 * @param {string} code @param {string} text for who waits for an answer
	 */
	#drop(code, text) {
		const socket = this.#socket;

		clearTimeout(this.#timer);
		clearTimeout(this.#stableTimer);
		this.#socket = null;
		this.#welcome = null;
		const asked = [...this.#asked.values()];
		this.#asked.clear();
		this.#held = [];
		this.#reject(asked, code, text);
		if (socket?.readyState < 2)
			socket.close(1000);
	}

	// ---- What comes ----

	/** @param {unknown} text */
	#read(text) {
		/** @type {any} */
		let e = null;

		try {
			e = typeof text === 'string' ? JSON.parse(text) : null;
		} catch { /* it is nothing known */ }
		switch (e?.type) {
		case 'welcome':
			return this.#begin(e);
		case 'message':
		case 'state':
		case 'gap':
		case 'presence':
			return this.#hear(e);
		case 'ack':
		case 'members':
		case 'error':
			return this.#answer(e);
		}
	}

	/**
	 * With a backplane a message may come before its ack. One that reads like
	 * a publish without an answer waits for that, and what follows behind it.
	 * @param {any} e
	 */
	#hear(e) {
		const refs = this.#alike(e);

		if (!refs.length && !this.#held.length)
			return this.#deliver(e);
		this.#held.push({ e, refs });
		if (this.#held.length > MOST_HELD)
			this.#release(true);
	}

	/** Of publishes without an answer. @param {any} e @returns {number[]} */
	#alike(e) {
		const payload = e.base64 ?? e.data;

		return typeof payload !== 'string' || this.#own.has(e.id) ? []
			: [...this.#asked].filter(([, w]) => w.payload === payload)
				.map(([ref]) => ref);
	}

	/** What waits for no answer any more, or all. @param {boolean} [all] */
	#release(all) {
		const waits = (/** @type {{e: any, refs: number[]}} */ { e, refs }) =>
			!this.#own.has(e.id) && refs.some((ref) => this.#asked.has(ref));

		while (this.#held.length && (all || !waits(this.#held[0])))
			this.#deliver(/** @type {any} */ (this.#held.shift()).e);
	}

	/** @param {any} e */
	#deliver(e) {
		if (e.type === 'gap') {
			this.last = this.#behind(e);
		} else if (e.type !== 'presence') {
			if (typeof e.base64 === 'string')
				e.bytes = fromBase64(e.base64);
			if (this.#own.has(e.id))
				e.own = true;
			this.last = String(e.id);
		}
		this.#tell(e.type, e);
	}

	/** @param {any} welcome */
	#begin(welcome) {
		clearTimeout(this.#timer);
		this.#welcome = welcome;
		this.state = 'open';
		this.#refusals = 0;
		this.#stableTimer = setTimeout(() => { this.#tries = 0; }, this.#options.stable);
		// Of states all are still to come; of messages, what is new.
		if (!this.last && welcome.kind === 'messages')
			this.last = welcome.id;
		this.#tell('open', welcome);
		while (this.#queue.length && this.state === 'open')
			this.#send(/** @type {Waiting} */ (this.#queue.shift()));
	}

	/**
	 * Where to come back after a gap, before anything has come behind it.
	 * @param {Envelope} gap
	 */
	#behind(gap) {
		if (this.#welcome?.kind === 'state')
			return null; // all of it, once more
		return gap.to ?? `${this.#welcome?.epoch}-0`;
	}

	/** @param {any} e */
	#answer(e) {
		const w = this.#asked.get(e.ref);

		if (e.type === 'error')
			e = { ...e, detail: e.text };
		if (!w)
			return e.type === 'error' && this.#tell('error', e);
		this.#asked.delete(e.ref);
		this.#bytes -= w.bytes;
		clearTimeout(w.timer);
		if (e.type === 'error')
			w.reject(new PublishError(String(e.code), String(e.text), e));
		else
			w.resolve(e);
		if (e.type === 'ack' && e.id) {
			this.#own.add(e.id);
			if (this.#own.size > KNOWN_OWN)
				for (const oldest of this.#own) {
					this.#own.delete(oldest);
					break;
				}
		}
		this.#release();
	}

	// ---- What goes ----

	/**
	 * @param {object} demand @param {string} [payload]
	 * @returns {Promise<any>}
	 */
	#ask(demand, payload) {
		return new Promise((resolve, reject) => {
			const text = JSON.stringify(demand);
			const bytes = text.length;
			const o = this.#options;

			if (this.state === 'closed')
				throw new PublishError('closed', 'the channel was closed');
			if (this.pending >= o.queue || this.#bytes + bytes > o.queueBytes)
				throw new PublishError('full',
					`${this.pending} publishes wait for an answer; ` +
					`${o.queue} of ${o.queueBytes} bytes may`);
			this.#bytes += bytes;
			const w = { text, bytes, resolve, reject, payload };
			if (this.state === 'open')
				this.#send(w);
			else
				this.#queue.push(w);
		});
	}

	/** @param {Waiting} w */
	#send(w) {
		const ref = ++this.#ref;

		this.#asked.set(ref, w);
		w.timer = setTimeout(() =>
			this.#over({ detail: 'no answer came in time' }), this.#options.patience);
		this.#socket.send(`${w.text.slice(0, -1)},"ref":${ref}}`);
	}

	/** @param {Waiting[]} all @param {string} code @param {string} text */
	#reject(all, code, text) {
		for (const w of all) {
			clearTimeout(w.timer);
			this.#bytes -= w.bytes;
			w.reject(new PublishError(code, text));
		}
	}

	/** @param {string} type @param {any} detail */
	#tell(type, detail) {
		this.dispatchEvent(new ChannelEvent(type, detail));
	}
}

// ---- Reasons ----

/** Whether the same request would be refused again. @param {Reason} why */
function isRefusal({ code, status }) {
	return code === 4403 ||
		(status !== undefined && status >= 400 && status < 500 &&
		 status !== 408 && status !== 429);
}

/** null: it is somebody else's. @param {string} body of RFC 9457 */
function problemOf(body) {
	try {
		return JSON.parse(body);
	} catch {
		return null;
	}
}

/**
 * @param {number} status @param {string} body
 * @param {string | null | undefined} retryAfter
 * @param {string} [reference] of its head, for a body that tells none
 * @returns {Reason}
 */
function reasonOf(status, body, retryAfter, reference) {
	if (!(status >= 400))
		return {}; // it is somebody's page
	const said = problemOf(body);
	const text = (/** @type {unknown} */ x) => typeof x === 'string' ? x : undefined;
	const seconds = Number(retryAfter);
	return {
		status, reference: text(said?.reference) ?? reference, cause: text(said?.cause),
		detail: text(said?.detail) ?? `it was answered ${status}`,
		...(said?.rule && { rule: said.rule, file: said.file, line: said.line }),
		...(seconds > 0 && { retryMs: Math.min(seconds, 600) * 1000 }),
	};
}

/**
 * null: nobody is there, or it is of another origin and not to be read.
 * @param {URL} where
 */
async function read(where) {
	const abort = new AbortController();
	const timer = setTimeout(() => abort.abort(), EXPLAIN_MS);

	try {
		const answer = await fetch(where, { signal: abort.signal,
			redirect: 'manual', cache: 'no-store', credentials: 'same-origin',
			headers: { Accept: 'application/json' } });

		return { status: answer.status, body: await answer.text(),
			retryAfter: answer.headers.get('retry-after') };
	} catch {
		return null;
	} finally {
		clearTimeout(timer);
		abort.abort();
	}
}

/**
 * @param {any} answer of node's http @param {(why: Reason) => void} done
 */
function readAnswer(answer, done) {
	let body = '', over = false;
	const end = () => {
		if (!over)
			done(reasonOf(answer.statusCode, body, answer.headers['retry-after'],
				answer.headers['sesame-reference']));
		over = true;
	};

	answer.setEncoding('utf8');
	answer.on('data', (/** @type {string} */ piece) => {
		body += piece;
		if (body.length > MAX_BODY)
			end();
	});
	for (const event of ['end', 'close', 'error'])
		answer.on(event, end);
}

// ---- Bytes ----

/** @param {ArrayBuffer | ArrayBufferView} data */
function toBase64(data) {
	const bytes = ArrayBuffer.isView(data)
		? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
		: new Uint8Array(data);
	let text = '';

	for (let at = 0; at < bytes.length; at += 8192)
		text += String.fromCharCode(...bytes.subarray(at, at + 8192));
	return btoa(text);
}

/** @param {string} text */
function fromBase64(text) {
	try {
		return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
	} catch {
		return new Uint8Array(0);
	}
}
