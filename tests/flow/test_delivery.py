# SPDX-License-Identifier: MIT
"""What docs/delivery.md says of gateways on one Redis, row by row, as far as no
other play shows it."""
import asyncio
import json
import socket
import threading
import time

import pytest
from backplanes import CHANNELS, cluster, get, start, until
from cutter import Cutter
from gateways import Answer, request, send
from hubs import TOKEN, envelopes, epoch, hear, join, leave, number, post
from redis_server import HERE, redis_server

pytestmark = pytest.mark.skipif(not HERE, reason="needs redis-server")
KEEPS = ("appendonly yes", "appendfsync always")


def play(tmp_path, acts, more=CHANNELS, options=()):
    with cluster(tmp_path, more=more, options=options) as (redis, a, b):
        asyncio.run(acts(redis, a, b))


async def later(function, *args):
    return await asyncio.to_thread(until, function, *args)


def log_of(g):
    return (g.folder / "err").read_text()


async def accepted(member, text):
    """The answer, once it is taken; refusals say what they are."""
    while (answer := await member.ask(publish=text))["type"] != "ack":
        assert answer["code"] == "unavailable", answer
        await asyncio.sleep(0.05)
    return answer


async def timed(member, what):
    begun = time.monotonic()
    answer = await member.ask(publish=what)
    return answer.get("code", answer["type"]), time.monotonic() - begun


async def restart(redis, *gateways):
    redis.kill()
    for g in gateways:
        await later(lambda: "is away" in log_of(g))
    await asyncio.to_thread(redis.start)
    for g in gateways:
        await later(lambda: "is there again" in log_of(g))


def test_redis_that_comes_back_with_what_it_had_goes_on_from_there(tmp_path):
    async def acts(redis, a, b):
        x, y, z = await envelopes(a), await envelopes(b), await envelopes(a)
        first, *rest = [await x.ask(publish=str(i)) for i in range(3)]
        for member in (y, z):
            assert [(await member.next("message"))["data"] for _ in range(3)] == ["0", "1", "2"]
        await leave(y)
        await restart(redis, a, b)
        said = await accepted(x, "3")
        assert epoch(said["id"]) != epoch(first["id"])
        gap = await z.next()  # it has all that was kept: nothing comes twice
        assert (gap["type"], gap["missing"]) == ("gap", None)
        assert (await z.next())["id"] == said["id"] and await z.is_silent()
        back = await envelopes(b, since=first["id"])
        told = [await back.next() for _ in range(4)]
        assert [e["type"] for e in told] == ["gap"] + 3 * ["message"]
        assert told[0]["missing"] is None and [e["data"] for e in told[1:]] == ["1", "2", "3"]
        assert await back.is_silent()
        await leave(x, z, back)

    play(tmp_path, acts, options=KEEPS)


def test_states_begin_anew_when_redis_comes_back_with_nothing(tmp_path):
    async def acts(redis, a, b):
        x, y = await envelopes(a), await envelopes(b)
        for key in ("old", "kept"):
            await x.ask(publish={"key": key, "n": 1})
            assert (await y.next("state"))["key"] == key
        await restart(redis, a, b)
        said = await accepted(x, {"key": "kept", "n": 2})
        gap = await y.next()
        assert (gap["type"], gap["missing"]) == ("gap", None)
        assert (await y.next("state"))["id"] == said["id"] and await y.is_silent()
        for g in (a, b):
            late = await envelopes(g)
            value = await late.next("state")
            assert (value["key"], json.loads(value["data"])["n"]) == ("kept", 2)
            assert await late.is_silent()
            await leave(late)
        await leave(x, y)

    play(tmp_path, acts, "hub: {kind: state}")


