# SPDX-License-Identifier: MIT
"""Limits of messages: at a real server behind (Node's ws), whose bytes are looked
at only where the route asks for it, and where the gateway itself answers."""
import asyncio
import json
import os
import random
import socket
import threading
import time

import pytest
import websockets

from behind import Request, opening
from gateways import REFERENCE, dial, gateway, read_all, reload, request, run
from nodes import needs_ws, node
from ports import free_port

FLAT = {"compression": None, "max_size": None}


def config(port, limits, more=""):
    return ('listen: [{address: "127.0.0.1:0"}]\nroutes:\n  - path: /app\n'
            "    to: ws://127.0.0.1:%d\n    limits:\n" % port
            + "".join("      %s\n" % l for l in limits)
            + "journal: {file: journal.db}\nlog: {file: access.log, format: json}\n" + more)


def lines(g):
    return [json.loads(line) for line in (g.folder / "access.log").read_text().splitlines()]


def wait_for(true):
    end = time.time() + 5
    while not true():
        assert time.time() < end
        time.sleep(0.02)


async def goodbye(ws):
    """How the connection ends: code and reason."""
    try:
        while True:
            await asyncio.wait_for(ws.recv(), 10)
    except websockets.ConnectionClosed as e:
        return e.rcvd.code, e.rcvd.reason


def play(g, talk, path="/app", **options):
    async def run_it():
        async with websockets.connect(g.url + path, **{**FLAT, **options}) as ws:
            return await talk(ws)
    return asyncio.run(run_it())


async def echoes(ws, *messages):
    for message in messages:
        await ws.send(message)
        assert await asyncio.wait_for(ws.recv(), 10) == (
            message if isinstance(message, (str, bytes)) else b"".join(message))


@needs_ws
def test_a_message_that_is_too_long_is_cut_and_everybody_hears_why(tmp_path):
    port = free_port()
    with node(port, "hello", log=tmp_path / "node.log"), \
            gateway(tmp_path, config(port, ["message: 1KiB"])) as g:
        async def talk(ws):
            assert await ws.recv() == "hello"
            await echoes(ws, b"x" * 1024, "y" * 1000)
            await ws.send(b"x" * 1025)
            return await goodbye(ws)
        code, reason = play(g, talk)
        assert code == 1009 and reason.endswith(" message too long")
        reference = REFERENCE.match(reason).group(0)
        wait_for(lambda: "closed" in (tmp_path / "node.log").read_text())
        assert "closed 1001 the gateway closed with 1009: message too long" in \
            (tmp_path / "node.log").read_text()
        story = g.story(reference)
        assert story["cause"] == "server.limit" and story["rule"] == "message: 1KiB"
        assert story["line"] == 6 and story["status"] == 1009 and story["target"] == "/app"
        assert story["compared"] == "1025 bytes at least" and story["nearest"] == "1024 bytes"
        assert "1025 bytes" in story["note"] and str(port) in story["upstream"]
        told = g.why(reference).stdout
        assert "cut with 1009" in told and "sesame.yaml:6" in told and "shorter" in told
        wait_for(lambda: any(l["event"] == "close" for l in lines(g)))
        cut = [l for l in lines(g) if l["event"] == "cut"]
        assert cut[0]["reference"] == reference and cut[0]["line"] == 6
        close = [l for l in lines(g) if l["event"] == "close"][0]
        assert close["code"] == 1009 and close["by"] == "gateway" and reference in close["reason"]
        assert close["messages_in"] == 3 and close["messages_out"] == 3


@needs_ws
def test_fragments_are_one_message(tmp_path):
    port = free_port()
    with node(port, "hello"), gateway(tmp_path, config(port, ["message: 1kB", "messages: 2/hour"])) as g:
        async def talk(ws):
            await ws.recv()
            await echoes(ws, [b"x" * 250] * 4, [b"y"] * 30)
        play(g, talk)

        async def too_long(ws):
            await ws.recv()
            await ws.send([b"x" * 250] * 5)
            return await goodbye(ws)
        assert play(g, too_long)[0] == 1009


@needs_ws
def test_what_the_server_says_has_no_limit(tmp_path):
    port = free_port()
    with node(port, "h" * 5000), gateway(tmp_path, config(port, ["message: 10"])) as g:
        async def talk(ws):
            assert await ws.recv() == "h" * 5000
            await echoes(ws, "0123456789")
        play(g, talk)


