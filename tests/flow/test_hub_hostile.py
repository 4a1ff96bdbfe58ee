# SPDX-License-Identifier: MIT
"""Who means harm to channels: bounded, answered with a cause and a reference, and
nothing is lost for the others. Ids that nobody gave out are in test_hub_resume.py,
slow readers in test_hub_slow.py."""
import asyncio
import json
import time

import gateways
import pytest
from backplanes import page
from crowds import ENVELOPES, Memory, Threads, masked
from gateways import ask, dial, gateway, request
from hubs import config, envelopes, epoch, leave, number, post, write_tokens

MIB = 1 << 20
KEEPS = "hub: {history: {messages: 100}, publish: {hashes_file: hashes}}"


async def honest(g, n, pause_s=0.004):
    """Two members of a channel of their own: one says so much, the other hears it all."""
    a, b = await envelopes(g, "honest"), await envelopes(g, "honest")
    for i in range(n):
        await a.say(publish=str(i))
        await asyncio.sleep(pause_s)
    got = await b.all(n)
    assert [m["data"] for m in got] == [str(i) for i in range(n)]
    assert [number(m["id"]) for m in got] == list(range(1, n + 1))
    await leave(a, b)


def member(g, path, *fields):
    s = dial(g.port)
    s.sendall(request(g.port, path, *fields))
    head = b""
    while b"\r\n\r\n" not in head:
        head += s.recv(1)
    assert b" 101 " in head.split(b"\r\n")[0], head
    return s


@pytest.mark.parametrize("environment", [{}, gateways.GIVES_BACK], ids=["as it is", "gives back"])
def test_a_flood_of_messages_costs_the_others_nothing(tmp_path, monkeypatch, environment):
    """Three who send what they can to two who never read; and what that took goes back."""
    monkeypatch.setattr(gateways, "GIVES_BACK", environment)
    frames = masked(b"x" * 1000, 2) * 50
    with gateway(tmp_path, config()) as g:
        deaf = [member(g, "/chat/flood", ENVELOPES), member(g, "/chat/flood")]
        loud = [member(g, "/chat/flood") for _ in range(3)]

        def drain(s):
            s.setblocking(False)
            try:
                while s.recv(1 << 16):
                    pass
            except BlockingIOError:
                pass
            s.settimeout(10)

        def flood(s):
            drain(s)
            s.sendall(frames)

        memory = Memory(g)
        with Threads(*[lambda s=s: flood(s) for s in loud]):
            asyncio.run(honest(g, 150))
        # publishers wait from 16 MiB on; what the deaf may have is in hub.queue
        assert memory.most() < 40 * MIB
        for s in deaf + loud:
            s.close()


def test_very_many_names_cost_no_more_than_the_route_allows(tmp_path):
    write_tokens(tmp_path)
    more = KEEPS.replace("hub: {", "hub: {channels: 200, ")
    with gateway(tmp_path, config(more)) as g:
        memory, names = Memory(g), iter(range(10 ** 6))

        def name():
            answer = post(g, b"x", "name-%d" % next(names))
            assert answer.status == 202, answer.text

        with Threads(name):
            asyncio.run(honest(g, 150))
        assert next(names) > 200
        assert memory.grown() < 8 * MIB


NAMES = [("a%00b", 400, "url.path"), ("a%0d%0ab", 400, "url.path"), ("a%7f", 400, "url.path"),
         ("a%c2%85", 400, "url.path"), ("%ff%fe", 400, "url.path"),
         ("n" * 129, 400, "url.path"), ("n" * 8000, 400, "url.path"),
         ("n" * 10240, 414, "client.headers-too-large")]


def test_names_that_are_none_are_refused_by_each_way(tmp_path):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(KEEPS)) as g:
        for name, status, cause in NAMES:
            answer = post(g, b"x", name)
            assert answer.status == status and answer.reference, (name[:20], answer.status)
            answer = ask(g.port, "/chat/" + name)
            story = g.story(answer.reference)
            assert answer.status == story["status"] == status
            assert story["cause"] == cause, name[:20]


async def beside(g, threads):
    """The honest, and one who is told who comes and goes."""
    watcher, begin = await envelopes(g, "honest", max_queue=None), time.time()
    await honest(g, 100)
    threads.over.set()
    n, count = 0, None
    end = time.time()
    while count != 1:
        e = await watcher.next("presence", seconds=10)
        n, count = n + 1, e["count"]
    assert n <= (time.time() - begin) * 10 + 2 and end > begin
    await leave(watcher)


def test_who_comes_and_goes_all_the_time_costs_the_others_nothing(tmp_path):
    n = [0, 0, 0]
    with gateway(tmp_path, config("hub: {presence: true}")) as g:
        def flutter(i):
            s = dial(g.port)
            s.sendall(request(g.port, "/chat/honest", ENVELOPES) +
                      masked(b'{"presence":"count","ref":1}'))
            s.close()
            n[i] += 1

        memory = Memory(g)
        with Threads(*[lambda i=i: flutter(i) for i in range(3)]) as t:
            asyncio.run(asyncio.wait_for(beside(g, t), 60))
        assert sum(n) > 100
        assert memory.grown() < 8 * MIB


