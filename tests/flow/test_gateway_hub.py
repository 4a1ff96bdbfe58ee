# SPDX-License-Identifier: MIT
"""Channels with real clients: one order for all, bounds, slow readers; and the
pages of `to: files`."""
import asyncio
import json
import os
import socket
import time

import pytest
from gateways import UPGRADE, Answer, ask, dial, gateway, opens, read_all, reload, request, send
from hubs import config, hear, join, leave


# ---- who hears what ----

def test_what_a_member_sends_all_others_get(tmp_path):
    async def play(g):
        a, b, c = [await join(g) for _ in range(3)]
        other = await join(g, "elsewhere")
        await a.send("text")
        await a.send(b"\x00\xff")
        assert await hear(b, 2) == await hear(c, 2) == ["text", b"\x00\xff"]
        await other.send("for nobody")
        await b.send("last")
        assert await hear(a, 1) == await hear(c, 1) == ["last"]
        await leave(a, b, c, other)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_a_sender_hears_itself_where_the_route_says_so(tmp_path):
    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        await a.send("hello")
        assert await hear(a, 1) == await hear(b, 1) == ["hello"]
        await leave(a, b)

    with gateway(tmp_path, config("hub: {echo: true}")) as g:
        asyncio.run(play(g))


def test_all_members_hear_concurrent_publishers_in_one_order(tmp_path):
    async def publish(member, who):
        for i in range(300):
            await member.send("%d %d" % (who, i))

    async def play(g):
        # over many connections, so that both workers have some
        members = [await join(g) for _ in range(16)]
        await asyncio.gather(*[publish(m, who) for who, m in enumerate(members[:4])])
        heard = await asyncio.gather(*[hear(m, 1200) for m in members])
        assert all(h == heard[0] for h in heard)
        for who in range(4):
            mine = [int(m.split()[1]) for m in heard[0] if m.startswith("%d " % who)]
            assert mine == list(range(300))
        await leave(*members)

    with gateway(tmp_path, config("hub: {echo: true}")) as g:
        asyncio.run(play(g))


def test_two_hundred_members_hear_everything(tmp_path):
    async def play(g):
        members = [await join(g) for _ in range(200)]
        for i in range(20):
            await members[i].send("m%d" % i)
        heard = await asyncio.gather(*[hear(m, 20 - (i < 20)) for i, m in enumerate(members)])
        order = [m for m in heard[199]]
        assert sorted(order) == sorted("m%d" % i for i in range(20))
        for i, h in enumerate(heard):
            assert h == [m for m in order if i >= 20 or m != "m%d" % i]
        await leave(*members)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_members_that_leave_under_fire_harm_nobody(tmp_path):
    async def flutter(g, hard):
        for i in range(25):
            m = await join(g, max_queue=None)
            await m.send("here")
            if hard:
                m.transport.abort()
            else:
                await m.close()

    async def publish(member):
        for i in range(400):
            await member.send("m%d" % i)
            if i % 10 == 0:
                await asyncio.sleep(0)

    async def collect(member):
        mine = []
        while len(mine) < 400:
            m = await asyncio.wait_for(member.recv(), 30)
            if m != "here":
                mine.append(m)
        return mine

    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        heard = asyncio.ensure_future(collect(b))
        await asyncio.gather(publish(a), *[flutter(g, i % 2) for i in range(8)])
        assert await heard == ["m%d" % i for i in range(400)]
        await leave(a, b)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_a_name_is_one_channel_however_it_is_encoded(tmp_path):
    async def play(g):
        a = await join(g, "k%C3%BCche")
        b = await join(g, "k%c3%bcche")
        await a.send("hello")
        assert await hear(b, 1) == ["hello"]
        await leave(a, b)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


@pytest.mark.parametrize("name,good", [
    ("x" * 128, True), ("x" * 129, False), ("%C3%BC" * 64, True), ("%C3%BC" * 64 + "x", False),
    ("a%0Ab", False), ("%ff", False), ("%C2%85", False), ("a%20b", True)])
