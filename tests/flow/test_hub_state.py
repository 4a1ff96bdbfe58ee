# SPDX-License-Identifier: MIT
"""Channels of states: the newest value of each key, whoever is late or slow."""
import asyncio
import json
import socket

from gateways import dial, gateway, reload, request
from hubs import TOKEN, config, envelopes, epoch, hear, join, leave, number, post, write_tokens

STATE = "hub: {kind: state, key: symbol, keys: 50}"


def value(symbol, price):
    return {"symbol": symbol, "price": price}


def test_who_comes_gets_the_newest_of_each_key_and_then_what_changes(tmp_path):
    async def play(g):
        a = await envelopes(g)
        assert a.welcome["kind"] == "state"
        for i in range(30):
            await a.say(publish=value("s%d" % (i % 3), i))
        await a.ask(publish=value(7, "a number is a key"))
        b, plain = await envelopes(g), await join(g)
        got = await b.all(4)
        assert [(m["type"], m["key"], number(m["id"])) for m in got] == [
            ("state", "s0", 28), ("state", "s1", 29), ("state", "s2", 30), ("state", "7", 31)]
        assert json.loads(got[2]["data"]) == value("s2", 29)
        assert await hear(plain, 4) == [m["data"] for m in got]
        await a.say(publish=value("s1", 99))
        m = await b.next()
        assert m["key"] == "s1" and number(m["id"]) == 32
        assert json.loads((await hear(plain, 1))[0]) == value("s1", 99)
        await leave(a, b, plain)

    with gateway(tmp_path, config(STATE)) as g:
        asyncio.run(play(g))


def test_a_key_is_taken_away_and_who_comes_back_learns_of_it(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for key in ("x", "y", "z"):
            last = (await a.ask(publish=value(key, 1)))["id"]
        await a.say(publish={"symbol": "y"})
        await a.ask(publish=value("z", None))
        late = await envelopes(g)
        assert (await late.next())["key"] == "x" and await late.is_silent()
        back = await envelopes(g, since=last)
        assert [(m["key"], m["data"]) for m in await back.all(2)] == [("y", None), ("z", None)]
        lost = await envelopes(g, since="abcdefgh-3")
        assert (await lost.next())["type"] == "gap"
        assert (await lost.next())["key"] == "x" and await lost.is_silent()
        await leave(a, late, back, lost)

    with gateway(tmp_path, config(STATE)) as g:
        asyncio.run(play(g))


def test_what_has_no_key_or_no_room_is_refused_and_the_rest_lives_on(tmp_path):
    async def play(g):
        a, b = [await envelopes(g) for _ in range(2)]
        for bad in ("x", {"price": 1}, {"symbol": None}, {"symbol": ""}, {"symbol": [1]},
                    {"symbol": "k" * 257, "v": 1}, ["symbol"], {"symbol": 1.5, "v": 1}):
            e = await a.ask(publish=bad)
            assert e["type"] == "error" and e["code"] == "key", bad
        await a.ws.send(b"\x00")
        assert (await a.hear())["code"] == "key"
        for i in range(50):
            assert (await a.ask(publish=value("s%d" % i, i)))["type"] == "ack"
        e = await a.ask(publish=value("one more", 1))
        assert e["code"] == "full" and e["cause"] == "server.limit"
        assert "hub.keys" in g.story(e["reference"])["note"]
        assert (await a.ask(publish=value("s3", "new")))["type"] == "ack"
        assert len(await b.all(51)) == 51
        plain = await join(g)
        await hear(plain, 50)
        await plain.send("no key")
        await asyncio.wait_for(plain.wait_closed(), 10)
        assert plain.close_code == 1008
        reference = plain.close_reason.split()[0]
        assert g.story(reference)["cause"] == "client.bad-handshake"
        await leave(a, b)

    with gateway(tmp_path, config(STATE)) as g:
        asyncio.run(play(g))


def test_a_slow_reader_gets_the_newest_of_each_key_and_no_backlog(tmp_path):
    pad = "p" * 16000

    async def play(g):
        a = await envelopes(g, max_queue=None)
        slow = dial(g.port)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.sendall(request(g.port, "/chat/lobby", "Sec-WebSocket-Protocol: sesame.v1"))
        await asyncio.sleep(0.2)
        for i in range(800):
            await a.say(publish={"symbol": "s%d" % (i % 40), "n": i, "pad": pad})
        last = await a.ask(publish={"symbol": "end", "n": 0})
        got = await asyncio.to_thread(read_until, slow, '\\"end\\"')
        newest = {}
        for m in got:
            newest[m["key"]] = json.loads(m["data"])["n"]
        numbers = [number(m["id"]) for m in got]
        assert numbers == sorted(numbers) and numbers[-1] == number(last["id"])
        assert all(newest["s%d" % k] == 760 + k for k in range(40))
        assert len(got) < 750, "it was sent a backlog"
        slow.close()
        await leave(a)

    with gateway(tmp_path, config(STATE)) as g:
        asyncio.run(play(g))


def read_until(s, word):
    """Frames of a server, until one has @word: envelopes, without the welcome."""
    s.settimeout(30)
    f = s.makefile("rb")
    while f.readline() not in (b"\r\n", b""):
        pass
    got = []
    while True:
        head = f.read(2)
        n = head[1] & 127
        if n == 126:
            n = int.from_bytes(f.read(2), "big")
        elif n == 127:
            n = int.from_bytes(f.read(8), "big")
        text = f.read(n).decode()
        if '"type":"state"' in text:
            got.append(json.loads(text))
        if word in text:
            return got


def test_a_state_is_published_and_read_by_http(tmp_path):
    from test_hub_http import get
    write_tokens(tmp_path)
    with gateway(tmp_path, config(STATE.replace("}", ", publish: {hashes_file: hashes}}"))) as g:
        for i in range(3):
            body = json.dumps([value("a", i), value("b", i)]).encode()
            assert post(g, body, "lobby?batch").status == 202
        page = json.loads(get(g, token=TOKEN).body)
        assert page["kind"] == "state"
        assert [(m["key"], number(m["id"])) for m in page["messages"]] == [("a", 5), ("b", 6)]
        assert post(g, b"no json").status == 400
        # the members come later, and the values are there
        async def play():
            a = await envelopes(g)
            assert [m["key"] for m in await a.all(2)] == ["a", "b"]
            await leave(a)
        asyncio.run(play())


def test_a_channel_stays_of_its_kind_when_the_route_becomes_another(tmp_path):
    async def play(g):
        a, b = await envelopes(g), await envelopes(g)
        await a.ask(publish=value("x", 1))
        assert (await b.next())["key"] == "x"
        await asyncio.to_thread(reload, g, config(), "reloaded")
        e = await a.ask(publish="a message")
        assert e["code"] == "unavailable"
        await leave(a, b)
        await asyncio.sleep(0.2)

    with gateway(tmp_path, config(STATE)) as g:
        asyncio.run(play(g))


def test_a_channel_of_messages_takes_values_as_messages(tmp_path):
    async def play(g):
        a, b = await envelopes(g), await envelopes(g)
        await asyncio.to_thread(reload, g, config(STATE), "reloaded")
        await a.ask(publish={"symbol": "x"})
        m = await b.next()
        assert m["type"] == "message" and m["data"] == '{"symbol": "x"}'
        await leave(a, b)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))
