# SPDX-License-Identifier: MIT
"""Servers behind that are gone, hang, hang up, dawdle or speak rubbish: what the
client gets, what `why` tells, and that nothing of it reaches the next one."""
import os
import socket
import struct
import threading
import time

import pytest

from behind import Request, accept_of, opening
from gateways import KEY, Answer, dial, gateway, read_all, request
from ports import free_port

LEAK = b"LEAK"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPT = b"Sec-WebSocket-Accept: " + accept_of(KEY).encode() + b"\r\n"
LINE = b"HTTP/1.1 101 Switching Protocols\r\n"
GOOD = LINE + UPGRADE + ACCEPT + b"\r\n"


def says(*parts, then="close", pause=0):
    """It says these, and then closes, resets or waits."""
    def act(peer):
        for part in parts:
            peer.sendall(part)
            time.sleep(pause)
        if then == "reset":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif then == "wait":
            while peer.recv(4096):
                pass
    return act


def without_end(part, beginning=b""):
    def act(peer):
        peer.sendall(beginning)
        for _ in range(200000):
            peer.sendall(part)
    return act


def slowly(data):
    def act(peer):
        for i in range(len(data)):
            peer.sendall(data[i:i + 1])
            time.sleep(1)
    return act


BAD, DOWN, NO = "server.bad-accept", "server.backend-down", "server.app-rejected"

