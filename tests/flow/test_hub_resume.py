# SPDX-License-Identifier: MIT
"""sesame.v1: envelopes, and coming back: nothing twice, nothing missing, or an
explicit gap."""
import asyncio
import base64
import json
import re

import pytest
from gateways import gateway, reload
from hubs import ALONE, config, envelopes, epoch, hear, join, leave, number

HISTORY = "hub: {history: {messages: %d}}"


def test_envelopes_and_payloads_meet_in_one_channel(tmp_path):
    async def play(g):
        a, b = [await envelopes(g) for _ in range(2)]
        plain = await join(g)
        assert a.welcome["channel"] == "lobby" and a.welcome["kind"] == "messages"
        assert re.fullmatch("anonymous-(.*-)?1", a.welcome["you"]) and a.welcome["resumed"] is False
        assert number(a.welcome["id"]) == 0 and epoch(a.welcome["id"]) == a.welcome["epoch"]
        ack = await a.ask(publish='say "hi"\n\u00fc')
        assert ack == {"type": "ack", "ref": 77, "id": a.welcome["epoch"] + "-1"}
        m = await b.next()
        assert m["data"] == 'say "hi"\n\u00fc' and m["id"] == ack["id"] and "from" not in m
        assert await hear(plain, 1) == ['say "hi"\n\u00fc']
        await a.ws.send(b"\x00\xff")
        assert base64.b64decode((await b.next())["base64"]) == b"\x00\xff"
        await a.say(publish_base64="AAE=")
        assert base64.b64decode((await b.next())["base64"]) == b"\x00\x01"
        await a.say(publish={"x": 0.1, "y": [1, "\u00e9"]})
        assert (await b.next())["data"] == '{"x": 0.1, "y": [1, "\\u00e9"]}'
        assert await hear(plain, 3) == [b"\x00\xff", b"\x00\x01", '{"x": 0.1, "y": [1, "\\u00e9"]}']
        await plain.send("\u0000\u001f\u007f")
        assert (await b.next())["data"] == "\u0000\u001f\u007f"
        assert number((await a.next())["id"]) == 5  # none of its own
        await leave(a, b, plain)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_who_comes_back_gets_what_it_missed_and_then_what_is_new(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for i in range(20):
            await a.say(publish="m%d" % i)
        ids = a.welcome["epoch"] + "-%d"
        assert (await a.ask(publish="last"))["id"] == ids % 21
        b = await envelopes(g, since=ids % 7)
        assert b.welcome["resumed"] is True
        got = await b.all(14)
        await a.say(publish="new")
        got.append(await b.next())
        assert [number(m["id"]) for m in got] == list(range(8, 23))
        assert got[-1]["data"] == "new" and got[0]["data"] == "m7"
        assert await b.is_silent()
        for since in (ids % 22, ""):  # up to date; none at all
            c = await envelopes(g, since=since)
            assert await c.is_silent()
            await leave(c)
        await leave(a, b)

    with gateway(tmp_path, config(HISTORY % 100)) as g:
        asyncio.run(play(g))


def test_the_first_message_may_say_where_to_begin(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for i in range(5):
            await a.say(publish="m%d" % i)
        last = (await a.ask(publish="m5"))["id"]
        b = await envelopes(g, since="later")
        await a.say(publish="while it waits")
        await asyncio.sleep(0.1)
        await b.say(resume=epoch(last) + "-3")
        b.welcome = await b.hear()
        assert b.welcome["type"] == "welcome" and b.welcome["resumed"] is True
        assert [number(m["id"]) for m in await b.all(4)] == [4, 5, 6, 7]
        assert (await b.ask(resume=last))["code"] == "late"
        c = await envelopes(g, since="later")
        await a.say(publish="held back")
        assert await c.is_silent()
        await c.say(publish="no resume")
        assert (await c.hear())["type"] == "welcome"
        assert (await c.next())["data"] == "held back"
        assert [m["data"] for m in await b.all(2)] == ["held back", "no resume"]
        await leave(a, b, c)

    with gateway(tmp_path, config(HISTORY % 100)) as g:
        asyncio.run(play(g))


def test_what_history_holds_no_more_is_told_by_a_gap_with_its_number(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for i in range(30):
            await a.say(publish="m%d" % i)
        ids = epoch((await a.ask(publish="end"))["id"]) + "-%d"
        b = await envelopes(g, since=ids % 4)
        assert b.welcome["resumed"] is True
        assert await b.hear() == {"type": "gap", "from": ids % 5, "to": ids % 21, "missing": 17}
        assert [number(m["id"]) for m in await b.all(10)] == list(range(22, 32))
        await leave(a, b)

    with gateway(tmp_path, config(HISTORY % 10)) as g:
        asyncio.run(play(g))


@pytest.mark.parametrize("since,all_of_it", [
    ("abcdefgh-1", True), ("%s-9223372036854775807", False), ("%s-04", True), ("%s-", True),
    ("%s-99999999999999999999", False), ("junk", True), ("%s-5%%00", True), ("%ff%0a", True),
    ("x" * 4000, True), ("-1", True), ("%s-6", False)])
def test_ids_that_nobody_gave_out_are_told_by_a_gap(tmp_path, since, all_of_it):
    async def play(g):
        a = await envelopes(g)
        for i in range(5):
            await a.ask(publish="m%d" % i)
        b = await envelopes(g, since=since % a.welcome["epoch"] if "%s" in since else since)
        assert b.welcome["resumed"] is False
        assert await b.hear() == {"type": "gap", "from": None, "to": None, "missing": None}
        if all_of_it:
            assert [number(m["id"]) for m in await b.all(5)] == [1, 2, 3, 4, 5]
        await a.say(publish="new")
        assert (await b.next())["data"] == "new"
        await leave(a, b)

    with gateway(tmp_path, config(HISTORY % 10)) as g:
        asyncio.run(play(g))


@ALONE
def test_an_id_of_another_channel_or_of_an_earlier_life_is_an_unknown_gap(tmp_path):
    async def play(g):
        a, other = await envelopes(g), await envelopes(g, "other")
        elsewhere = (await other.ask(publish="x"))["id"]
        before = (await a.ask(publish="y"))["id"]
        b = await envelopes(g, since=elsewhere)
        assert (await b.hear())["missing"] is None
        await leave(a, b)
        await asyncio.sleep(0.2)
        c = await envelopes(g, since=before)  # it ended with its last member
        assert epoch(c.welcome["id"]) != epoch(before)
        assert (await c.hear())["missing"] is None
        await leave(c, other)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_history_outlives_the_last_member_until_it_is_too_old(tmp_path):
    async def play(g):
        a = await envelopes(g)
        first = (await a.ask(publish="one"))["id"]
        await a.ask(publish="two")
        await leave(a)
        b = await envelopes(g, since=first)
        assert (await b.hear())["data"] == "two"
        await leave(b)
        await asyncio.sleep(1.2)
        c = await envelopes(g, since=first)
        assert (await c.hear())["type"] == "gap"
        await leave(c)

    with gateway(tmp_path, config("hub: {history: {age: 1s}}")) as g:
        asyncio.run(play(g))


def test_a_client_that_breaks_off_again_and_again_gets_each_message_once(tmp_path):
    async def publish(g, n):
        a = await envelopes(g)
        for i in range(n):
            await a.say(publish=str(i))
            if i % 20 == 0:
                await asyncio.sleep(0.002)
        assert number((await a.ask(publish="end"))["id"]) == n + 1
        await leave(a)

    async def listen(g, first, hurry):
        got, last = [], first
        while not got or got[-1]["data"] != "end":
            m = await envelopes(g, since=last)
            assert m.welcome["resumed"]
            for _ in range(hurry):
                e = await m.next()
                assert e["type"] == "message"
                got.append(e)
                last = e["id"]
                if e["data"] == "end":
                    break
            m.ws.transport.abort()
        return got

    async def play(g):
        keeper = await envelopes(g)
        first = keeper.welcome["id"]
        n = 1500
        listeners = [asyncio.ensure_future(listen(g, first, 10 + 40 * k)) for k in range(6)]
        await publish(g, n)
        for got in await asyncio.gather(*listeners):
            assert [number(m["id"]) for m in got] == list(range(1, n + 2))
            assert [m["data"] for m in got[:-1]] == [str(i) for i in range(n)]
        keeper.ws.transport.abort()

    with gateway(tmp_path, config("hub: {history: {messages: 5000}}\n")) as g:
        asyncio.run(play(g))


def test_what_is_no_envelope_is_answered_and_changes_nothing(tmp_path):
    bad = ["", "x", "[]", "1", "{}", '{"publish":1}', '{"publish":"a","resume":"b"}',
           '{"publish":null}', '{"presence":"x"}', '{"publish_base64":"?"}', '{"ref":-1,"publish":"a"}',
           '{"publish":"a","publish":"b"}', '{"ref":1.5,"publish":"a"}', '{"resume":3}',
           "[" * 5000, '{"publish":"%s' % ("a" * 5000)]

    async def play(g):
        a, b = [await envelopes(g) for _ in range(2)]
        for text in bad:
            await a.ws.send(text)
            e = await a.hear()
            assert e["type"] == "error" and e["code"] == "bad", (text, e)
            assert e["cause"] == "client.bad-handshake" and e["reference"]
        assert g.story(e["reference"])["status"] == 400
        await a.say(publish="still there")
        assert (await b.hear())["data"] == "still there"
        e = await a.ask(presence="list")
        assert e["code"] == "permission" and e["cause"] == "access.permission"
        await leave(a, b)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_channels_and_their_ids_outlive_a_reload(tmp_path):
    async def play(g):
        a = await envelopes(g)
        first = (await a.ask(publish="one"))["id"]
        await a.ask(publish="two")
        await asyncio.to_thread(reload, g, config(HISTORY % 50), "reloaded")
        await a.ask(publish="three")
        b = await envelopes(g, since=first)
        assert [m["data"] for m in await b.all(2)] == ["two", "three"]
        await leave(a, b)

    with gateway(tmp_path, config(HISTORY % 100)) as g:
        asyncio.run(play(g))


def test_a_plain_client_gets_what_it_missed_too(tmp_path):
    async def play(g):
        a = await envelopes(g)
        for i in range(5):
            await a.ask(publish="m%d" % i)
        b = await join(g, "lobby?since=%s-3" % a.welcome["epoch"])
        c = await join(g, "lobby?since=made-up")
        await a.ask(publish="new")
        assert await hear(b, 3) == ["m3", "m4", "new"]
        assert await hear(c, 6) == ["m0", "m1", "m2", "m3", "m4", "new"]
        await leave(a, b, c)

    with gateway(tmp_path, config(HISTORY % 10)) as g:
        asyncio.run(play(g))
