# SPDX-License-Identifier: MIT
"""Who reads slowly, who sends too much, and what is bounded."""
import asyncio
import json
import socket

import pytest
from gateways import ask, dial, gateway, opens, request
from hubs import ALONE, TOKEN, config, envelopes, hear, join, leave, number, post, write_tokens
from websockets.exceptions import ConnectionClosed

PAD = "p" * 16000


def frames(s, seconds=30):
    """(opcode, payload) of a server's frames, after its answer."""
    s.settimeout(seconds)
    f = s.makefile("rb")
    while f.readline() not in (b"\r\n", b""):
        pass
    while True:
        head = f.read(2)
        if len(head) < 2:
            return
        n = head[1] & 127
        if n > 125:
            n = int.from_bytes(f.read(2 if n == 126 else 8), "big")
        yield head[0] & 15, f.read(n)


def sleepy(g, *fields):
    s = dial(g.port)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    s.sendall(request(g.port, "/chat/lobby", *fields))
    return s


async def flood(g, n=600, reader=None):
    a = await envelopes(g)
    for i in range(n):
        await a.say(publish=PAD + str(i))
        if i % 4 == 0:
            await asyncio.sleep(0.002)  # so that who reads at all keeps up
        while reader and i - len(reader.ws.messages) > 8:
            await asyncio.sleep(0.002)
    end = await a.ask(publish="end")
    await leave(a)
    return end["id"]


def read_to_the_end(s):
    got = []
    for opcode, payload in frames(s):
        if opcode != 1:
            continue
        e = json.loads(payload)
        got.append(e)
        if e.get("data") == "end":
            return got


def test_a_slow_reader_loses_the_oldest_and_is_told_how_many(tmp_path):
    async def play(g):
        s = sleepy(g, "Sec-WebSocket-Protocol: sesame.v1")
        await asyncio.sleep(0.2)
        end = await flood(g)
        got = await asyncio.to_thread(read_to_the_end, s)
        assert got[0]["type"] == "welcome"
        expected, lost = 1, 0
        for e in got[1:]:
            if e["type"] == "gap":
                assert number(e["from"]) == expected
                assert e["missing"] == number(e["to"]) - number(e["from"]) + 1
                lost += e["missing"]
                expected = number(e["to"]) + 1
            else:
                assert number(e["id"]) == expected
                expected += 1
        assert expected == number(end) + 1 and lost > 20
        # what waited for it is the newest part: about hub.queue of it
        assert sum(e["type"] == "gap" for e in got[-25:]) == 0
        s.close()

    with gateway(tmp_path, config("hub: {queue: 512KiB}")) as g:
        asyncio.run(play(g))


def test_what_history_holds_is_lost_to_no_slow_reader(tmp_path):
    async def play(g):
        s = sleepy(g, "Sec-WebSocket-Protocol: sesame.v1")
        await asyncio.sleep(0.2)
        end = await flood(g, 600)
        got = await asyncio.to_thread(read_to_the_end, s)
        assert [number(e["id"]) for e in got[1:]] == list(range(1, number(end) + 1))
        s.close()
        g.held.allow(24 << 10)  # the history, and its envelopes

    with gateway(tmp_path, config("hub: {history: {messages: 10000, bytes: 64MiB}}")) as g:
        asyncio.run(play(g))


@pytest.mark.parametrize("protocol", [["Sec-WebSocket-Protocol: sesame.v1"], []])
def test_who_is_too_slow_is_closed_with_a_reference_where_the_route_says_so(tmp_path, protocol):
    async def play(g):
        s = sleepy(g, *protocol)
        other = await envelopes(g, max_queue=None)
        await asyncio.sleep(0.2)
        await flood(g, reader=other)
        story = next(s for s in g.last() if s["status"] == 1013)
        assert story["cause"] == "server.limit" and "hub.queue" in story["note"]
        got = await other.all(601)
        assert [number(m["id"]) for m in got] == list(range(1, 602))
        s.close()
        await leave(other)

    with gateway(tmp_path, config("hub: {queue: 2MiB, slow: close}")) as g:
        asyncio.run(play(g))


