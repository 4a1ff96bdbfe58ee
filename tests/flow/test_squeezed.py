# SPDX-License-Identifier: MIT
"""Messages that the library compresses, each by itself, are understood by others."""
import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from nodes import ENV, needs_ws
from rawsocket import example, serving

BROWSER = Path(__file__).resolve().parents[1] / "browser"
AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

# argv: URL. Prints what was agreed to, how many messages came back, how many of
# them changed, and whether they came shorter than they are.
CLIENT = r"""
const [url] = process.argv.slice(1), WebSocket = require('ws');
const message = (i) => Array.from({length: i / 2}, (_, k) =>
  `{"n":${(k * 7919 * (i + 1)) % 10007},"of":"${i}"}`).join() + '☕'.repeat(i % 3);
const ws = new WebSocket(url, {perMessageDeflate: {threshold: 0}});
let i = 0, changed = 0, sent = 0;
ws.on('open', () => ws.send(message(0)));
ws.on('message', (data) => {
  changed += String(data) !== message(i);
  sent += data.length;
  if (++i < 600) ws.send(message(i));
  else ws.close();
});
ws.on('error', (e) => console.log(String(e)));
ws.on('close', (code) => console.log(JSON.stringify(
  {extensions: ws.extensions, code, n: i, changed, shorter: ws._socket.bytesRead < sent / 2})));
"""


def messages():
    for i in range(600):
        yield ",".join('{"n":%d,"of":"%d"}' % (k * 7919 * (i + 1) % 10007, i) for k in range(i // 2)) + "☕" * (i % 3)


@needs_ws
def test_ws_understands_each_message():
    with serving(example("echo_server"), "--deflate") as url:
        got = subprocess.run(["node", "-e", CLIENT, url], env=ENV, capture_output=True, text=True, timeout=60)
    said = json.loads(got.stdout)
    assert (said["n"], said["changed"], said["code"], said["shorter"]) == (600, 0, 1005, True), got
    assert said["extensions"] == "permessage-deflate"


def test_websockets_understands_each_message():
    websockets = pytest.importorskip("websockets")

    async def talk(url):
        async with websockets.connect(url) as ws:
            for text in messages():
                await ws.send(text)
                assert await ws.recv() == text
            return ws.response_headers["Sec-WebSocket-Extensions"]

    with serving(example("echo_server"), "--deflate") as url:
        assert asyncio.run(talk(url)).startswith(AGREED)


def test_a_client_that_is_to_forget_is_understood_by_websockets():
    pytest.importorskip("websockets")
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
    from websockets.server import serve

    async def echo(ws, *_):
        async for text in ws:
            await ws.send(text)

    async def talk():
        forgets = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
        async with serve(echo, "127.0.0.1", 0, compression=None, extensions=[forgets]) as server:
            url = "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            client = await asyncio.create_subprocess_exec(
                example("echo_client"), "--deflate", url, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            out, _ = await asyncio.wait_for(client.communicate(text.encode()), 60)
            return client.returncode, out.decode()

    text = "".join(m + "\n" for m in messages() if m)
    assert asyncio.run(talk()) == (0, text)


@pytest.mark.skipif(not (BROWSER / "node_modules").exists() or
                    not shutil.which(os.environ.get("CHROMIUM", "chromium")), reason="no Chromium, or no playwright")
def test_chromium_understands_each_message():
    with serving(example("echo_server"), "--deflate") as url:
        got = subprocess.run(["node", str(BROWSER / "squeezed.mjs"), url.replace("ws:", "http:") + "/", url],
                             capture_output=True, text=True, timeout=100)
    said = json.loads(got.stdout)
    assert (said["n"], said["changed"]) == (300, 0), got
    assert said["extensions"].startswith(AGREED)
