// SPDX-License-Identifier: MIT
// Node's ws as a client that echoes: walks the cases of the host at argv[2].
const WebSocket = require('ws');

const host = process.argv[2];

function visit(path) {
	return new Promise((resolve) => {
		let last = '';
		const ws = new WebSocket(host + path, { maxPayload: 64 << 20, perMessageDeflate: { threshold: 0 } });
		ws.on('message', (data, binary) => {
			last = String(data.subarray(0, 10));
			if (path.startsWith('/runCase') && ws.readyState === WebSocket.OPEN)
				ws.send(data, { binary });
		});
		ws.on('error', () => {});
		ws.on('close', () => resolve(last));
	});
}

async function walk(cases) {
	for (const i of cases)
		await visit(`/runCase?case=${i}&agent=ws`);
}

(async () => {
	const n = Number(await visit('/getCaseCount'));
	const cases = Array.from({ length: n }, (_, i) => i + 1).values();

	// eight at a time: each takes the next that nobody took
	await Promise.all(Array.from({ length: 8 }, () => walk(cases)));
	await visit('/updateReports?agent=ws');
})();
