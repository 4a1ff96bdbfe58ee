# SPDX-License-Identifier: MIT
"""Channels with members of Node's `ws`, beside one of Python and one that posts."""
import asyncio
import json
import subprocess

from gateways import gateway
from hubs import PUBLISH, config, hear, join, leave, post, write_tokens
from nodes import ENV, needs_ws

# argv: url, how many members, how many messages each hears, what each says.
# Prints what each heard, as JSON, once all have heard enough.
MEMBERS = r"""
const [url, n, each, ...says] = process.argv.slice(1), WebSocket = require('ws');
const all = [...Array(Number(n))].map((_, i) => new Promise((resolve, reject) => {
  const ws = new WebSocket(url, {perMessageDeflate: true}), heard = [];
  ws.on('error', reject);
  ws.on('open', () => { console.log('open', i, ws.extensions); });
  ws.on('message', (data, binary) => {
    heard.push(binary ? data.toString('hex') : data.toString());
    if (heard.length === 1 && says[i]) ws.send(says[i]);
    if (heard.length === Number(each)) { ws.close(1000); }
  });
  ws.on('close', (code) => resolve([code, heard]));
}));
Promise.all(all).then((heard) => console.log(JSON.stringify(heard)));
"""


@needs_ws
def test_members_of_node_and_python_hear_one_another_in_one_order(tmp_path):
    write_tokens(tmp_path)
    messages = ["grüße 🌍", "x" * 900, b"\x00\xff", "from a program"]

    async def play(g):
        publisher = await join(g, max_queue=None)
        node = await asyncio.create_subprocess_exec(
            "node", "-e", MEMBERS, g.url + "/chat/lobby", "3", "7", "first", "second", "third",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        opened = [(await asyncio.wait_for(node.stdout.readline(), 20)).split() for _ in range(3)]
        # a frame is shared by all members, so compression is not agreed on
        assert sorted(o[1] for o in opened) == [b"0", b"1", b"2"] and all(len(o) == 2 for o in opened)
        for message in messages[:3]:
            await publisher.send(message)
        answer = await asyncio.to_thread(post, g, messages[3].encode())
        assert json.loads(answer.body)["members"] == 4
        out, err = await asyncio.wait_for(node.communicate(), 30)
        assert node.returncode == 0, err.decode()
        heard = json.loads(out)
        said = await hear(publisher, 7)
        await leave(publisher)
        return heard, said

    with gateway(tmp_path, config(PUBLISH.replace("{publish", "{echo: true, publish"))) as g:
        heard, said = asyncio.run(play(g))
    said = [m.hex() if isinstance(m, bytes) else m for m in said]
    assert sorted(said) == sorted(["grüße 🌍", "x" * 900, "00ff", "from a program", "first", "second",
                                   "third"])
    assert said.index("grüße 🌍") < said.index("x" * 900) < said.index("00ff")
    assert heard == [[1000, said]] * 3
