# SPDX-License-Identifier: MIT
"""Plays with the real gateway: who comes, what it says, what each sees."""
import asyncio
import base64
import hashlib
import json
import os
import re
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import websockets

from gateways import (KEY, REFERENCE, SESAME, UPGRADE, Answer, Gateway, ask, dial, gateway, opens,
                      read_all, reload, request, run, send)
from held import Held, sanitized

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/sesame.yaml"

ROUTES = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - path: /chat
    to: echo
    allow:
      origins: [https://app.example, "https://*.example.org"]
  - path: /echo
    to: echo
  - path: /agents
    to: echo
    allow: {user_agents: ["*", "!*badbot*"]}
  - path: /here
    to: echo
    allow: {addresses: ["0.0.0.0/0", "!127.0.0.1"]}
  - path: /watched
    to: echo
    mode: observe
    allow: {origins: [https://app.example]}
  - path: /small
    to: echo
    limits: {message: 100, route_connections: 1}
journal: {file: journal.db}
"""


@pytest.fixture
def gate(tmp_path):
    with gateway(tmp_path, ROUTES) as g:
        yield g


# ---- The two flows ----

def test_an_echo_comes_back_in_every_size(gate):
    async def play():
        async with websockets.connect(gate.url + "/echo", max_size=None) as ws:
            for message in ("open, sesame", "", "ä" * 300, b"\0\xff" * 70000, "x" * 3000000):
                await ws.send(message)
                assert await ws.recv() == message
    asyncio.run(play())


def test_a_page_on_the_list_may_enter(gate):
    assert opens(gate.port, "/chat", "Origin: https://app.example")
    assert opens(gate.port, "/chat", "Origin: https://EU.example.org")


def test_a_foreign_origin_gets_a_sentence_and_a_reference_and_nothing_of_the_policy(gate):
    a = ask(gate.port, "/chat", "Origin: https://evil.example", "Cookie: session=1")
    assert a.status == 403
    assert "Forbidden: You don't have permission to access /chat on this server." in a.text
    assert REFERENCE.fullmatch(a.reference) and a.reference in a.text
    assert a.fields["connection"] == "close"
    assert a.fields["content-type"].startswith("text/plain")
    assert a.fields["x-content-type-options"] == "nosniff"
    assert a.fields["server"].startswith("sesame/")
    assert "app.example" not in a.text and "sesame.yaml" not in a.text


def test_who_prefers_json_gets_problem_details(gate):
    a = ask(gate.port, "/chat", "Origin: https://evil.example", "Accept: application/json")
    problem = json.loads(a.body)
    assert a.fields["content-type"] == "application/problem+json"
    assert problem["status"] == a.status == 403
    assert problem["title"] == "Forbidden" and problem["type"] == "about:blank"
    assert problem["reference"] == a.reference
    assert "permission to access /chat" in problem["detail"]


def test_why_names_the_rule_with_file_and_line_and_what_would_pass(gate):
    a = ask(gate.port, "/chat", "Origin: https://app.exmple", "User-Agent: demo/1")
    story = gate.story(a.reference)
    assert story["cause"] == "access.origin" and story["status"] == 403
    assert (story["file"], story["line"]) == ("sesame.yaml", 6)
    assert story["compared"] == story["origin"] == "https://app.exmple"
    assert story["nearest"] == "https://app.example"
    assert story["user_agent"] == "demo/1" and story["address"] == "127.0.0.1"
    text = gate.why(a.reference.lower().replace("-", "")).stdout
    assert "sesame.yaml:6" in text and "https://app.exmple" in text
    assert 'origins: [..., "https://app.exmple"]' in text


def test_check_takes_the_same_looks_as_serve(gate):
    cases = [
        ("/chat", "https://evil.example", "demo/1"),
        ("/chat", None, "demo/1"),
        ("/agents", None, "a BadBot 2"),
        ("/here", None, "demo/1"),
        ("/echo", "https://evil.example", "demo/1"),
        ("/nowhere", None, "demo/1"),
        ("/chat//x", None, "demo/1"),
    ]
    for path, origin, agent in cases:
        fields = ["User-Agent: " + agent] + (["Origin: " + origin] if origin else [])
        served = gate.story(ask(gate.port, path, *fields).reference)
        url = "ws://127.0.0.1:%d%s" % (gate.port, path)
        args = ["--url", url if "//x" not in path else path, "--user-agent", agent]
        r = run("check", "sesame.yaml", *args, *(["--origin", origin] if origin else []), "--json",
                cwd=gate.folder)
        dry = json.loads(r.stdout)
        assert r.returncode == 1 and not dry["admitted"], path
        for key in ("cause", "status", "trace"):
            if "//x" in path and key == "host":
                continue
            assert dry[key] == served[key], (path, key)


# ---- Rules ----

def test_the_default_lets_in_own_pages_and_programs_and_no_foreign_page(gate):
    """A browser brings its user's cookies along (CWE-1385)."""
    own = "Origin: http://127.0.0.1:%d" % gate.port
    assert opens(gate.port, "/echo")
    assert opens(gate.port, "/echo", own)
    for origin in ("https://evil.example", "null", "http://127.0.0.1", "http://localhost",
                   "http://127.0.0.1.evil.example:%d" % gate.port, "", "garbage"):
        a = ask(gate.port, "/echo", "Origin: " + origin, "Cookie: session=1")
        assert a.status == 403, origin


def test_an_excluded_user_agent_or_address_is_refused_and_the_others_enter(gate):
    assert opens(gate.port, "/agents", "User-Agent: friendly")
    a = ask(gate.port, "/agents", "User-Agent: the BADBOT")
    assert a.status == 403 and gate.story(a.reference)["rule"] == "!*badbot*"
    a = ask(gate.port, "/here")
    story = gate.story(a.reference)
    assert a.status == 403 and story["cause"] == "access.ip" and story["rule"] == "!127.0.0.1"


def test_an_unknown_path_is_404(gate):
    a = ask(gate.port, "/caht")
    assert a.status == 404 and "There is no WebSocket at /caht" in a.text
    story = gate.story(a.reference)
    assert story["cause"] == "url.path" and story["nearest"] == "/chat"


def test_an_observed_refusal_is_let_in_and_journalled(gate):
    assert opens(gate.port, "/watched", "Origin: https://evil.example")
    story = gate.last(1)[0]
    assert story["observed"] and story["cause"] == "access.origin"


def test_an_observed_refusal_is_not_blamed_for_what_fails_behind_it(tmp_path):
    up = Upstream(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    closed = socket.create_server(("127.0.0.1", 0))
    down = closed.getsockname()[1]
    closed.close()
    route = "  - {path: /%s, to: 'ws://127.0.0.1:%d', mode: observe, allow: {origins: [https://app.example]}}\n"
    config = "listen: [{address: '127.0.0.1:0'}]\nroutes:\n%s%sjournal: {file: journal.db}\n" % (
        route % ("down", down), route % ("no", up.port))
    try:
        with gateway(tmp_path, config) as g:
            for path, cause in (("/down", "server.backend-down"), ("/no", "server.app-rejected")):
                a = ask(g.port, path, "Origin: https://evil.example")
                story = g.story(a.reference)
                assert story["cause"] == cause and not story["observed"]
                assert "check" not in story and "origins" not in story["advice"], story
                observed = g.last(2)[1]
                assert observed["observed"] and observed["check"] == "origin"
    finally:
        up.close()


def test_limits_close_with_1009_and_refuse_with_503(gate):
    async def play():
        async with websockets.connect(gate.url + "/small") as ws:
            a = await asyncio.get_running_loop().run_in_executor(None, ask, gate.port, "/small")
            assert a.status == 503
            assert gate.story(a.reference)["cause"] == "server.limit"
            await ws.send("x" * 101)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.code == 1009
        assert opens(gate.port, "/small")
    asyncio.run(play())


@pytest.mark.parametrize("disclose,told", [("reason", ["access.origin"]),
                                           ("full", ["access.origin", "sesame.yaml:5"])])
def test_what_a_client_is_told_is_the_operator_s_choice(tmp_path, disclose, told):
    config = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - path: /chat
    to: echo
    allow: {origins: [https://app.example]}
refusal: {disclose: %s}
journal: {file: none}
""" % disclose
    with gateway(tmp_path, config) as g:
        a = ask(g.port, "/chat", "Origin: https://evil.example")
        j = ask(g.port, "/chat", "Origin: https://evil.example", "Accept: application/json")
    for word in told:
        assert word in a.text
    assert json.loads(j.body)["cause"] == "access.origin"
    assert ("line" in json.loads(j.body)) == (disclose == "full")


# ---- Bad input ----

SMUGGLED = b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"
BAD_HEADS = {
    "a body with Upgrade": (400, lambda p: request(p, "/echo", "Content-Length: 5") + b"hello"),
    "a chunked body": (400, lambda p: request(p, "/echo", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
    "two lengths": (400, lambda p: request(p, "/echo", "Content-Length: 0", "Content-Length: 5") + b"hello"),
    "two lengths, the last none": (400, lambda p: request(p, "/echo", "Content-Length: 5", "Content-Length: 0") + b"hello"),
    "a negative length": (400, lambda p: request(p, "/echo", "Content-Length: -1")),
    "NUL in a value": (400, lambda p: request(p, "/echo", "X: a\0b")),
    "CR in a value": (400, lambda p: request(p, "/echo", "X: a\rb")),
    "a bare LF": (400, lambda p: request(p, "/echo", "X: a\nY: b")),
    "a folded field": (400, lambda p: request(p, "/echo", "X: a\r\n b")),
    "a blank before the colon": (400, lambda p: request(p, "/echo", "X : a")),
    "not HTTP at all": (400, lambda p: b"\x00\x01\x02 \xff\xfe\r\n\r\n"),
    "TLS at a plain door": (400, lambda p: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 64),
    "HTTP/3.0": (505, lambda p: b"GET /echo HTTP/3.0\r\nHost: x\r\n\r\n"),
    "no Host": (400, lambda p: b"GET /echo HTTP/1.1\r\n" + UPGRADE.encode() + b"\r\n"),
    "two Hosts": (400, lambda p: request(p, "/echo", "Host: evil.example")),
    "two Origins": (400, lambda p: request(p, "/chat", "Origin: https://app.example",
                                           "Origin: https://evil.example")),
    "two User-Agents": (400, lambda p: request(p, "/agents", "User-Agent: fine", "User-Agent: badbot")),
    "POST": (405, lambda p: request(p, "/echo").replace(b"GET", b"POST", 1)),
    "no Upgrade": (426, lambda p: request(p, "/echo", upgrade="")),
    "version 8": (426, lambda p: request(p, "/echo").replace(b"Version: 13", b"Version: 8")),
    "a short key": (400, lambda p: request(p, "/echo").replace(KEY.encode(), b"c2hvcnQ=")),
    "too many fields": (431, lambda p: request(p, "/echo", *["X%d: y" % i for i in range(300)])),
    "a very long field": (431, lambda p: request(p, "/echo", "Cookie: " + "c" * 12000)),
    "a very long target": (414, lambda p: request(p, "/" + "t" * 12000)),
    "a foreign origin": (403, lambda p: request(p, "/echo", "Origin: https://evil.example")),
    "no route": (404, lambda p: request(p, "/nowhere")),
    "an encoded slash": (400, lambda p: request(p, "/echo%2f")),
    "a dot segment": (400, lambda p: request(p, "/x/../echo")),
    "an absolute target": (400, lambda p: request(p, "http://evil.example/echo")),
}


@pytest.mark.parametrize("name", sorted(BAD_HEADS))
def test_a_bad_head_gets_its_status_and_nothing_behind_it_is_answered(gate, name):
    """Every refusal closes; what is pipelined behind it is dropped."""
    status, make = BAD_HEADS[name]
    raw = send(gate.port, make(gate.port) + SMUGGLED + request(gate.port, "/echo"))
    answer = Answer(raw)
    assert answer.status == status
    assert answer.fields["connection"].startswith("close")
    assert raw.count(b"HTTP/1.1 ") == 1
    assert len(answer.body) == int(answer.fields["content-length"])
    if name == "no Upgrade":  # a page that is looked at, or a health check
        assert "is a WebSocket" in answer.text and "websocket" in answer.fields["upgrade"]
        assert not answer.reference and not gate.last()
    else:
        assert gate.story(answer.reference)["status"] == status
    assert opens(gate.port, "/echo"), "the gateway is still there"


def test_who_sends_a_body_behind_a_refused_handshake_is_not_cut_off(gate):
    """To close before it came would answer it with a reset (RFC 9112 9.6)."""
    refused = request(gate.port, "/chat", "Origin: https://evil.example", "Content-Length: 5")
    with dial(gate.port) as s:
        s.sendall(refused)
        assert Answer(read_all(s)).status == 403
        for piece in (b"hel", b"lo"):
            s.sendall(piece)  # which fails once the other side has reset
            time.sleep(0.1)


@pytest.mark.parametrize("upgrade", [
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n",
    "connection: upgrade\r\nUPGRADE: WebSocket\r\n",
    "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n",
    "Connection: ,Upgrade ,\r\nUpgrade:websocket \t\r\n",
])
def test_the_ways_to_write_a_lawful_upgrade(gate, upgrade):
    rest = UPGRADE.split("\r\n", 2)[2]
    with dial(gate.port) as s:
        s.sendall(request(gate.port, "/echo", upgrade=upgrade + rest))
        assert s.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_half_a_head_and_then_the_end_is_400(gate):
    with dial(gate.port) as s:
        s.sendall(request(gate.port, "/echo")[:60])
        s.shutdown(socket.SHUT_WR)
        assert Answer(read_all(s)).status == 400


def test_a_head_of_one_megabyte_is_cut_off(gate):
    with dial(gate.port) as s:
        got = b""
        try:
            s.sendall(b"GET /echo HTTP/1.1\r\n" + b"X: " + b"a" * (1 << 20))
            got = read_all(s)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert not got or Answer(got).status == 431
    assert opens(gate.port, "/echo")


def test_a_head_in_single_bytes_is_read_like_one_in_one_piece(gate):
    with dial(gate.port) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(gate.port, "/echo"):
            s.sendall(bytes([byte]))
        assert s.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_a_head_that_takes_too_long_is_cut(gate):
    start = time.monotonic()
    with dial(gate.port) as slow, dial(gate.port) as mute:
        slow.settimeout(20)
        mute.settimeout(20)
        slow.sendall(b"GET /echo HTTP/1.1\r\n")
        assert Answer(read_all(slow)).status == 408
        assert read_all(mute) == b""
    assert 9 < time.monotonic() - start < 14


def test_what_a_client_sends_cannot_control_a_terminal(gate):
    """ESC, CR/LF, line separators and odd UTF-8 in every logged field."""
    a = ask(gate.port, "/chat", "Origin: https://x\u00ff\u009b31m.example",
            "User-Agent: a\x85b\u00e2\u0080\u00a8c\u00c2\u009b31m")
    out = gate.why(a.reference).stdout + gate.why("--last").stdout
    out += (gate.folder / "err").read_text()
    assert "\\x" in out
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]", out)


def test_what_a_client_sends_cannot_end_its_field_of_the_log(gate):
    """A quote or a backslash would let it write fields of the gateway's own."""
    forged = 'x" origin="https://app.example'
    ask(gate.port, "/chat", "Origin: " + forged)
    ask(gate.port, "/chat", "Origin: https://evil.example\\")
    ask(gate.port, "/chat", "Origin: a\x9b\\x0z")
    ask(gate.port, '/chat?"', "Origin: null")
    line = re.compile(r'\S+ refused \S+ (403|400) \S+ 127\.0\.0\.1 "[^"]*"( origin="[^"]*")?'
                      r'( sesame\.yaml:6| \([^"]*\))?$')
    lines = [l for l in (gate.folder / "err").read_text().splitlines() if " refused " in l]
    assert len(lines) == 4
    for l in lines:
        assert line.match(l), l
    assert 'origin="x\\x22 origin=\\x22https://app.example"' in lines[0]
    assert 'origin="https://evil.example\\x5c"' in lines[1]
    assert 'origin="a\\x9b\\x5cx0z"' in lines[2]


def test_a_target_that_is_no_path_is_told_as_that(gate):
    for target in ("http://127.0.0.1/chat", "*"):
        a = ask(gate.port, target)
        assert a.status == 400 and "begin with a slash" in a.text, a.text
        assert "begin with a slash" in gate.why(a.reference).stdout
    assert "more than one way" in ask(gate.port, "/chat//x").text


def test_the_page_of_a_refusal_reflects_the_path_as_plain_text_alone(gate):
    a = ask(gate.port, "/<script>alert(1)</script>?secret=1")
    assert a.fields["content-type"].startswith("text/plain")
    assert a.fields["x-content-type-options"] == "nosniff"
    assert "secret" not in a.text


# ---- Upstream ----

class Upstream:
    """A server that answers each connection with fixed bytes and keeps what came."""

    def __init__(self, answer, last_words=b""):
        self.last_words = last_words
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        self.heads, self.after = [], []
        self.connections = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            with s:
                s.settimeout(3)
                data = b""
                while b"\r\n\r\n" not in data:
                    more = s.recv(65536)
                    if not more:
                        break
                    data += more
                head, _, rest = data.partition(b"\r\n\r\n")
                self.heads.append(head.decode("latin-1"))
                s.sendall(self.answer)
                try:
                    while True:
                        more = s.recv(65536)
                        if not more:
                            break
                        rest += more
                    s.sendall(self.last_words)
                except OSError:
                    pass
                self.after.append(rest)

    def close(self):
        self.socket.close()


def accept_of(key):
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()


def proxy_config(port, more=""):
    return """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - path: /app/**
    to: ws://127.0.0.1:%d
    allow: {origins: ["*"]}
%sjournal: {file: journal.db}
""" % (port, more)


REJECTIONS = {
    "403": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-App: yes\r\n\r\nnope", 403, "server.app-rejected"),
    "401": (b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 401, "server.app-rejected"),
    "400 chunked": (b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n0\r\n\r\n", 400, "server.app-rejected"),
    "426": (b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n", 426, "server.app-rejected"),
    "200": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "server.app-rejected"),
    "200 with upgrade": (b"HTTP/1.1 200 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                         + accept_of(KEY).encode() + b"\r\nContent-Length: 0\r\n\r\n", 200, "server.app-rejected"),
    "302": (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", 302, "server.app-rejected"),
    "101 without Accept": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 502, "server.bad-accept"),
    "101 with a wrong Accept": (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", 502, "server.bad-accept"),
    "101 without Upgrade": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                            + accept_of(KEY).encode() + b"\r\n\r\n", 502, "server.bad-accept"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9\r\n\r\n", 502, "server.bad-accept"),
}


ACCEPTANCE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Accept: " + accept_of(KEY).encode() + b"\r\n")
REJECTIONS |= {"101 " + name: (spoilt + b"\r\n", 502, "server.bad-accept") for name, spoilt in {
    "without Connection": ACCEPTANCE.replace(b"Connection: Upgrade\r\n", b""),
    "of HTTP/1.0": ACCEPTANCE.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "with a body": ACCEPTANCE + b"Content-Length: 0\r\n",
    "with chunks": ACCEPTANCE + b"Transfer-Encoding: chunked\r\n",
    "with two Accepts": ACCEPTANCE + ACCEPTANCE[ACCEPTANCE.index(b"Sec-"):],
    "with an extension nobody offered": ACCEPTANCE + b"Sec-WebSocket-Extensions: x\r\n",
    "with a subprotocol nobody offered": ACCEPTANCE + b"Sec-WebSocket-Protocol: x\r\n"}.items()}


@pytest.mark.parametrize("name", sorted(REJECTIONS))
def test_only_a_verified_101_opens_the_tunnel(tmp_path, name):
    """The client's next bytes must not reach an upstream that did not accept."""
    answer, status, cause = REJECTIONS[name]
    up = Upstream(answer)
    try:
        with gateway(tmp_path, proxy_config(up.port)) as g:
            raw = send(g.port, request(g.port, "/app/x") + b"GET /app/admin HTTP/1.1\r\nHost: x\r\n\r\n")
            a = Answer(raw)
            assert a.status == status
            assert raw.count(b"HTTP/1.1 ") == 1
            assert "close" in a.fields["connection"]
            assert len(a.body) == int(a.fields["content-length"])
            assert gate_story_cause(g, a) == cause
        time.sleep(0.1)
        assert up.after == [b""] and up.connections == 1
        if name == "403":
            assert a.body == b"nope" and a.fields["x-app"] == "yes"
        if name == "400 chunked":
            assert a.body == b"nope" and "transfer-encoding" not in a.fields
        if name.startswith("200"):
            assert "upgrade" not in a.fields
    finally:
        up.close()


def gate_story_cause(g, answer):
    return g.story(answer.reference)["cause"]


def test_a_request_with_a_body_never_reaches_the_upstream(tmp_path):
    up = Upstream(b"")
    try:
        with gateway(tmp_path, proxy_config(up.port)) as g:
            assert ask(g.port, "/app/x", "Content-Length: 3").status == 400
            assert ask(g.port, "/app/x", upgrade="").status == 426
            assert ask(g.port, "/app/%2e%2e/admin").status == 400
        assert up.connections == 0
    finally:
        up.close()


def test_what_the_upstream_is_sent(tmp_path):
    """Forwarding fields of the client's own making are dropped under each alias,
    and Connection cannot take fields away that rules were made on."""
    up = Upstream(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    try:
        with gateway(tmp_path, proxy_config(up.port)) as g:
            ask(g.port, "/app/x?y=%20z", "Origin: https://app.example", "Cookie: a=b",
                "X-Forwarded-For: 6.6.6.6", "X_Forwarded_Proto: https", "x-forwarded-prefix: /x",
                "Forwarded: for=6.6.6.6", "X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.6",
                *(name + ": 6.6.6.6" for name in (
                    "CF-Connecting-IP", "CF-Connecting-IPv6", "X-SSL-Client-Verify", "X_SSL_Client_S_DN", "X-Host",
                    "X-HTTP-Host-Override", "X-Scheme", "Fastly-Client-IP", "X-Envoy-External-Address",
                    "X-Azure-ClientIP", "SSL-Client-Cert", "Ssl_Client_Verify", "Client-Cert", "Expect")),
                "X.Forwarded.For: 6.6.6.6", "X-Forwarded: for=6.6.6.6", "Client-IP: 6.6.6.6",
                "Proxy: http://6.6.6.6", "Transfer_Encoding: chunked", "User_Agent: 6.6.6.6",
                "Sec_WebSocket_Key: 6.6.6.6",
                "Keep-Alive: 5", "TE: trailers", "X-Hop: 1", "X-Kept: 1",
                "Connection: X-Hop, Origin, Cookie, X-Forwarded-For", "Sec-WebSocket-Protocol: a, b")
            host = "127.0.0.1:%d" % g.port
    finally:
        up.close()
    lines = up.heads[0].split("\r\n")
    fields = [(l.split(":", 1)[0].lower(), l.split(":", 1)[1].strip()) for l in lines[1:]]
    have = dict(fields)
    assert lines[0] == "GET /app/x?y=%20z HTTP/1.1"
    assert have["host"] == host and have["x-forwarded-host"] == host
    assert [v for k, v in fields if k.replace("_", "-") == "x-forwarded-for"] == ["127.0.0.1"]
    assert [v for k, v in fields if k.replace("_", "-") == "x-forwarded-proto"] == ["http"]
    assert have["origin"] == "https://app.example" and have["cookie"] == "a=b"
    assert have["sec-websocket-protocol"] == "a, b" and have["x-kept"] == "1"
    assert "6.6.6.6" not in up.heads[0]
    assert have["forwarded"] == 'for=127.0.0.1;proto=http;host="%s"' % host
    for name in ("x-forwarded-prefix", "x-real-ip", "x_real_ip", "keep-alive", "te", "x-hop",
                 "transfer_encoding"):
        assert name not in have
    assert [v.lower() for k, v in fields if k == "connection"] == ["upgrade"]
    assert len([k for k, _ in fields if k == "sec-websocket-key"]) == 1


INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"


@pytest.mark.parametrize("interim, status", [
    (b"HTTP/1.1 100 Continue\r\n\r\n", 101), (INTERIM * 8, 101), (INTERIM * 9, 502), (INTERIM * 2000, 502)])
@pytest.mark.parametrize("pause", [0, 0.1])
def test_interim_answers_are_passed_over_but_not_for_ever(tmp_path, interim, status, pause):
    accepted = ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(KEY)).encode()

    def answer():
        s, _ = server.accept()
        with s:
            s.recv(65536)
            try:
                s.sendall(interim[:-5])
                time.sleep(pause)
                s.sendall(interim[-5:] + accepted + b"\x81\x02hi")
                s.recv(1)
            except OSError:
                pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, daemon=True).start()
        with gateway(tmp_path, proxy_config(server.getsockname()[1])) as g:
            with dial(g.port) as s:
                s.sendall(request(g.port, "/app/x"))
                got = s.recv(4096)
                assert got.startswith(b"HTTP/1.1 %d " % status), got
                if status == 101:
                    while not got.endswith(b"\r\n\r\n\x81\x02hi"):
                        more = s.recv(4096)
                        assert more
                        got += more


def test_a_real_server_behind_the_gateway(tmp_path):
    async def handler(ws, *_):
        async for message in ws:
            await ws.send(message)

    async def play():
        async with websockets.serve(handler, "127.0.0.1", 0, subprotocols=["chat.v1"], max_size=None) as server:
            port = server.sockets[0].getsockname()[1]
            with gateway(tmp_path, proxy_config(port)) as g:
                async with websockets.connect(g.url + "/app/x", subprotocols=["chat.v1"], max_size=None) as ws:
                    assert ws.subprotocol == "chat.v1"
                    for message in ("hello", b"b" * 5000000):
                        await ws.send(message)
                        assert await ws.recv() == message
                    # the closing handshake is the two ends' own
                    await ws.close(4001, "done")
                    assert ws.close_code == 4001
                assert g.last() == []
    asyncio.run(play())


def test_frames_sent_before_the_101_reach_the_upstream_after_it(tmp_path):
    up = Upstream(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(KEY)).encode() + b"\x81\x02hi", b"last words")
    try:
        with gateway(tmp_path, proxy_config(up.port)) as g:
            with dial(g.port) as s:
                s.sendall(request(g.port, "/app/x") + b"early")
                got = b""
                while not got.endswith(b"\x81\x02hi"):
                    got += s.recv(4096)
                s.sendall(b"late")
                s.shutdown(socket.SHUT_WR)
                assert read_all(s) == b"last words", "a half-closed tunnel still speaks"
            for _ in range(50):
                if up.after:
                    break
                time.sleep(0.05)
        assert up.after == [b"earlylate"]
    finally:
        up.close()


def test_a_slow_reader_slows_the_sender_down_and_memory_stays_bounded(tmp_path):
    sent = [0]
    done = threading.Event()

    def flood():
        s, _ = server.accept()
        with s:
            s.recv(65536)
            s.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(KEY)).encode())
            s.settimeout(20)
            try:
                for _ in range(1000):
                    s.sendall(b"x" * 65536)
                    sent[0] += 65536
            except OSError:
                pass
        done.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=flood, daemon=True).start()
        with gateway(tmp_path, proxy_config(server.getsockname()[1])) as g:
            with dial(g.port) as s:
                before = rss_and_descriptors(g.process.pid)[0]
                s.sendall(request(g.port, "/app/x"))
                time.sleep(1.5)
                held = sent[0]
                time.sleep(0.5)
                assert sent[0] == held < 65536 * 1000, "the sender waits"
                if not sanitized(SESAME):
                    assert rss_and_descriptors(g.process.pid)[0] - before < 16384
                got = 0
                while got < 65536 * 1000:
                    data = s.recv(1 << 20)
                    assert data
                    got += len(data)
                assert done.wait(10)
            time.sleep(0.2)
            assert rss_and_descriptors(g.process.pid)[1] < 20


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 101 Swi", b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n"])
def test_an_upstream_that_hangs_up_in_its_answer_is_502(tmp_path, said):
    def answer():
        s, _ = server.accept()
        with s:
            s.recv(65536)
            s.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, daemon=True).start()
        with gateway(tmp_path, proxy_config(server.getsockname()[1])) as g:
            a = ask(g.port, "/app/x")
            assert a.status == 502
            assert gate_story_cause(g, a) == "server.backend-down"


def test_a_client_that_leaves_while_the_upstream_is_asked_is_not_waited_for(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        with gateway(tmp_path, proxy_config(mute.getsockname()[1])) as g:
            before = rss_and_descriptors(g.process.pid)[1]
            for _ in range(20):
                with dial(g.port) as s:
                    s.sendall(request(g.port, "/app/x"))
                    time.sleep(0.01)
            time.sleep(0.5)
            assert rss_and_descriptors(g.process.pid)[1] <= before


def test_a_silent_connection_ends_after_its_idle_time(tmp_path):
    up = Upstream(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(KEY)).encode())
    config = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - {path: /app, to: "ws://127.0.0.1:%d", limits: {idle: 1s}}
  - {path: /echo, to: echo, limits: {idle: 1s}}
journal: {file: none}
""" % up.port

    async def answer_pings(g):
        async with websockets.connect(g.url + "/echo", ping_interval=None) as ws:
            await asyncio.sleep(2)
            await ws.send("still here")
            assert await ws.recv() == "still here"

    try:
        with gateway(tmp_path, config) as g:
            for path in ("/app", "/echo"):
                with dial(g.port) as s:
                    s.sendall(request(g.port, path))
                    start = time.monotonic()
                    assert read_all(s).startswith(b"HTTP/1.1 101 ")
                    assert 0.8 < time.monotonic() - start < 4, path
            asyncio.run(answer_pings(g))
    finally:
        up.close()


def test_an_upstream_that_is_down_is_502_and_one_that_hangs_is_504(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        closed = socket.create_server(("127.0.0.1", 0))
        down = closed.getsockname()[1]
        closed.close()
        more = "  - path: /down\n    to: ws://127.0.0.1:%d\n" % down
        with gateway(tmp_path, proxy_config(port, more)) as g:
            a = ask(g.port, "/down")
            assert a.status == 502
            story = g.story(a.reference)
            assert story["cause"] == "server.backend-down" and str(down) in story["note"]
            with dial(g.port) as s:
                s.settimeout(20)
                s.sendall(request(g.port, "/app/x"))
                a = Answer(read_all(s))
            assert a.status == 504
            assert gate_story_cause(g, a) == "server.backend-down"


# ---- TLS ----

@pytest.fixture
def certificate(tmp_path):
    def make(name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", str(tmp_path / (name + ".key")), "-out",
                        str(tmp_path / (name + ".pem")), "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True)
    make("server")
    make("other")
    return tmp_path


TLS = """\
listen:
  - address: "127.0.0.1:0"
    tls: {certificate: server.pem, key: server.key%s}
routes: [{path: /echo, to: echo}]
journal: {file: journal.db}
"""


def test_wss_echoes_and_plain_bytes_are_told_to_use_it(certificate):
    context = ssl.create_default_context(cafile=str(certificate / "server.pem"))

    async def play(g):
        async with websockets.connect(g.url + "/echo", ssl=context) as ws:
            await ws.send("x" * 200000)
            assert await ws.recv() == "x" * 200000

    with gateway(certificate, TLS % "") as g:
        assert g.url.startswith("wss://")
        asyncio.run(play(g))
        a = ask(g.port, "/echo")
        assert a.status == 400 and "wss://" in a.text
        assert gate_story_cause(g, a) == "url.scheme"


def test_a_client_certificate_may_be_required(certificate):
    context = ssl.create_default_context(cafile=str(certificate / "server.pem"))
    config = TLS % ", client_ca: other.pem, client_cert: required"

    async def play(g):
        with pytest.raises((ssl.SSLError, ConnectionError, websockets.WebSocketException, OSError)):
            async with websockets.connect(g.url + "/echo", ssl=context):
                pass
        context.load_cert_chain(certificate / "other.pem", certificate / "other.key")
        async with websockets.connect(g.url + "/echo", ssl=context) as ws:
            await ws.send("hi")
            assert await ws.recv() == "hi"

    with gateway(certificate, config) as g:
        asyncio.run(play(g))
        assert [s["cause"] for s in g.last()] == ["access.client-cert"]


def test_a_key_of_another_certificate_is_a_fault_of_the_file(certificate):
    (certificate / "c.yaml").write_text((TLS % "").replace("server.key", "other.key"))
    for command in (["check", "c.yaml"], ["serve", "-c", "c.yaml"]):
        r = run(*command, cwd=certificate)
        assert r.returncode == 2 and re.search(r"c\.yaml:3:\d+: ", r.stderr), r.stderr


# ---- Start and stop ----

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_with_1001_and_ends_with_0(tmp_path, number):
    async def play(g):
        async with websockets.connect(g.url + "/echo") as ws:
            await ws.send("hi")
            await ws.recv()
            g.process.send_signal(number)
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await ws.recv()
            assert closed.value.code == 1001

    g = Gateway(tmp_path, ROUTES)
    try:
        asyncio.run(play(g))
    finally:
        assert g.stop() == 0


def test_a_reload_keeps_the_connections_of_routes_that_stay(tmp_path):
    async def play(g):
        async with websockets.connect(g.url + "/echo") as stays, \
                websockets.connect(g.url + "/small") as goes:
            changed = ROUTES.replace("/small", "/other").replace(
                "  - path: /echo\n    to: echo\n",
                "  - path: /echo\n    to: echo\n    allow: {user_agents: [nobody]}\n")
            reload(g, changed, "reloaded")
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(goes.recv(), 5)
            assert closed.value.code == 1001
            for i in range(3):
                await stays.send("still here %d" % i)
                assert await stays.recv() == "still here %d" % i
        assert ask(g.port, "/echo").status == 403
        assert ask(g.port, "/small").status == 404
        assert opens(g.port, "/other")

    with gateway(tmp_path, ROUTES) as g:
        asyncio.run(play(g))


@pytest.mark.parametrize("bad, words", [
    ("routes: [{path: /echo, to: ech}]\n", "sesame.yaml:1:28: to: `ech`"),
    ("routes:\n", "routes"),
    (ROUTES.replace("127.0.0.1:0", "192.0.2.1:9999"), "192.0.2.1:9999"),
    (None, "cannot be opened")])
def test_a_bad_file_changes_nothing(tmp_path, bad, words):
    with gateway(tmp_path, ROUTES) as g:
        if bad is None:
            g.config.unlink()
            g.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            log = (tmp_path / "err").read_text()
            assert words in log and "the old configuration stays" in log
        else:
            reload(g, bad, "the old configuration stays")
            assert words in (tmp_path / "err").read_text()
        assert opens(g.port, "/echo")
        g.config.write_text(ROUTES)


def test_a_reload_opens_and_closes_listeners(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with gateway(tmp_path, ROUTES) as g:
        two = '[{address: "127.0.0.1:0"}, {address: "127.0.0.1:%d"}]' % port
        more = ROUTES.replace('[{address: "127.0.0.1:0"}]', two)
        reload(g, more, "reloaded")
        assert opens(port, "/echo") and opens(g.port, "/echo")
        reload(g, ROUTES, "reloaded")
        assert opens(g.port, "/echo")
        with pytest.raises(ConnectionRefusedError):
            for _ in range(50):
                dial(port).close()
                time.sleep(0.05)


def test_two_workers_share_port_journal_and_limits(tmp_path):
    config = ROUTES.replace("listen:", "workers: 2\nlisten:", 1)
    with gateway(tmp_path, config) as g:
        threads = set()
        for task in Path("/proc/%d/task" % g.process.pid).iterdir():
            threads.add(task.name)
        assert len(threads) >= 4  # the house, two workers, the journal
        held = [dial(g.port) for _ in range(8)]
        opened = 0
        for s in held:
            s.sendall(request(g.port, "/small"))
            opened += s.recv(4096).startswith(b"HTTP/1.1 101 ")
        assert opened == 1
        for s in held:
            s.close()
        references = {ask(g.port, "/nowhere").reference for _ in range(20)}
        assert len(references) == 20
        time.sleep(0.3)
        assert all(g.story(r)["cause"] == "url.path" for r in references)


def test_the_second_signal_does_not_wait(tmp_path):
    g = Gateway(tmp_path, ROUTES)
    try:
        with dial(g.port) as s:
            s.sendall(request(g.port, "/echo"))
            s.recv(4096)
            g.process.send_signal(signal.SIGINT)
            time.sleep(0.3)
            assert g.process.poll() is None, "it waits for a peer that does not close"
            g.process.send_signal(signal.SIGINT)
            assert g.process.wait(3) == 0
    finally:
        g.stop()


def test_a_log_that_nobody_reads_stops_nobody(tmp_path):
    """Standard error as a pipe that is full: handshakes go on, and so does SIGTERM."""
    (tmp_path / "sesame.yaml").write_text(ROUTES)
    reader, writer = os.pipe()
    process = subprocess.Popen([SESAME, "serve", "-c", "sesame.yaml"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=writer, text=True)
    try:
        port = int(next(l for l in process.stdout if "listening" in l).rsplit(":", 1)[1])
        held = Held(process.pid)
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writer, True)
        for _ in range(5):
            assert ask(port, "/nowhere").status == 404
        held.check()
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(reader)
        os.close(writer)


def test_a_port_in_use_is_a_sentence_with_a_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        r = run("serve", "--listen", address, "--journal", "none", cwd=tmp_path)
    assert r.returncode == 3
    assert address in r.stderr and "another program has this port" in r.stderr
    assert len(r.stderr.strip().splitlines()) == 1


def test_listen_says_what_it_takes_the_place_of(certificate):
    (certificate / "c.yaml").write_text("""\
listen:
  - address: 127.0.0.1:1
  - address: 127.0.0.1:2
    tls: {certificate: server.pem, key: server.key}
routes: [{path: /, to: echo}]
""")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        r = run("serve", "-c", "c.yaml", "--journal", "none", "--listen",
                "127.0.0.1:%d" % taken.getsockname()[1], cwd=certificate)
    assert "plain ws://, without the TLS of c.yaml:3" in r.stderr, r.stderr
    assert "all 2 listeners of c.yaml" in r.stderr


def test_listen_is_for_clients_without_a_proxy(tmp_path):
    (tmp_path / "c.yaml").write_text("""\
listen: [{address: "127.0.0.1:1", proxy_protocol: true}]
trusted_proxies: [127.0.0.1]
routes: [{path: /, to: echo}]
""")
    with open(tmp_path / "err", "w+") as err:
        p = subprocess.Popen([SESAME, "serve", "-c", "c.yaml", "--journal", "none", "--listen", "127.0.0.1:0"],
                             cwd=tmp_path, stdout=subprocess.PIPE, stderr=err, text=True)
        try:
            for line in p.stdout:
                if "listening on " in line:
                    break
            held = Held(p.pid)
            assert opens(int(line.rsplit(":", 1)[1]), "/")
            held.check()
        finally:
            p.kill()
            p.wait()
            p.stdout.close()
        assert "without the proxy_protocol of c.yaml:1" in (tmp_path / "err").read_text()


def test_without_a_configuration_it_echoes_and_says_so(tmp_path):
    p = subprocess.Popen([SESAME, "serve", "--listen", "127.0.0.1:0", "--journal", "none"], cwd=tmp_path,
                         stdout=subprocess.PIPE, text=True)
    try:
        lines = [p.stdout.readline() for _ in range(3)]
        port = int(re.search(r"ws://127\.0\.0\.1:(\d+)", "".join(lines)).group(1))
        assert "no configuration" in "".join(lines)
        held = Held(p.pid)
        assert opens(port, "/any/path")
        held.check()
    finally:
        p.send_signal(signal.SIGTERM)
        assert p.wait(15) == 0
        p.stdout.close()


def test_out_of_descriptors_it_waits_and_comes_back(tmp_path):
    config = tmp_path / "sesame.yaml"
    config.write_text(ROUTES)
    p = subprocess.Popen([SESAME, "serve", "-c", "sesame.yaml"], cwd=tmp_path, stdout=subprocess.PIPE,
                         stderr=open(tmp_path / "err", "w"), text=True,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)))
    try:
        port = 0
        while not port:
            found = re.search(r"ws://127\.0\.0\.1:(\d+)", p.stdout.readline())
            port = int(found.group(1)) if found else 0
        held = Held(p.pid)
        crowd = [dial(port) for _ in range(60)]
        time.sleep(0.5)
        assert p.poll() is None
        assert "ulimit -n" in (tmp_path / "err").read_text()
        for s in crowd:
            s.close()
        time.sleep(0.5)
        assert opens(port, "/echo")
        held.check()
    finally:
        p.send_signal(signal.SIGTERM)
        assert p.wait(15) == 0
        p.stdout.close()


# ---- Configuration ----

BAD_CONFIG = """\
listen:
  - adress: 127.0.0.1:8080
  - address: 127.0.0.1:99999
  - address: 127.0.0.1:1
    tls: {certificate: missing.pem}
routes:
  - path: /chat
    to: ehco
    allow:
      origns: []
      origins: [app.example, "https://*app.example", "https://app.example*", "https://a.example/x"]
      addresses: [10.0.0.0/33]
    limits: {message: lots}
  - path: /chat
    to: echo
    to: echo
"""


def test_all_faults_of_a_file_are_told_in_one_run_in_its_order(tmp_path):
    (tmp_path / "c.yaml").write_text(BAD_CONFIG)
    wanted = [(2, "did you mean `address`"), (3, "0 to 65535"), (5, "missing.pem"), (8, "did you mean `echo`"),
              (10, "did you mean `origins`"), (11, "no scheme"), (11, "wildcard"), (11, "wildcard"), (11, "path"),
              (12, "0 to 32"), (13, "a size"), (14, "already, at line 7"), (16, "second time")]
    for command in (["check", "c.yaml"], ["serve", "-c", "c.yaml"]):
        r = run(*command, cwd=tmp_path)
        assert r.returncode == 2
        lines = r.stderr.splitlines()
        places = [int(re.match(r"c\.yaml:(\d+):\d+: ", l).group(1)) for l in lines]
        assert places == sorted(places)
        for line, words in wanted:
            assert any(p == line and words in l for p, l in zip(places, lines)), (line, words, r.stderr)


@pytest.mark.parametrize("text", ["", "\n\n", "just words", "[a, b]", "a: [b", "\x00\x01", "routes: []\n",
                                  "routes:\n", "routes: [1]\n", "a: &x [*x]\n", "\xff\xfe", "%YAML 9.9\n---\na",
                                  "routes: &r [{path: /, to: echo}]\nlisten: *r\n", "{" * 500, "- " * 5000])
def test_what_is_no_configuration_is_refused_with_2(tmp_path, text):
    (tmp_path / "c.yaml").write_bytes(text.encode("latin-1"))
    r = run("check", "c.yaml", cwd=tmp_path)
    assert r.returncode == 2 and r.stderr.startswith("c.yaml:"), r.stderr
    assert run("serve", "-c", "c.yaml", cwd=tmp_path).returncode == 2


def test_a_missing_file_and_a_folder_are_no_configuration(tmp_path):
    for name in ("nothing.yaml", "."):
        for command in (["check", name], ["serve", "-c", name]):
            r = run(*command, cwd=tmp_path)
            assert r.returncode == 2 and name in r.stderr


def test_the_example_passes_and_its_rules_are_what_its_comments_say():
    assert run("check", str(EXAMPLE)).returncode == 0
    assert run("check", str(EXAMPLE), "--url", "/chat", "--origin", "https://app.example").returncode == 0
    r = run("check", str(EXAMPLE), "--url", "/chat", "--origin", "https://evil.example")
    line = 1 + EXAMPLE.read_text().splitlines().index("      origins:")
    assert r.returncode == 1 and "sesame.yaml:%d" % line in r.stdout


def test_wrong_usage_is_2_and_says_what_is_right(tmp_path):
    cases = [(["serve", "--lisen", "x"], "--listen"), (["serve", "x.yaml"], "-c x.yaml"),
             (["serve", "--listen", "nowhere"], "--listen"), (["check", "--urll", "x"], "--url"),
             (["check", str(EXAMPLE), "--url", "wss//x"], "--url"),
             (["check", str(EXAMPLE), "--url", "/x", "--from", "here"], "--from"),
             (["why"], "--last"), (["why", "what?"], "7K2M-Q4XD"), (["why", "--jsn"], "--json")]
    for command, words in cases:
        r = run(*command, cwd=tmp_path)
        assert r.returncode == 2 and words in r.stderr, (command, r.stderr)


# ---- Journal ----

def test_an_unknown_reference_is_1_with_the_nearest_one(gate):
    a = ask(gate.port, "/nowhere")
    gate.story(a.reference)
    typo = a.reference[:-1] + ("0" if a.reference[-1] != "0" else "1")
    r = gate.why(typo)
    assert r.returncode == 1 and a.reference in r.stderr and "journal.db" in r.stderr


def test_without_a_journal_why_says_where_it_looked(tmp_path):
    r = run("why", "7K2M-Q4XD", "--journal", str(tmp_path / "none.db"))
    assert r.returncode == 3 and "none.db" in r.stderr
    (tmp_path / "text.db").write_text("this is no database" * 100)
    assert run("why", "7K2M-Q4XD", "--journal", str(tmp_path / "text.db")).returncode == 3


def test_a_journal_that_cannot_be_read_is_not_told_as_an_empty_one(tmp_path):
    with sqlite3.connect(tmp_path / "odd.db") as db:
        db.execute("CREATE TABLE refusals (id INTEGER PRIMARY KEY, reference TEXT)")
    db.close()
    for words in (["7K2M-Q4XD"], ["--last"], ["--last", "--json"]):
        r = run("why", *words, "--journal", str(tmp_path / "odd.db"))
        assert r.returncode == 3 and "odd.db cannot be read: no such column" in r.stderr, r.stderr
        assert not r.stdout


def test_why_tells_one_refusal_at_a_time(tmp_path):
    for words in (["7K2M-Q4XD", "7K2M-Q4XE"], ["--last", "2", "7K2M-Q4XD"], ["7K2M-Q4XD", "--last"]):
        r = run("why", *words, cwd=tmp_path)
        assert r.returncode == 2 and "7K2M-Q4XD" in r.stderr, r.stderr


def test_a_kill_loses_a_second_of_the_journal_at_most(tmp_path):
    g = Gateway(tmp_path, ROUTES)
    try:
        first = [ask(g.port, "/nowhere/%d" % i).reference for i in range(20)]
        time.sleep(1)
        g.process.kill()
        g.process.wait()
        assert {s["reference"] for s in g.last()} == set(first)
    finally:
        g.stop()
    with gateway(tmp_path, ROUTES) as again:
        a = ask(again.port, "/nowhere")
        assert again.story(a.reference)["reference"] == a.reference


def rss_and_descriptors(pid):
    status = Path("/proc/%d/status" % pid).read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)), len(os.listdir("/proc/%d/fd" % pid))


def test_thousands_of_refusals_leave_nothing_behind_and_the_journal_stays_bounded(tmp_path):
    config = ROUTES.replace("journal.db}", "journal.db, max_rows: 100}")

    def flood(n):
        for i in range(n):
            ask(g.port, "/chat", "Origin: https://%d.evil.example" % i)

    with gateway(tmp_path, config) as g:
        g.held.allow(4 * 1024)  # the test looks closer itself
        flood(1500)
        before = rss_and_descriptors(g.process.pid)
        flood(2500)
        time.sleep(0.3)
        after = rss_and_descriptors(g.process.pid)
        assert after[1] <= before[1] + 2
        if not sanitized(SESAME):  # which keeps freed memory aside
            assert after[0] <= before[0] + 2048, (before, after)
        assert len(g.last(1000)) == 100
        assert os.path.getsize(tmp_path / "journal.db") < 2 << 20
        # the log is bounded too: some lines a second, then a count
        time.sleep(1.1)
        ask(g.port, "/nowhere")
        assert "more refusals not shown" in (tmp_path / "err").read_text()


@pytest.mark.parametrize("more", ["", ", mode: observe", ", allow: {origins: [https://a.example]}",
                                  ", mode: observe, allow: {origins: [https://a.example]}"])
def test_who_comes_by_plain_http_is_told_so_and_is_no_refusal(tmp_path, more):
    with gateway(tmp_path, ROUTES.replace(
            "routes:\n", "routes:\n  - {path: /page, to: echo%s}\n" % more)) as g:
        def plain(method, *fields):
            return Answer(send(g.port, request(g.port, "/page", *fields, upgrade="").replace(
                b"GET", method, 1)))
        for fields in ([], ["Origin: https://b.example"], ["Origin: https://a.example"]):
            a = plain(b"GET", *fields)
            assert a.status == 426 and "is a WebSocket" in a.text, (fields, a.text)
            assert a.fields["upgrade"] == "websocket" and not a.reference
            head = plain(b"HEAD", *fields)
            assert head.status == 426 and head.body == b"" and not head.reference
            assert head.fields["content-length"] == a.fields["content-length"]
        time.sleep(0.3)
        assert not g.last() and "/page" not in (tmp_path / "err").read_text()
        # a handshake that lost its Upgrade on the way is one, and told
        assert ask(g.port, "/page", "Sec-WebSocket-Key: " + KEY, "Origin: https://b.example",
                   upgrade="").reference