def test_names_are_bounded_and_printable(tmp_path, name, good):
    with gateway(tmp_path, config()) as g:
        assert opens(g.port, "/chat/" + name) is good
        if not good:
            answer = ask(g.port, "/chat/" + name)
            assert answer.status == 400 and "Cause: url.path" in answer.text
            assert g.story(answer.reference)["cause"] == "url.path"


# ---- bounds ----

def test_one_member_more_than_may_be_is_refused(tmp_path):
    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        answer = ask(g.port, "/chat/lobby")
        assert answer.status == 503 and "Cause: server.limit" in answer.text
        assert "hub.members" in g.story(answer.reference)["note"]
        assert opens(g.port, "/chat/other")
        await leave(a, b)
        assert opens(g.port, "/chat/lobby")

    with gateway(tmp_path, config("hub: {members: 2}")) as g:
        asyncio.run(play(g))


def test_one_channel_more_than_may_be_is_refused(tmp_path):
    async def play(g):
        members = [await join(g, "c%d" % i) for i in range(3)]
        answer = ask(g.port, "/chat/c3")
        assert answer.status == 503 and "Cause: server.limit" in answer.text
        assert "hub.channels" in g.story(answer.reference)["note"]
        assert opens(g.port, "/chat/c1")
        await leave(*members)
        assert opens(g.port, "/chat/c3")

    with gateway(tmp_path, config("hub: {channels: 3}")) as g:
        asyncio.run(play(g))


def test_a_longer_message_than_may_be_ends_its_sender_alone(tmp_path):
    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        await a.send("x" * 1000)
        assert await hear(b, 1) == ["x" * 1000]
        await a.send("x" * 1001)
        await asyncio.wait_for(a.wait_closed(), 10)
        assert a.close_code == 1009
        await b.send("still here")
        await leave(b)

    with gateway(tmp_path, config("limits: {message: 1000}")) as g:
        asyncio.run(play(g))


# ---- slow readers ----