def test_a_giant_history_takes_what_the_route_lets_it_take(tmp_path):
    write_tokens(tmp_path)
    more = ("hub: {history: {messages: 1000000, bytes: 2MiB}, kept: 4MiB,"
            " publish: {hashes_file: hashes}}")
    many = json.dumps(["%d" % i for i in range(1000)]).encode()

    async def play(g):
        a = await envelopes(g, "small", max_queue=None)  # for envelopes, too
        for _ in range(20):
            assert (await asyncio.to_thread(post, g, many, "small?batch")).status == 202
        for _ in range(40):
            for name in ("large", "larger"):
                answer = await asyncio.to_thread(post, g, b"x" * 60000, name)
                assert answer.status == 202
        got = await a.all(20000)
        assert [number(m["id"]) for m in got] == list(range(1, 20001))
        await leave(a)
        b = await envelopes(g, "small", since=epoch(got[0]["id"]) + "-0", max_queue=None)
        first = await b.next()
        held = 20000 - first["missing"]
        assert first["type"] == "gap" and 1000 < held < 20000
        rest = await b.all(held)
        assert [number(m["id"]) for m in rest] == list(range(first["missing"] + 1, 20001))
        await leave(b)

    with gateway(tmp_path, config(more, workers=1)) as g:
        memory = Memory(g)
        asyncio.run(play(g))
        more = 4 * MIB if g.redis else 0  # that its answers came in
        assert memory.grown() < 2.6 * 4 * MIB + more  # as docs/limits.md says
        g.held.allow(3 * 4096)


# ---- Programs that publish ----

def test_programs_that_publish_at_once_under_one_key_publish_once(tmp_path):
    """Thirty, of which ten say something else under the same key."""
    write_tokens(tmp_path)
    bodies = [json.dumps(["%d %d" % (k, i) for i in range(500)]).encode() for k in (0, 0, 1)]
    answers = []

    def publish(g, body):
        answers.append(post(g, body, "lobby?batch", ["Idempotency-Key: same"]))

    async def play(g):
        a = await envelopes(g, max_queue=None)
        await asyncio.gather(*[asyncio.to_thread(publish, g, bodies[i % 3]) for i in range(30)])
        got = await a.all(500)
        assert len({m["data"].split()[0] for m in got}) == 1 and await a.is_silent()
        await leave(a)

    with gateway(tmp_path, config(KEEPS + "\nlimits: {message: 64KiB}")) as g:
        asyncio.run(play(g))
        said = [json.loads(x.body) for x in answers if x.status == 202]
        others = [x for x in answers if x.status != 202]
        assert sum("repeated" not in s for s in said) == 1 and len({s["id"] for s in said}) == 1
        assert len(others) in (10, 20)
        for x in others[:3]:
            assert x.status == 422
            assert g.story(x.reference)["cause"] == "client.bad-handshake"


@pytest.mark.parametrize("fields,status,cause", [
    (["Content-Length: 99999999999999"], 413, "server.limit"),
    (["Content-Length: 1048577"], 413, "server.limit"),
    (["Content-Length: -5"], 400, "client.bad-handshake"),
    (["Transfer-Encoding: chunked"], 411, "client.bad-handshake"),
    ([], 411, "client.bad-handshake"),
    (["Content-Length: 5", "Content-Encoding: gzip"], 415, "client.bad-handshake"),
])
def test_bodies_that_are_none_are_refused_before_they_are_read(tmp_path, fields, status, cause):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(KEEPS)) as g:
        answer = post(g, b"", "lobby?batch", fields, length="")
        assert answer.status == status and g.story(answer.reference)["cause"] == cause
        assert post(g, b"hello").status == 202


def test_bodies_that_come_slowly_take_no_more_than_has_come(tmp_path):
    """A hundred that announce half a mebibyte and send a little."""
    write_tokens(tmp_path)
    with gateway(tmp_path, config(KEEPS + "\nlimits: {message: 512KiB}")) as g:
        memory = Memory(g)
        head = (b"POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer let-me-publish\r\n"
                b"Content-Length: 524288\r\n\r\n" + b"x" * 1000)
        slow = [dial(g.port) for _ in range(100)]
        for s in slow:
            s.sendall(head)
        asyncio.run(honest(g, 100))
        assert memory.most() < 100 * 32 * 1024 + 2 * MIB
        for s in slow:
            s.close()


def test_bursts_to_many_channels_are_kept_no_longer_than_there_is_room(tmp_path):
    write_tokens(tmp_path)
    more = "hub: {history: {messages: 1000}, kept: 1MiB, publish: {hashes_file: hashes}}"
    many = json.dumps(["x" * 1000] * 300).encode()
    names = ["room-%d" % i for i in range(15)]

    async def play(g):
        # With somebody in it, a channel is not given up.
        members = [await envelopes(g, name, max_queue=None) for name in names]
        for name, member in zip(names, members):
            assert (await asyncio.to_thread(post, g, many, name + "?batch")).status == 202
            await member.all(300)
        kept = json.loads(page(g, "/status.json")[1])["channels"]["kept_bytes"]
        assert 0 < kept <= MIB
        await leave(*members)

    with gateway(tmp_path, config(more, workers=1) + "admin: {address: 127.0.0.1:0}\n") as g:
        asyncio.run(play(g))