def test_while_redis_is_silent_what_waits_has_five_seconds_and_nobody_a_gap(tmp_path):
    async def acts(redis, a, b):
        x, y, z = await envelopes(a), await envelopes(a), await envelopes(b)
        before = await x.ask(publish="before")
        redis.pause()
        waits = asyncio.create_task(timed(x, "waits"))
        await later(lambda: "is away" in log_of(a))
        at_once = await timed(y, "too late")
        assert at_once[0] == "unavailable" and at_once[1] < 1
        code, took = await waits
        assert code == "unknown" and 4.5 < took < 7
        redis.resume()
        after = await accepted(y, "after")
        assert epoch(after["id"]) == epoch(before["id"])
        heard = []
        while "after" not in heard:
            e = await z.next()
            assert e["type"] == "message"
            heard.append(e["data"])
        assert heard[0] == "before" and "too late" not in heard
        assert number(after["id"]) == len(heard)
        # Shorter than that it is only slow.
        redis.pause()
        waits = asyncio.create_task(timed(x, "slow"))
        await asyncio.sleep(1.5)
        redis.resume()
        code, took = await waits
        assert code == "ack" and took > 1
        assert (await z.next())["data"] == "slow"
        await leave(x, y, z)

    play(tmp_path, acts)


async def joined(g):
    return await join(g)


def test_a_plain_client_is_let_in_when_it_will_hear_all_that_is_said(tmp_path):
    async def acts(redis, a, b):
        redis.pause()
        coming = asyncio.create_task(joined(b))
        await asyncio.sleep(1)
        assert not coming.done()
        redis.resume()
        y = await coming
        assert (await asyncio.to_thread(post, a)).status == 202
        assert await hear(y, 1) == ["hello"]
        redis.pause()
        answer = Answer(await asyncio.to_thread(send, b.port, request(b.port, "/chat/another"), 20))
        assert answer.status == 503 and "Cause: server.backend-down" in answer.text
        assert "The channel is not available" in answer.text
        redis.resume()
        await leave(y)

    play(tmp_path, acts)


def cut_off(tmp_path, history, said):
    """What a member hears of one gateway that was parted from Redis."""
    heard = []

    async def acts(way, a, b):
        x, y = await envelopes(a), await envelopes(b)
        await y.ask(publish="before")
        assert (await x.next())["data"] == "before"
        way.deaf = True
        way.cut()
        await later(lambda: "is away" in log_of(a))
        code, took = await timed(x, "refused")
        assert code == "unavailable" and took < 1
        for i in range(said):
            await y.ask(publish=str(i))
        assert await x.is_silent()
        way.deaf = False
        while not heard or heard[-1].get("data") != str(said - 1):
            heard.append(await x.next())
        await accepted(x, "again")
        assert [(await y.next())["data"]] == ["again"]
        await leave(x, y)

    more = CHANNELS.replace("messages: 100", "messages: %d" % history)
    with redis_server(tmp_path) as redis, Cutter(redis.port) as way:
        port, redis.port = redis.port, way.port
        with start(tmp_path, "a", redis, more) as a:
            redis.port = port
            with start(tmp_path, "b", redis, more) as b:
                for g in (a, b):
                    until(lambda: "is there" in log_of(g))
                asyncio.run(acts(way, a, b))
    return heard


def test_who_is_at_a_gateway_that_was_cut_off_gets_what_it_missed(tmp_path):
    heard = cut_off(tmp_path, history=100, said=20)
    assert [e.get("data") for e in heard] == [str(i) for i in range(20)]


def test_and_a_gap_with_its_number_where_history_does_not_hold_it(tmp_path):
    heard = cut_off(tmp_path, history=5, said=20)
    assert heard[0]["type"] == "gap"
    told = [e["data"] for e in heard[1:]]
    assert told == [str(i) for i in range(20 - len(told), 20)] and len(told) >= 5
    assert heard[0]["missing"] == 20 - len(told)