@needs_ws
def test_of_compressed_messages_the_compressed_length_counts(tmp_path):
    port = free_port()
    with node(port, "hello"), gateway(tmp_path, config(port, ["message: 4KiB"])) as g:
        async def talk(ws):
            assert "permessage-deflate" in ws.response_headers["Sec-WebSocket-Extensions"]
            await ws.recv()
            await echoes(ws, "a" * 100000)
            await ws.send(random.Random(1).randbytes(5000))
            return await goodbye(ws)
        assert play(g, talk, compression="deflate")[0] == 1009


@needs_ws
def test_who_sends_too_often_is_cut_with_1008(tmp_path):
    port = free_port()
    with node(port, "hello"), gateway(tmp_path, config(port, ["messages: 5/minute"])) as g:
        async def talk(ws):
            await ws.recv()
            await echoes(ws, *["%d" % i for i in range(5)])
            for _ in range(20):
                await ws.ping()  # no message
            await ws.send("one more")
            return await goodbye(ws)
        code, reason = play(g, talk)
        assert code == 1008 and reason.endswith(" too many messages")
        story = g.story(REFERENCE.match(reason).group(0))
        assert story["cause"] == "access.rate" and story["rule"] == "messages: 5/minute"
        assert story["line"] == 6
        # each connection has its own count
        play(g, lambda ws: echoes_after_hello(ws, 5))


async def echoes_after_hello(ws, n):
    await ws.recv()
    await echoes(ws, *["%d" % i for i in range(n)])


@needs_ws
def test_who_keeps_to_the_rate_may_go_on(tmp_path):
    port = free_port()
    with node(port, "hello"), gateway(tmp_path, config(port, ["messages: 20/second"])) as g:
        async def talk(ws):
            await ws.recv()
            for i in range(40):
                await echoes(ws, "%d" % i)
                await asyncio.sleep(0.055)
        play(g, talk)
        assert g.last() == []


@needs_ws
def test_large_messages_pass_whole_below_the_limit(tmp_path):
    port = free_port()
    with node(port, "hello"), gateway(tmp_path, config(port, ["message: 100MB"])) as g:
        async def talk(ws):
            await ws.recv()
            await echoes(ws, os.urandom(20000000), [os.urandom(700000)] * 5)
        play(g, talk)


ACCEPTED = opening()


def raw(g, port_bytes=b""):
    s = dial(g.port)
    s.sendall(request(g.port, "/app") + port_bytes)
    got = b""
    while b"\r\n\r\n" not in got:
        got += s.recv(4096)
    return s, got.partition(b"\r\n\r\n")[2]


def masked(first, payload, length=None):
    n = len(payload) if length is None else length
    head = bytes([first]) + (bytes([0x80 | n]) if n < 126 else
                             b"\xfe" + n.to_bytes(2, "big") if n < 65536 else
                             b"\xff" + n.to_bytes(8, "big"))
    return head + b"\0\0\0\0" + payload