def slow_member(g):
    """One who joins and reads nothing."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", g.port))
    s.sendall(request(g.port, "/chat/lobby"))
    assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
    return s


async def flood(g, n=300):
    """More than all buffers on the way to a slow reader hold."""
    a, b = [await join(g) for _ in range(2)]
    for i in range(n):
        await a.send(("%6d" % i) + "x" * 60000)
        assert int((await hear(b, 1))[0][:6]) == i
    await leave(a, b)


def frames_of(raw):
    """(opcode, payload) of each whole frame."""
    while len(raw) >= 2:
        length, at = raw[1] & 127, 2
        if length > 125:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(raw[2:2 + size], "big"), 2 + size
        if len(raw) < at + length:
            return
        yield raw[0] & 15, raw[at:at + length]
        raw = raw[at + length:]


SLOW = """hub: {queue: 128KiB, slow: %s}
limits: {message: 64KiB}"""


def test_a_slow_reader_loses_messages_and_holds_nobody_up(tmp_path):
    text = config(SLOW % "drop") + "log: {file: log, format: json}\n"
    with gateway(tmp_path, text) as g:
        with slow_member(g) as s:
            asyncio.run(flood(g))
            s.settimeout(1)
            raw = b""
            try:
                while True:
                    raw += s.recv(1 << 20)
            except TimeoutError:
                pass
            numbers = [int(p[:6]) for op, p in frames_of(raw) if op == 1]
            assert 0 < len(numbers) < 300 and numbers == sorted(set(numbers))
            s.sendall(b"\x88\x80\x00\x00\x00\x00")
            read_all(s)
        end = time.time() + 5
        while True:
            lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
            dropped = [x["messages_dropped"] for x in lines if "messages_dropped" in x]
            if dropped or time.time() > end:
                break
            time.sleep(0.05)
        assert dropped == [300 - len(numbers)]


def test_a_slow_reader_is_closed_where_the_route_says_so(tmp_path):
    with gateway(tmp_path, config(SLOW % "close")) as g:
        with slow_member(g) as s:
            asyncio.run(flood(g))
            s.settimeout(10)
            frames = list(frames_of(read_all(s, 1 << 26)))
        assert frames[-1][0] == 8
        assert int.from_bytes(frames[-1][1][:2], "big") == 1013


# ---- reload and stop ----

def test_members_stay_when_the_file_is_read_again(tmp_path):
    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        # a sleep of the loop in between would hide nothing: they are open
        reload(g, config("hub: {members: 3}"), "reloaded")
        await a.send("after")
        assert await hear(b, 1) == ["after"]
        c = await join(g)
        assert ask(g.port, "/chat/lobby").status == 503
        await c.send("new")
        assert await hear(a, 1) == await hear(b, 1) == ["new"]
        reload(g, config().replace("to: hub", "to: echo"), "reloaded")
        await asyncio.wait_for(a.wait_closed(), 10)
        assert a.close_code == 1001
        await leave(b, c)

    with gateway(tmp_path, config()) as g:
        asyncio.run(play(g))


def test_a_gateway_that_stops_says_goodbye_to_members(tmp_path):
    async def play(g):
        members = [await join(g) for _ in range(20)]
        stopped = asyncio.ensure_future(asyncio.to_thread(g.stop))
        await asyncio.gather(*[m.wait_closed() for m in members])
        assert {m.close_code for m in members} == {1001}
        assert await stopped == 0

    with gateway(tmp_path, config() + "stop: {spread: 0s}\n") as g:
        asyncio.run(play(g))


# ---- what a file may say ----

@pytest.mark.parametrize("old,new,words", [
    ("to: hub", "to: hubb", "did you mean `hub`"),
    ("to: hub", "to: [hub]", "nothing known"),
    ("to: hub", "to: hub\n    hub: {queue: 32KiB}", "hub.queue has to be more than limits.message"),
    ("to: hub", "to: hub\n    hub: {queue: 200MiB}\n    limits: {message: 70MiB}", "is 64MiB at most"),
    ("to: hub", "to: hub\n    hub: {queue: 20MiB}\n    limits: {message: 5MiB}\nbackplane: redis://127.0.0.1", "is 4MiB at most with a `backplane`"),
    ("to: hub", "to: echo\n    hub: {echo: true}", "`to: hub`"),
    ("to: hub", "to: hub\n    root: .", "`to: files`"),
    ("to: hub", "to: hub\n    host: x", "leads to hub"),
    ("to: hub", "to: hub\n    hub: {publish: {}}", "hashes_file"),
    ("to: hub", "to: hub\n    hub: {publish: {hashes_file: none-such}}", "none-such"),
    ("to: hub", "to: files", "root"),
    ("to: hub", "to: files\n    root: none-such", "No such file"),
])
def test_a_mistake_is_told_with_its_place(tmp_path, old, new, words):
    from gateways import run
    (tmp_path / "sesame.yaml").write_text(config().replace(old, new))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode != 0 and words in r.stdout + r.stderr
    assert "sesame.yaml:" in r.stdout + r.stderr


# ---- pages ----

FILES = """listen:
  - address: 127.0.0.1:0
