# SPDX-License-Identifier: MIT
"""Channels with real clients: one order for all, bounds, slow readers, POST;
and the pages of `to: files`."""
import asyncio
import hashlib
import json
import os
import socket
import subprocess
import time

import pytest
from gateways import UPGRADE, Answer, ask, dial, gateway, opens, read_all, reload, request, send

websockets = pytest.importorskip("websockets")

HUB = """listen:
  - address: 127.0.0.1:0
workers: %d
routes:
  - path: /chat/*
    to: hub
%s
refusal: {disclose: reason}
"""
TOKEN = "let-me-publish"


def config(more="", workers=2):
    return HUB % (workers, "".join("    %s\n" % line for line in more.splitlines()))


def write_tokens(folder):
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    (folder / "hashes").write_text("backend:%s\n" % digest)


def join(g, channel="lobby", **more):
    more.setdefault("compression", None)
    return websockets.connect("%s/chat/%s" % (g.url, channel), **more)


async def hear(member, n, seconds=30):
    return [await asyncio.wait_for(member.recv(), seconds) for _ in range(n)]


async def leave(*members):
    await asyncio.gather(*[m.close() for m in members], return_exceptions=True)


def post(g, body=b"hello", channel="lobby", fields=(), token=TOKEN, length=None):
    head = "POST /chat/%s HTTP/1.1\r\nHost: h\r\n" % channel
    if token:
        head += "Authorization: Bearer %s\r\n" % token
    if length != "":
        head += "Content-Length: %s\r\n" % (len(body) if length is None else length)
    head += "".join(f + "\r\n" for f in fields)
    return Answer(send(g.port, head.encode() + b"\r\n" + body))


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


# ---- POST ----

PUBLISH = "hub: {publish: {hashes_file: hashes}}\nlimits: {message: 1000}"


def test_a_backend_publishes_with_its_token(tmp_path):
    write_tokens(tmp_path)

    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        answer = await asyncio.to_thread(post, g, "grüße".encode())
        assert answer.status == 202 and answer.fields["content-type"] == "application/json"
        assert json.loads(answer.body) == {"channel": "lobby", "id": 1, "members": 2}
        answer = await asyncio.to_thread(post, g, b"\xff\xfe")
        assert json.loads(answer.body)["id"] == 2
        answer = await asyncio.to_thread(
            post, g, b"text", fields=["Content-Type: application/octet-stream"])
        assert json.loads(answer.body)["id"] == 3
        assert await hear(a, 3) == await hear(b, 3) == ["grüße", b"\xff\xfe", b"text"]
        answer = await asyncio.to_thread(post, g, b"", channel="nobody%20there")
        assert json.loads(answer.body) == {"channel": "nobody there", "id": 0, "members": 0}
        await leave(a, b)

    with gateway(tmp_path, config(PUBLISH)) as g:
        asyncio.run(play(g))


def test_curl_publishes_a_long_message(tmp_path):
    write_tokens(tmp_path)
    body = tmp_path / "body"
    body.write_bytes(b"x" * 2000000)

    async def play(g):
        a = await join(g, max_size=None)
        r = await asyncio.to_thread(
            subprocess.run, ["curl", "-sS", "--data-binary", "@%s" % body,
                             "-H", "Authorization: Bearer " + TOKEN,
                             "http://127.0.0.1:%d/chat/lobby" % g.port],
            capture_output=True, text=True, timeout=30)
        assert json.loads(r.stdout)["members"] == 1, r.stderr
        assert await hear(a, 1) == ["x" * 2000000]
        await leave(a)

    more = "hub: {queue: 4MiB, publish: {hashes_file: hashes}}\nlimits: {message: 2000000}"
    with gateway(tmp_path, config(more)) as g:
        asyncio.run(play(g))


def test_a_body_in_pieces_is_put_together(tmp_path):
    write_tokens(tmp_path)
    head = ("POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
            "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n" % TOKEN)
    with gateway(tmp_path, config(PUBLISH)) as g, dial(g.port) as s:
        for byte in head.encode():
            s.sendall(bytes([byte]))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for byte in b"hello":
            s.sendall(bytes([byte]))
            time.sleep(0.01)
        assert Answer(read_all(s)).status == 202


@pytest.mark.parametrize("more,status,cause", [
    ({"token": None}, 401, "access.credentials"),
    ({"token": TOKEN + "x"}, 401, "access.credentials"),
    ({"token": None, "fields": ["Authorization: Basic " + TOKEN]}, 401, "access.credentials"),
    ({"fields": ["Authorization: Bearer " + TOKEN]}, 401, "access.credentials"),
    ({"length": ""}, 411, "client.bad-handshake"),
    ({"length": "", "fields": ["Transfer-Encoding: chunked"]}, 411, "client.bad-handshake"),
    ({"length": "5x"}, 400, "client.bad-handshake"),
    ({"body": b"x" * 1000}, 202, ""),
    ({"body": b"x" * 1001}, 413, "server.limit"),
    ({"length": "99999999999999999999"}, 400, "client.bad-handshake"),
    ({"channel": "a%0ab"}, 400, "url.path"),
    ({"fields": ["Origin: https://evil.example"]}, 403, "access.origin")])
def test_a_post_that_may_not_be_is_refused_with_a_reference(tmp_path, more, status, cause):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(PUBLISH)) as g:
        answer = post(g, **more)
        assert answer.status == status
        if cause:
            assert "Cause: " + cause in answer.text
            assert g.story(answer.reference)["cause"] == cause
        if status == 401:
            assert answer.fields["www-authenticate"].startswith("Bearer ")


def test_other_paths_and_methods_have_their_answer(tmp_path):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(PUBLISH)) as g:
        assert Answer(send(g.port, b"POST /nowhere HTTP/1.1\r\nHost: h\r\n\r\n")).status == 404
        assert Answer(send(g.port, b"PUT /chat/lobby HTTP/1.1\r\nHost: h\r\n\r\n")).status == 405
        assert ask(g.port, "/chat/lobby", upgrade="").status == 426
    with gateway(tmp_path, config()) as g:
        answer = post(g)
        assert answer.status == 405 and "Nobody may publish" in answer.text


def test_a_token_for_members_is_not_asked_of_who_publishes(tmp_path):
    write_tokens(tmp_path)
    (tmp_path / "members").write_text("m:%s\n" % hashlib.sha256(b"member").hexdigest())
    more = PUBLISH + "\nallow: {token: {hashes_file: members}, subprotocols: [chat]}"
    with gateway(tmp_path, config(more)) as g:
        assert post(g).status == 202
        assert post(g, token="member").status == 401
        offer = "Sec-WebSocket-Protocol: chat"
        assert opens(g.port, "/chat/lobby", offer, "Authorization: Bearer member")
        assert not opens(g.port, "/chat/lobby", offer, "Authorization: Bearer " + TOKEN)


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
        assert answer.status == 405


def test_there_is_no_websocket_among_pages(site):
    with gateway(site, FILES) as g:
        answer = ask(g.port, "/site/", upgrade=UPGRADE)
        assert answer.status == 404 and "Cause: server.no-websocket" in answer.text
        assert g.story(answer.reference)["cause"] == "server.no-websocket"