# what it does; what the client gets; the cause; words of what `why` tells
CASES = {
    "closes at once": (says(), 502, DOWN, "without an answer"),
    "resets at once": (says(then="reset"), 502, DOWN, "without an answer"),
    "says nothing": (says(then="wait"), 504, DOWN, "did not answer"),
    "one byte a second": (slowly(GOOD), 504, DOWN, "did not answer"),
    "closes in its status line": (says(GOOD[:12]), 502, DOWN, "in the middle of its answer"),
    "closes in its head": (says(GOOD[:-2]), 502, DOWN, "in the middle of its answer"),
    "resets in its head": (says(GOOD[:60], then="reset"), 502, DOWN, "in the middle of its answer"),
    "hangs in its head": (says(GOOD[:-2], then="wait"), 504, DOWN, "did not answer"),
    "no status": (says(b"HTTP/1.1 \r\n\r\n", then="wait"), 502, BAD, ""),
    "a status of letters": (says(b"HTTP/1.1 abc X\r\n\r\n", then="wait"), 502, BAD, ""),
    "a status of four digits": (says(b"HTTP/1.1 1010 X\r\n\r\n", then="wait"), 502, BAD, ""),
    "another version": (says(b"HTTP/2 101 X\r\n" + GOOD[len(LINE):], then="wait"), 502, BAD, ""),
    "HTTP/1.0": (says(b"HTTP/1.0 101 X\r\n" + GOOD[len(LINE):], then="wait"), 502, BAD, ""),
    "another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n", then="wait"), 502, BAD, ""),
    "bytes": (says(bytes(range(256)), then="wait"), 502, BAD, ""),
    "a line without colon": (says(LINE + b"rubbish\r\n" + GOOD[len(LINE):], then="wait"), 502, BAD, ""),
    "a NUL in a field": (says(LINE + b"A: b\0c\r\n" + GOOD[len(LINE):], then="wait"), 502, BAD, ""),
    "a folded field": (says(LINE + b"A: b\r\n c\r\n" + GOOD[len(LINE):], then="wait"), 502, BAD, ""),
    "101 with another Accept": (says(GOOD.replace(accept_of(KEY).encode(), b"A" * 27 + b"="), then="wait"),
                                502, BAD, "Accept"),
    "101 without Accept": (says(LINE + UPGRADE + b"\r\n", then="wait"), 502, BAD, "Accept"),
    "101 with two Accepts": (says(LINE + UPGRADE + ACCEPT * 2 + b"\r\n", then="wait"), 502, BAD, "Accept"),
    "101 without Upgrade": (says(LINE + b"Connection: Upgrade\r\n" + ACCEPT + b"\r\n", then="wait"),
                            502, BAD, "Upgrade"),
    "101 to another protocol": (says(GOOD.replace(b"websocket", b"h2c"), then="wait"), 502, BAD, "Upgrade"),
    "101 without Connection": (says(LINE + b"Upgrade: websocket\r\n" + ACCEPT + b"\r\n", then="wait"),
                               502, BAD, "Connection"),
    "101 with an extension": (says(GOOD[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                                   then="wait"), 502, BAD, "xtension"),
    "101 with a subprotocol": (says(GOOD[:-2] + b"Sec-WebSocket-Protocol: chat\r\n\r\n", then="wait"),
                               502, BAD, "ubprotocol"),
    "a field without end": (without_end(b"A" * 65536, LINE + b"A: "), 502, BAD, ""),
    "fields without end": (without_end(b"A: b\r\n" * 1000, LINE), 502, BAD, ""),
    "a status line without end": (without_end(b"A" * 65536, b"HTTP/1.1 101 "), 502, BAD, ""),
    "interim answers without end": (without_end(b"HTTP/1.1 103 Early\r\n\r\n" * 100), 502, BAD, ""),
    "interim answers, then a close": (says(b"HTTP/1.1 103 Early\r\n\r\n" * 3), 502, DOWN, "in the middle of its answer"),
    "a body before the 101": (says(b"hello\r\n\r\n" + GOOD, then="wait"), 502, BAD, ""),
    "two heads": (says(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n" + GOOD + LEAK, then="wait"), 403, NO, "403"),
    "a 101 in a body": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody" + GOOD + LEAK, then="wait"),
                        200, NO, "200"),
    "a body that ends early": (says(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nshort"), 403, NO, "403"),
    "a body that hangs": (says(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nshort", then="wait"), 403, NO, "403"),
    "a body without end": (without_end(b"x" * 65536, b"HTTP/1.1 403 No\r\n\r\n"), 403, NO, "403"),
    "chunks that are none": (says(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n",
                                  then="wait"), 403, NO, "403"),
    "chunks without end": (without_end(b"8\r\nxxxxxxxx\r\n" * 1000,
                                       b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n"), 403, NO, "403"),
    "two lengths": (says(b"HTTP/1.1 403 No\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nbody" + LEAK,
                         then="wait"), 502, BAD, "two ways"),
    "a length and chunks": (says(b"HTTP/1.1 403 No\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 b"4\r\nbody\r\n0\r\n\r\n" + LEAK, then="wait"), 502, BAD, "two ways"),
}


class Rude:
    """A TCP server that behaves as it is told to, one connection after the other."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.act, self.requests, self.after = None, [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.meet, args=(peer, self.act), daemon=True).start()

    def meet(self, peer, act):
        with peer:
            peer.settimeout(15)
            try:
                data = b""
                while b"\r\n\r\n" not in data:
                    more = peer.recv(65536)
                    if not more:
                        return
                    data += more
                self.requests.append(Request(data.partition(b"\r\n\r\n")[0]))
                self.after.append(data.partition(b"\r\n\r\n")[2])
                if act:
                    act(peer)
                    return
                peer.sendall(opening()(self.requests[-1]) + b"\x81\x02hi")
                while True:
                    more = peer.recv(4096)
                    if not more:
                        return
                    peer.sendall(more)
            except OSError:
                pass

    def close(self):
        self.socket.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    rude = Rude()
    config = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - {path: /app/**, to: "ws://127.0.0.1:%d", answer: 1500ms, connect: 1s}
journal: {file: journal.db}
""" % rude.port
    with gateway(tmp_path_factory.mktemp("rude"), config) as g:
        yield g, rude
    rude.close()


def descriptors(g):
    return len(os.listdir("/proc/%d/fd" % g.process.pid))


def opens_and_echoes(g, rude):
    """A usual handshake with the same server, and nothing from before in it."""
    rude.act = None
    with dial(g.port) as s:
        s.sendall(request(g.port, "/app/next"))
        got = b""
        while not got.endswith(b"\x81\x02hi"):
            more = s.recv(4096)
            assert more, got
            got += more
        assert got.startswith(LINE) and got.count(b"HTTP/1.1") == 1 and LEAK not in got
        s.sendall(b"\x81\x80\0\0\0\0")
        assert s.recv(100) == b"\x81\x80\0\0\0\0"
    assert rude.requests[-1].target == "/app/next"


@pytest.mark.parametrize("name", CASES)
def test_what_it_does_is_told_and_stays_where_it_is(pair, name):
    g, rude = pair
    act, status, cause, words = CASES[name]
    rude.act, before = act, len(rude.requests)
    began = time.time()
    with dial(g.port) as s:
        s.settimeout(10)
        s.sendall(request(g.port, "/app/x") + request(g.port, "/app/smuggled"))
        raw = read_all(s)
    a = Answer(raw)
    assert time.time() - began < 5
    assert a.status == status, raw[:300]
    assert "close" in a.fields["connection"] and len(a.body) == int(a.fields["content-length"])
    assert raw.count(b"HTTP/1.1 ") == 1 and LEAK not in raw, "one answer and no more"
    assert "transfer-encoding" not in a.fields and "upgrade" not in a.fields
    story = g.story(a.reference)
    assert story["cause"] == cause
    assert "127.0.0.1:%d" % rude.port in story["note"] and words in story["note"], story["note"]
    assert len(rude.requests) == before + 1, "nobody was asked again"
    assert rude.after[-1] == b"", "the server never saw what came behind"
    opens_and_echoes(g, rude)


def test_a_101_in_single_bytes_opens(pair):
    g, rude = pair
    rude.act = says(*[GOOD[i:i + 1] for i in range(len(GOOD))], b"\x81\x02ok", then="wait", pause=0.001)
    with dial(g.port) as s:
        s.sendall(request(g.port, "/app/x"))
        got = b""
        while not got.endswith(b"\x81\x02ok"):
            more = s.recv(4096)
            assert more, got
            got += more
    opens_and_echoes(g, rude)


def test_what_comes_behind_the_101_is_for_this_client_alone(pair):
    g, rude = pair
    rude.act = says(GOOD + b"\x81\x04" + LEAK, then="close")
    with dial(g.port) as s:
        s.sendall(request(g.port, "/app/x"))
        assert read_all(s).endswith(b"\r\n\r\n\x81\x04" + LEAK)
    opens_and_echoes(g, rude)


def test_a_client_that_leaves_first_takes_the_answer_with_it(pair):
    g, rude = pair

    def late(peer):
        time.sleep(0.3)
        peer.sendall(GOOD + LEAK)
    for _ in range(5):
        rude.act = late
        with dial(g.port) as s:
            s.sendall(request(g.port, "/app/x"))
            time.sleep(0.05)
        opens_and_echoes(g, rude)


def test_a_server_that_is_gone_and_one_that_takes_nobody(pair, tmp_path):
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = []
    for _ in range(8):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(full.getsockname())
        waiting.append(s)
    gone = free_port()
    config = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - {path: /gone, to: "ws://127.0.0.1:%d"}
  - {path: /full, to: "ws://127.0.0.1:%d", connect: 500ms}
journal: {file: journal.db}
""" % (gone, full.getsockname()[1])
    with gateway(tmp_path, config) as g:
        for path, status, words in (("/gone", 502, "refused"), ("/full", 504, "")):
            with dial(g.port) as s:
                s.sendall(request(g.port, path))
                a = Answer(read_all(s))
            story = g.story(a.reference)
            assert a.status == status and story["cause"] == DOWN, story
            assert words in story["note"] and story["upstream"] in story["note"]
    for s in waiting:
        s.close()
    full.close()


def test_in_the_end_nothing_is_left_open(pair):
    g, rude = pair
    opens_and_echoes(g, rude)
    end = time.time() + 5
    while descriptors(g) > 24:
        assert time.time() < end, descriptors(g)
        time.sleep(0.05)
