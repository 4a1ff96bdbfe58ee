# SPDX-License-Identifier: MIT
"""Every envelope is as docs/sesame.v1.schema.json has it, and Node's `ws` reads
what Python's does."""
import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from gateways import gateway
from hubs import config, envelopes, join, leave
from nodes import ENV, needs_ws

SCHEMA = Path(__file__).resolve().parents[2] / "docs/sesame.v1.schema.json"
MORE = "hub: {presence: true, history: {messages: 3}, rates: {member: 9/minute}}"

# argv: url, what it says first. Prints each envelope, until one has the data "end".
CLIENT = r"""
const [url, first] = process.argv.slice(1), WebSocket = require('ws');
const ws = new WebSocket(url, ['sesame.v1']);
ws.on('open', () => { if (first) ws.send(first); });
ws.on('message', (data) => {
  console.log(data.toString());
  if (JSON.parse(data).data === 'end') ws.close(1000);
});
ws.on('close', (code) => { console.log(code, ws.protocol); });
"""


def test_what_is_sent_and_said_fits_the_schema(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    part = jsonschema.Draft202012Validator({"$ref": "#/$defs/fromServer", "$defs": schema["$defs"]})
    said = jsonschema.Draft202012Validator({"$ref": "#/$defs/fromClient", "$defs": schema["$defs"]})
    seen = {}

    def check(e):
        part.validate(e)
        seen.setdefault(e["type"], e)
        return e

    async def play(g):
        a, b = await envelopes(g), await envelopes(g)
        check(a.welcome)
        for demand in ({"publish": "x", "ref": 1}, {"publish_base64": "AAE=", "ref": 2},
                       {"publish": {"k": 1}, "ref": 3}, {"presence": "list", "limit": 1, "ref": 4},
                       {"presence": "count", "ref": 5}, {"resume": "x", "ref": 6},
                       *({"publish": "x", "ref": 10 + i} for i in range(9))):
            said.validate(demand)
            await a.say(**demand)
            while check(await a.hear()).get("ref") != demand["ref"]:
                pass
        for _ in range(8):
            check(await b.hear())
        if "presence" not in seen:
            check(await b.next("presence"))
        late = await envelopes(g, since=a.welcome["epoch"] + "-1")
        for _ in range(4):
            check(await late.hear())
        odd = await envelopes(g, since="made up".replace(" ", "%20"))
        check(await odd.hear())
        await leave(a, b, late, odd)

    with gateway(tmp_path, config(MORE)) as g:
        asyncio.run(play(g))
    assert set(seen) == {"welcome", "message", "gap", "presence", "members", "ack", "error"}
    for bad in ({}, {"publish": 1}, {"publish": "a", "presence": "count"}, {"presence": "all"}):
        assert not said.is_valid(bad)


@needs_ws
@pytest.mark.parametrize("since", ["since=%s-2", "since=later"])
def test_a_client_of_node_comes_back_to_where_it_was(tmp_path, since):
    async def play(g):
        a = await envelopes(g)
        for data in ("one", "two", "three"):
            last = (await a.ask(publish=data))["id"]
        first = json.dumps({"resume": last[:9] + "2"}) if since.endswith("later") else ""
        node = await asyncio.create_subprocess_exec(
            "node", "-e", CLIENT, "%s/chat/lobby?%s" % (g.url, since.replace("%s", last[:8])), first,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        welcome = json.loads(await asyncio.wait_for(node.stdout.readline(), 20))
        assert welcome["type"] == "welcome" and welcome["resumed"] is True
        await a.say(publish="end")
        out, err = await asyncio.wait_for(node.communicate(), 30)
        lines = out.decode().split("\n")
        assert [json.loads(line)["data"] for line in lines[:2]] == ["three", "end"], err
        assert lines[2] == "1000 sesame.v1"
        await leave(a)

    with gateway(tmp_path, config("hub: {history: {messages: 9}}")) as g:
        asyncio.run(play(g))


@pytest.mark.parametrize("more, offered, confirmed", [
    ("", "chat", None),
    ("", "sesame.v1x", None),
    ("allow: {subprotocols: [chat, sesame.v1]}", "chat", "chat"),
    ("allow: {subprotocols: [chat, sesame.v1]}", "sesame.v1", "sesame.v1"),
])
def test_a_hub_confirms_what_it_speaks_or_its_route_names(more, offered, confirmed, tmp_path):
    async def play(g):
        a = await join(g, subprotocols=[offered])
        assert a.subprotocol == confirmed
        await leave(a)

    with gateway(tmp_path, config(more)) as g:
        asyncio.run(play(g))


def test_who_offers_something_else_too_gets_envelopes_and_others_payloads(tmp_path):
    async def play(g):
        a = await join(g, subprotocols=["chat", "sesame.v1"])
        b = await join(g, subprotocols=["chat"])
        assert (a.subprotocol, b.subprotocol) == ("sesame.v1", None)
        assert json.loads(await a.recv())["type"] == "welcome"
        await a.send('{"publish":"hello"}')
        assert await b.recv() == "hello"
        await leave(a, b)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))