class Talker:
    """A server behind that does as it is told, byte by byte."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def meet(self, early=b""):
        self.peer, _ = self.socket.accept()
        self.peer.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.peer.recv(4096)
        self.peer.sendall(ACCEPTED(Request(data)) + early)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def joined(g, server, early=b"", client=b""):
    t = threading.Thread(target=server.meet, args=(early,))
    t.start()
    s, rest = raw(g, client)
    t.join(5)
    return s, rest


def test_a_close_frame_never_stands_in_the_middle_of_another_frame(tmp_path):
    with Talker() as server, gateway(tmp_path, config(server.port, ["message: 10"])) as g:
        s, rest = joined(g, server, early=b"\x82\x7e\x01\x00" + b"a" * 100)
        while len(rest) < 104:
            rest += s.recv(4096)
        s.sendall(masked(0x81, b"", length=11))
        assert server.peer.recv(4096)[:2] == b"\x88" + bytes([0x80 | 2 + len(
            "the gateway closed with 1009: message too long")])
        server.peer.sendall(b"a" * 156 + b"\x81\x02no")
        rest += read_all(s)
        assert rest[:260] == b"\x82\x7e\x01\x00" + b"a" * 256
        assert rest[260] == 0x88 and rest[262:264] == b"\x03\xf1" and b"no" not in rest[262:]
        s.close()


def test_a_frame_that_never_ends_does_not_hold_the_goodbye_for_ever(tmp_path):
    with Talker() as server, gateway(tmp_path, config(server.port, ["message: 10"])) as g:
        s, rest = joined(g, server, early=b"\x82\x7e\x01\x00" + b"a" * 100)
        s.sendall(masked(0x81, b"", length=11))
        began = time.time()
        s.settimeout(10)
        rest += read_all(s)
        assert rest == b"\x82\x7e\x01\x00" + b"a" * 100
        assert time.time() - began < 6
        s.close()


def test_bytes_one_by_one_and_with_the_handshake_are_judged_too(tmp_path):
    with Talker() as server, gateway(tmp_path, config(server.port, ["message: 10"])) as g:
        first = masked(0x81, b"hello")
        s, _ = joined(g, server, client=first)
        more = masked(0x02, b"0123456") + masked(0x89, b"!") + masked(0x80, b"789")
        for b in more:
            s.sendall(bytes([b]))
            time.sleep(0.001)
        want = first + more
        got = b""
        while len(got) < len(want):
            got += server.peer.recv(4096)
        assert got == want
        s.sendall(masked(0x02, b"0123456") + masked(0x80, b"789X"))
        rest = read_all(s)
        assert rest[0] == 0x88 and rest[2:4] == b"\x03\xf1"
        got = read_all(server.peer)
        assert got.startswith(masked(0x02, b"0123456") + b"\x88"), "all before the frame has passed"
        s.close()


@pytest.mark.parametrize("frame", [b"\x83\x80\0\0\0\0", b"GET / HTTP/1.1\r\n", b"\x09\x80\0\0\0\0"])
def test_what_is_no_frame_ends_it(tmp_path, frame):
    with Talker() as server, gateway(tmp_path, config(server.port, ["message: 10"])) as g:
        s, _ = joined(g, server)
        s.sendall(frame)
        rest = read_all(s)
        assert rest[0] == 0x88 and rest[2:4] == b"\x03\xea"
        assert read_all(server.peer)[0] == 0x88
        s.close()
        s, _ = joined(g, server)
        server.peer.sendall(b"\x81\x02ok" + frame)
        rest = read_all(s)
        assert rest[:4] == b"\x81\x02ok" and rest[4] == 0x88 and rest[6:8] == b"\x03\xf6"
        assert read_all(server.peer) == b""
        s.close()
        time.sleep(0.2)
        notes = [story["note"] for story in g.last()]
        assert any("the server sent what is no frame" in n for n in notes)
        assert any("the client sent what is no frame" in n for n in notes)


def test_who_floods_after_the_cut_reads_why_all_the_same(tmp_path):
    with Talker() as server, gateway(tmp_path, config(server.port, ["message: 10"])) as g:
        s, _ = joined(g, server)

        def flood():
            try:
                s.sendall(masked(0x82, b"x" * 8000000))
            except OSError:
                pass
        t = threading.Thread(target=flood)
        t.start()
        rest = read_all(s)
        assert rest[0] == 0x88 and rest[2:4] == b"\x03\xf1"
        s.close()
        t.join(5)


def test_without_limits_every_byte_passes_as_it_is(tmp_path):
    text = config(1, ["idle: 1m"])
    r = random.Random(7)
    up, down = r.randbytes(300000), r.randbytes(300000)
    with Talker() as server, gateway(tmp_path, text.replace(":1\n", ":%d\n" % server.port)) as g:
        s, rest = joined(g, server, early=down[:1000], client=up[:1000])
        t = threading.Thread(target=lambda: (server.peer.sendall(down[1000:]),
                                             server.peer.shutdown(socket.SHUT_WR)))
        t.start()
        sender = threading.Thread(target=lambda: (s.sendall(up[1000:]), s.shutdown(socket.SHUT_WR)))
        sender.start()
        got = []
        reader = threading.Thread(target=lambda: got.append(read_all(server.peer)))
        reader.start()
        assert rest + read_all(s) == down
        reader.join(10)
        assert got[0] == up
        s.close()


def test_a_tunnel_that_is_looked_at_is_told_of_a_stop(tmp_path):
    with Talker() as server, gateway(tmp_path, config(
            server.port, ["message: 10"], "stop: {spread: 0ms}\n")) as g:
        s, rest = joined(g, server, early=b"\x82\x7e\x01\x00" + b"a" * 100)
        while len(rest) < 104:
            rest += s.recv(4096)
        s.sendall(masked(0x01, b"begun"))
        assert server.peer.recv(100) == masked(0x01, b"begun")
        g.process.terminate()
        got = server.peer.recv(100)
        assert got[0] == 0x88 and bytes(a ^ b for a, b in zip(got[6:8], got[2:4])) == b"\x03\xe9"
        server.peer.sendall(b"a" * 156)
        rest += read_all(s)
        assert rest[260] == 0x88 and rest[262:264] == b"\x03\xe9", "between two frames"
        s.close()
        assert g.process.wait(10) == 0
        close = [l for l in lines(g) if l["event"] == "close"][0]
        assert close["code"] == 1001 and close["by"] == "gateway"


def test_a_reload_changes_the_limits_of_those_that_are_looked_at(tmp_path):
    with Talker() as server:
        before, after = (config(server.port, ["message: %d" % n]) for n in (10, 20))
        with gateway(tmp_path, before) as g:
            s, _ = joined(g, server)
            reload(g, after, "reloaded")
            time.sleep(0.2)
            s.sendall(masked(0x81, b"x" * 20))
            assert server.peer.recv(100) == masked(0x81, b"x" * 20)
            reload(g, config(server.port, ["idle: 1h"]), "reloaded")
            time.sleep(0.2)
            s.sendall(masked(0x81, b"x" * 100))
            assert server.peer.recv(200) == masked(0x81, b"x" * 100)
            s.close()


def test_a_server_that_does_not_notice_its_client_s_end_is_left(tmp_path):
    with Talker() as server:
        with gateway(tmp_path, config(server.port, ["idle: 1h"])) as g:
            s, _ = joined(g, server)
            s.close()
            assert server.peer.recv(1) == b""
            server.peer.sendall(b"\x81\x01x")  # it may speak, for a while
            g.held.check()


HERE = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - {path: /echo, to: echo, limits: {messages: 3/hour}}
  - {path: /room, to: hub, hub: {echo: true}, limits: {messages: 3/hour}}
journal: {file: journal.db}
"""