routes:
  - path: /site/**
    to: files
    root: site
refusal: {disclose: reason}
"""


@pytest.fixture
def site(tmp_path):
    root = tmp_path / "site"
    (root / "sub").mkdir(parents=True)
    (root / "index.html").write_text("<h1>hello</h1>")
    (root / "sub/index.html").write_text("below")
    (root / "a b.txt").write_text("blank")
    (root / ".secret").write_text("no")
    (root / "most.bin").write_bytes(b"x" * (1 << 20))
    (root / "more.bin").write_bytes(b"x" * ((1 << 20) + 1))
    (tmp_path / "outside.txt").write_text("no")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "links").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    return tmp_path


@pytest.mark.parametrize("path,status,body", [
    ("/site/", 200, "<h1>hello</h1>"), ("/site/index.html?x=1", 200, "<h1>hello</h1>"),
    ("/site/sub/", 200, "below"), ("/site/sub", 308, ""), ("/site/a%20b.txt", 200, "blank"),
    ("/site/none", 404, None), ("/site/.secret", 404, None), ("/site/%2esecret", 400, None),
    ("/site/link.txt", 404, None), ("/site/links/outside.txt", 404, None),
    ("/site/../outside.txt", 400, None), ("/site/%2e%2e/outside.txt", 400, None),
    ("/site/..%2foutside.txt", 400, None), ("/site//etc/passwd", 400, None),
    ("/site/pipe", 404, None), ("/site/index.html/", 404, None), ("/site/%s" % ("x" * 300), 404, None),
    ("/site/more.bin", 500, None)])
def test_nothing_but_the_files_below_the_root_is_served(site, path, status, body):
    with gateway(site, FILES) as g:
        answer = ask(g.port, path, upgrade="")
        assert answer.status == status
        assert answer.fields["connection"] == "close"
        if body is not None:
            assert answer.text == body
        if status == 200:
            assert answer.fields["x-content-type-options"] == "nosniff"
        if status == 308:
            assert answer.fields["location"] == path + "/"


def ask_for_a_page(g):
    """A client that reads no more than the first line."""
    s = dial(g.port)
    s.sendall(b"GET /site/most.bin HTTP/1.1\r\nHost: h\r\n\r\n")
    return s, int(s.recv(12).split()[1])


def test_a_page_counts_until_it_has_arrived(site):
    limits = "    root: site\n    limits: {connections: 2}\n"
    with gateway(site, FILES.replace("    root: site\n", limits) + "workers: 1\n") as g:
        first, status = ask_for_a_page(g)
        second, more = ask_for_a_page(g)
        assert (status, more) == (200, 200)
        with first, second:
            third, status = ask_for_a_page(g)
            third.close()
            assert status == 429
            assert len(read_all(first)) > 1 << 20
            first.close()
            end = time.time() + 5
            while status == 429 and time.time() < end:
                third, status = ask_for_a_page(g)
                third.close()
            assert status == 200


def test_pages_on_their_way_have_a_bound_in_bytes(site):
    with gateway(site, FILES + "workers: 1\n") as g:
        slow = [ask_for_a_page(g)[0] for _ in range(70)]
        cut = []
        for n, s in enumerate(slow):
            with s:
                try:
                    cut += [n] if len(read_all(s)) < 1 << 20 else []
                except ConnectionError:
                    cut.append(n)
        # the system may still have delivered what was given up
        assert not [n for n in cut if n > 8] and len(cut) > 0, cut


def test_a_page_of_a_mebibyte_arrives(site):
    with gateway(site, FILES) as g:
        assert ask(g.port, "/site/most.bin", upgrade="").body == b"x" * (1 << 20)


def test_pages_have_their_type_and_are_only_read(site):
    with gateway(site, FILES) as g:
        answer = ask(g.port, "/site/", upgrade="")
        assert answer.fields["content-type"] == "text/html; charset=utf-8"
        head = Answer(send(g.port, b"HEAD /site/ HTTP/1.1\r\nHost: h\r\n\r\n"))
        assert head.status == 200 and head.fields["content-length"] == "14" and not head.body
        answer = Answer(send(g.port, b"POST /site/ HTTP/1.1\r\nHost: h\r\n\r\n"))
        assert answer.status == 405 and answer.fields["allow"] == "GET, HEAD"


def test_a_part_of_a_page_is_answered_with_all_of_it(site):
    with gateway(site, FILES) as g:
        answer = ask(g.port, "/site/", "Range: bytes=0-3", upgrade="")
        assert answer.status == 200 and answer.text == "<h1>hello</h1>"
        assert "accept-ranges" not in answer.fields and "content-range" not in answer.fields


def test_there_is_no_websocket_among_pages(site):
    with gateway(site, FILES) as g:
        answer = ask(g.port, "/site/", upgrade=UPGRADE)
        assert answer.status == 404 and "Cause: server.no-websocket" in answer.text
        assert g.story(answer.reference)["cause"] == "server.no-websocket"