def send_long(g, body):
    with socket.create_connection(("127.0.0.1", g.port), 20) as s:
        s.sendall(b"POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (TOKEN.encode(), len(body), body))
        while data := s.recv(65536):
            yield data


def heap_up(g, redis):
    """What 80 MiB of POSTs are answered that wait for Redis, until one is refused
    or Redis would seem to be gone."""
    answers = []

    def publish():
        answers.append(Answer(b"".join(send_long(g, b"x" * (4 << 20)))))

    redis.pause()
    asking = [threading.Thread(target=publish) for _ in range(20)]
    for t in asking:
        t.start()
    end = time.time() + 2
    while not answers and time.time() < end:
        time.sleep(0.02)
    redis.resume()
    for t in asking:
        t.join()
    return answers


def test_what_waits_for_redis_has_a_bound(tmp_path):
    more = "hub: {queue: 8MiB, publish: {hashes_file: hashes}}\nlimits: {message: 4MiB}"
    with cluster(tmp_path, "a", more) as (redis, a):
        a.held.allow(64 << 10)
        assert post(a).status == 202
        for _ in range(5):  # it may take longer than Redis may be silent
            answers = heap_up(a, redis)
            refused = [answer for answer in answers if answer.status == 503]
            if refused:
                break
        assert 1 <= len(refused) <= 5 and len(answers) == 20
        for answer in refused:
            assert a.story(answer.reference)["cause"] == "server.limit"
        assert all(answer.status == 202 for answer in answers if answer not in refused)
        until(lambda: post(a).status == 202)


def test_where_redis_is_full_members_keep_and_read_what_there_is(tmp_path):
    async def acts(redis, a, b):
        x = await envelopes(a)
        first = await x.ask(publish="kept")
        redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        assert (await timed(x, "no room"))[0] == "storage"
        assert (await asyncio.to_thread(post, a)).status == 503
        y = await envelopes(b, since=first["id"].split("-")[0] + "-0")
        assert (await y.next())["data"] == "kept"
        for g in (a, b):
            status, held = await asyncio.to_thread(get, g)
            assert status == 200 and [m["data"] for m in held["messages"]] == ["kept"]
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        said = await accepted(x, "room")
        assert (await y.next())["id"] == said["id"] and number(said["id"]) == 2
        await leave(x, y)

    play(tmp_path, acts)


def test_connections_that_redis_closes_are_made_anew_and_nothing_is_missing(tmp_path):
    async def acts(redis, a, b):
        x, y = await envelopes(a), await envelopes(b)
        said, refused = [], set()
        for words in (("CLIENT", "KILL", "TYPE", "normal"), ("CLIENT", "KILL", "TYPE", "pubsub"),
                      ("SCRIPT", "FLUSH")):
            redis.ask(*words)
            begun, n = time.monotonic(), len(said)
            while len(said) < n + 5:
                answer = await x.ask(publish="x")
                if answer["type"] == "ack":
                    said.append(answer["id"])
                else:
                    refused.add(answer["code"])
                    await asyncio.sleep(0.02)
            assert time.monotonic() - begun < 5
        assert refused <= {"unavailable"}
        assert [number(id) for id in said] == list(range(1, 16))
        assert [(await y.next())["id"] for _ in said] == said and await y.is_silent()
        await leave(x, y)

    play(tmp_path, acts)


def test_a_gateway_that_is_stopped_takes_its_people_along_at_once(tmp_path):
    async def acts(redis, a, b):
        x, y = await envelopes(a), await envelopes(b)
        while (await x.ask(presence="count"))["count"] < 2:
            await asyncio.sleep(0.05)
        begun = time.monotonic()
        ended = asyncio.create_task(asyncio.to_thread(b.end))
        while (await x.ask(presence="count"))["count"] > 1:
            assert time.monotonic() < begun + 8
            await asyncio.sleep(0.05)
        await leave(y, x)
        assert await ended == 0

    with cluster(tmp_path, "a") as (redis, a):
        b = start(tmp_path, "b", redis)
        g = b.__enter__()
        until(lambda: "is there" in log_of(g))
        asyncio.run(acts(redis, a, g))
        b.__exit__(None, None, None)


def test_a_client_goes_from_gateway_to_gateway_with_its_last_id(tmp_path):
    async def acts(redis, *gateways):
        x = await envelopes(gateways[0])
        last, heard = x.welcome["id"], []
        for i in range(30):
            for k in range(3):
                await x.ask(publish="%d" % (3 * i + k))
            y = await envelopes(gateways[i % 3], since=last)
            assert y.welcome["resumed"]
            for _ in range(2 if i < 29 else 33):  # it always lags behind
                e = await y.next()
                assert e["type"] == "message"
                heard.append(e["data"])
                last = e["id"]
                if len(heard) == 90:
                    break
            await leave(y)
        assert heard == [str(n) for n in range(90)]
        await leave(x)

    with cluster(tmp_path, "abc") as (redis, *gateways):
        asyncio.run(acts(redis, *gateways))