def test_a_member_has_a_rate_and_others_are_not_held_up(tmp_path):
    async def play(g):
        a, b, plain = await envelopes(g), await envelopes(g), await join(g)
        answers = [await a.ask(publish=str(i)) for i in range(25)]
        assert [x["type"] for x in answers] == ["ack"] * 20 + ["error"] * 5
        assert answers[20]["code"] == "rate" and answers[20]["cause"] == "access.rate"
        story = g.story(answers[20]["reference"])
        assert story["status"] == 429 and story["rule"] == "member: 20/minute"
        assert (await b.ask(publish="b"))["type"] == "ack"
        for i in range(21):
            await plain.send(str(i))
        await asyncio.wait_for(plain.wait_closed(), 10)
        assert plain.close_code == 1008
        assert g.story(plain.close_reason.split()[0])["rule"] == "member: 20/minute"
        assert len(await b.all(20)) == 20  # those of a came before the answer
        await leave(a, b)

    with gateway(tmp_path, config("hub: {rates: {member: 20/minute}}")) as g:
        asyncio.run(play(g))


def test_a_channel_has_a_rate_and_nobody_is_closed_for_it_who_can_be_told(tmp_path):
    async def play(g):
        a, b = await envelopes(g), await envelopes(g)
        for i in range(5):
            assert (await a.ask(publish="a"))["type"] == "ack"
            assert (await b.ask(publish="b"))["type"] == "ack"
        e = await b.ask(publish="one more")
        assert e["code"] == "rate" and g.story(e["reference"])["rule"] == "channel: 10/minute"
        other = await envelopes(g, "other")
        assert (await other.ask(publish="x"))["type"] == "ack"
        await leave(a, b, other)

    with gateway(tmp_path, config("hub: {rates: {channel: 10/minute}}")) as g:
        asyncio.run(play(g))


@ALONE
def test_many_names_give_up_the_oldest_that_nobody_is_in(tmp_path):
    write_tokens(tmp_path)
    more = "hub: {channels: 20, history: {messages: 10}, publish: {hashes_file: hashes}}"

    async def play(g):
        a = await envelopes(g, "kept")
        first = (await a.ask(publish="x"))["id"]
        for i in range(60):
            assert (await asyncio.to_thread(post, g, b"x", "name-%d" % i)).status == 202
        await a.ask(publish="y")
        b = await envelopes(g, "kept", since=first)
        assert (await b.next())["data"] == "y"
        back = await envelopes(g, "name-59", since="abcdefgh-1")
        assert (await back.all(2))[1]["data"] == "x"
        old = await envelopes(g, "name-1", since="abcdefgh-1")
        assert (await old.next())["missing"] is None and await old.is_silent()
        rest = [await envelopes(g, "m%d" % i) for i in range(17)]
        assert not opens(g.port, "/chat/too-many")
        assert ask(g.port, "/chat/too-many").status == 503
        await leave(a, b, back, old, *rest)

    with gateway(tmp_path, config(more)) as g:
        asyncio.run(play(g))


def test_who_asks_and_does_not_read_is_not_heard(tmp_path):
    async def play(g):
        s = sleepy(g, "Sec-WebSocket-Protocol: sesame.v1")
        text = b'{"presence":"list"}'
        frame = b"\x81" + bytes([0x80 | len(text)]) + b"\0\0\0\0" + text
        s.setblocking(False)
        sent = 0
        for _ in range(300):
            try:
                sent += s.send(frame * 2000)
            except BlockingIOError:
                await asyncio.sleep(0.01)
        a = await envelopes(g)
        assert (await a.ask(publish="others are served"))["type"] == "ack"
        assert sent < 30 << 20
        s.close()
        await leave(a)

    with gateway(tmp_path, config("hub: {presence: true}")) as g:
        asyncio.run(play(g))


def test_who_goes_on_with_errors_is_closed_and_does_not_fill_the_log(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for _ in range(300):
            await a.ws.send("{}")
        seen = []
        with pytest.raises(ConnectionClosed) as end:
            while True:
                seen.append((await a.next("error"))["reference"])
        return seen, end.value.rcvd

    with gateway(tmp_path, "log: {file: log}\n" + config()) as g:
        seen, end = asyncio.run(play(g))
        assert 100 <= len(seen) <= 130 and 1 <= len(set(seen)) <= 40
        assert end.code == 1008 and end.reason.endswith("too many errors")
        for reference in (seen[-1], end.reason.split()[0]):
            assert g.story(reference)["cause"] == "client.bad-handshake"
        g.stop()
        assert len((tmp_path / "log").read_text().splitlines()) < 45