@pytest.mark.parametrize("path, line", [("/echo", 3), ("/room", 4)])
def test_the_rate_holds_where_the_gateway_answers_too(tmp_path, path, line):
    with gateway(tmp_path, HERE) as g:
        async def talk(ws):
            await echoes(ws, "a", "b", "c")
            for _ in range(50):
                await ws.send("d")
            return await goodbye(ws)
        code, reason = play(g, talk, path)
        assert code == 1008
        assert g.story(REFERENCE.match(reason).group(0))["line"] == line
        time.sleep(0.1)
        assert len(g.last()) == 1, "it is told once"


def test_another_unit_starts_the_count_of_messages_afresh(tmp_path):
    with gateway(tmp_path, HERE) as g:
        async def talk(ws):
            await echoes(ws, "a", "b")
            reload(g, HERE.replace("3/hour", "2/day"), "reloaded")
            await echoes(ws, "a", "b")
            await ws.send("c")
            return await goodbye(ws)
        assert play(g, talk, "/echo")[0] == 1008


@pytest.mark.parametrize("path", ["/echo", "/room"])
@pytest.mark.parametrize("n, goodbye_too, code", [(4, False, 1008), (4, True, 1008), (3, True, 1000)])
def test_messages_that_come_with_the_handshake_count_like_all(tmp_path, path, n, goodbye_too, code):
    bye = masked(0x88, b"\x03\xe8")
    with gateway(tmp_path, HERE) as g, dial(g.port) as s:
        s.sendall(request(g.port, path) + masked(0x81, b"hello") * n + bye * goodbye_too)
        got = b""
        while b"\x88" not in got.partition(b"\r\n\r\n")[2][:-3]:
            got += s.recv(4096) or pytest.fail("no goodbye: %r" % got)
        s.sendall(bye * (not goodbye_too))
        head, _, rest = (got + read_all(s)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        echoed, _, closed = rest.partition(b"\x88")
        assert closed[1:3] == code.to_bytes(2, "big")
        if path == "/echo":  # a channel delivers in its own time
            assert echoed == b"\x81\x05hello" * 3


@pytest.mark.parametrize("limit, words", [
    ("messages: 5", "messages is a rate, as in 50/second"), ("messages: 0/second", "rate"),
    ("message: 0", "message"), ("mesages: 5/second", "did you mean `messages`")])
def test_faults_are_told_with_their_place(tmp_path, limit, words):
    (tmp_path / "sesame.yaml").write_text(config(9, [limit]))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stderr and "sesame.yaml:6:" in r.stderr, r.stderr
