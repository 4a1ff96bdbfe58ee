# SPDX-License-Identifier: MIT
"""Several servers behind one route: which one is asked, and what becomes of a
client whose server is down, hangs, hangs up or is gone."""
import asyncio
import collections
import json
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
import websockets

from ports import free_port
from behind import Behind, Request, opening
from gateways import Answer, ask, dial, gateway, read_all, reload, request, run


def config(servers, *more):
    to = servers if isinstance(servers, str) else "[%s]" % ", ".join(servers)
    return ('listen: [{address: "127.0.0.1:0"}]\nroutes:\n  - path: /app/**\n    to: %s\n' % to
            + "".join("    %s\n" % line for line in more) + "journal: {file: journal.db}\n")


class Server:
    """A real WebSocket server (Python's websockets) that says who it is."""

    def __init__(self, name, tls=None, port=0):
        self.name, self.tls, self.port = name, tls, port
        self.heads, self.open = [], 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        assert self.ready.wait(5)
        self.url = "%s://127.0.0.1:%d" % ("wss" if tls else "ws", self.port)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(websockets.serve(
            self.handle, "127.0.0.1", self.port, ssl=self.tls))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    async def handle(self, ws, *_):
        self.heads.append(dict((k.lower(), v) for k, v in ws.request_headers.raw_items()))
        self.open += 1
        try:
            await ws.send(self.name)
            async for message in ws:
                await ws.send(message)
        except websockets.ConnectionClosed:
            pass
        finally:
            self.open -= 1

    async def shut(self):
        self.server.close()
        await self.server.wait_closed()

    def stop(self):
        if self.thread.is_alive():
            asyncio.run_coroutine_threadsafe(self.shut(), self.loop).result(10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join(5)


@contextmanager
def servers(*names, **more):
    running = [Server(name, **more) for name in names]
    try:
        yield running
    finally:
        for s in running:
            s.stop()


def meet(g, n=1, hold=False, source=None):
    """Who answers @n clients, one after the other (or all at once)."""
    async def play():
        names, kept = [], []
        for _ in range(n):
            ws = await websockets.connect(g.url + "/app/x", sock=None if not source else connect(g, source))
            names.append(await asyncio.wait_for(ws.recv(), 5))
            if hold:
                kept.append(ws)
            else:
                await ws.close()
        for ws in kept:
            await ws.close()
        return names
    return asyncio.run(play())


def connect(g, source):
    return socket.create_connection(("127.0.0.1", g.port), 5, (source, 0))


ONE = "workers: 1\n"  # so that an order can be told


def test_each_server_in_turn(tmp_path):
    with servers("a", "b", "c") as s, gateway(tmp_path, ONE + config([x.url for x in s])) as g:
        names = meet(g, 9)
        assert collections.Counter(names) == {"a": 3, "b": 3, "c": 3}
        assert names[:3] == names[3:6] == names[6:]


def test_the_one_with_the_fewest_connections(tmp_path):
    with servers("a", "b") as s, \
            gateway(tmp_path, config([x.url for x in s], "balance: least_connections")) as g:
        async def play():
            kept = [await websockets.connect(g.url + "/app/x") for _ in range(6)]
            names = [await ws.recv() for ws in kept]
            assert sorted(names) == ["a"] * 3 + ["b"] * 3
            for ws, name in zip(kept, names):
                if name == "a":
                    await ws.close()
            await asyncio.sleep(0.2)
            more = [await websockets.connect(g.url + "/app/x") for _ in range(3)]
            assert [await ws.recv() for ws in more] == ["a"] * 3
        asyncio.run(play())


def test_a_client_keeps_its_server_whoever_else_goes(tmp_path):
    with servers("a", "b", "c") as s, \
            gateway(tmp_path, config([x.url for x in s], "balance: client")) as g:
        clients = ["127.0.0.%d" % i for i in range(2, 26)]
        before = {c: meet(g, source=c)[0] for c in clients}
        assert len(set(before.values())) == 3
        assert all(meet(g, source=c)[0] == before[c] for c in clients)
        s[0].stop()
        after = {c: meet(g, source=c)[0] for c in clients}
        assert all(after[c] == before[c] for c in clients if before[c] != "a")
        assert all(after[c] in "bc" for c in clients)


def test_a_server_that_is_down_is_passed_over_and_comes_back(tmp_path):
    port = free_port()
    with servers("a") as s, gateway(tmp_path, config(
            [s[0].url, "ws://127.0.0.1:%d" % port])) as g:
        assert meet(g, 6) == ["a"] * 6
        back = Server("b", port=port)
        try:
            end = time.time() + 10
            while "b" not in meet(g, 2):
                assert time.time() < end
                time.sleep(0.2)
        finally:
            back.stop()


class Rude:
    """Takes connections and does @how with them."""

    def __init__(self, how):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = "ws://127.0.0.1:%d" % self.port
        self.heads, self.kept = [], []
        self.how = how
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            try:
                self.heads.append(peer.recv(65536))
                self.how(self, peer)
            except OSError:
                pass

    def close(self):
        self.socket.close()


@contextmanager
def rude(how):
    r = Rude(how)
    try:
        yield r
    finally:
        r.close()


def hang_up(r, peer):
    peer.close()


def hang(r, peer):
    r.kept.append(peer)


def rubbish(r, peer):
    peer.sendall(b"\x00\xffwhat?\r\n\r\n")
    peer.close()


def break_off(r, peer):
    peer.sendall(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 500 Oo")
    peer.close()


def refuse(r, peer):
    peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
    peer.close()


@pytest.mark.parametrize("prefix, asked", [("", ""), ("/", ""), ("/ws", "/ws"), ("/ws/", "/ws")])
def test_of_a_refusal_the_whole_url_is_told_that_was_asked(tmp_path, prefix, asked):
    with rude(refuse) as r:
        with gateway(tmp_path, ONE + config(r.url + prefix)) as g:
            a = ask(g.port, "/app/x?token=s3cret")
            story = g.story(a.reference)
            assert story["note"] == "%s%s/app/x answered 403" % (r.url, asked), story


def test_who_hangs_up_is_followed_by_another(tmp_path):
    with servers("a") as s, rude(hang_up) as r:
        with gateway(tmp_path, ONE + config([r.url, s[0].url])) as g:
            assert meet(g) == ["a"]
            assert len(r.heads) == 1


@pytest.mark.parametrize("how, status, cause", [
    (hang, 504, "server.backend-down"), (break_off, 502, "server.backend-down"), (rubbish, 502, "server.bad-accept"),
    (refuse, 403, "server.app-rejected")])
def test_who_has_answered_or_may_be_at_work_is_not_followed(tmp_path, how, status, cause):
    with servers("a") as s, rude(how) as r:
        with gateway(tmp_path, ONE + config([r.url, s[0].url], "answer: 500ms")) as g:
            a = ask(g.port, "/app/x")
            assert a.status == status and g.story(a.reference)["cause"] == cause
            assert not s[0].heads


def test_retries_are_as_many_as_allowed(tmp_path):
    with servers("a") as s, rude(hang_up) as r1, rude(hang_up) as r2:
        both = [r1.url, r2.url, s[0].url]
        with gateway(tmp_path, ONE + config(both, "retries: 0")) as g:
            assert ask(g.port, "/app/x").status == 502
        with gateway(tmp_path, ONE + config(both, "retries: 2")) as g:
            assert meet(g) == ["a"]


def test_when_all_are_down_the_last_one_is_told_of(tmp_path):
    ports = [free_port(), free_port()]
    with gateway(tmp_path, config(["ws://127.0.0.1:%d" % p for p in ports])) as g:
        a = ask(g.port, "/app/x")
        story = g.story(a.reference)
        assert a.status == 502 and story["cause"] == "server.backend-down"
        assert "refused" in story["note"]
        for p in ports:
            assert str(p) not in a.text, "the client learns nothing of them"


# ---- What the server is told ----

def test_host_origin_and_other_fields_are_set(tmp_path):
    with servers("a") as s, gateway(tmp_path, config(
            s[0].url, "host: app.internal", "origin: https://inside.example",
            "headers: {X-Tenant: blue, Cookie: , Authorization: Bearer abc}",
            "allow: {origins: [https://page.example]}")) as g:
        ask_opens(g, "Origin: https://page.example", "Cookie: secret=1", "X-Tenant: evil",
                  "x-tenant: evil2")
        head = s[0].heads[0]
        assert head["host"] == "app.internal" and head["origin"] == "https://inside.example"
        assert head["x-tenant"] == "blue" and "cookie" not in head
        assert head["authorization"] == "Bearer abc"
        assert ask(g.port, "/app/x", "Origin: https://inside.example").status == 403


def test_the_origin_may_be_taken_away(tmp_path):
    with servers("a") as s, gateway(tmp_path, config(
            s[0].url, "origin: remove", "allow: {origins: [https://page.example]}")) as g:
        ask_opens(g, "Origin: https://page.example")
        assert "origin" not in s[0].heads[0]


def ask_opens(g, *fields):
    """Open, and hear the server's first word: it has seen the head by then."""
    with dial(g.port) as s:
        s.sendall(request(g.port, "/app/x", *fields))
        heard = b""
        while b"\r\n\r\n\x81" not in heard:
            heard += s.recv(4096)
        assert heard.startswith(b"HTTP/1.1 101 ")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_haproxy_behind_reads_the_proxy_header(tmp_path, version):
    port = free_port()
    with servers("a") as s:
        (tmp_path / "h.cfg").write_text("""
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:%d accept-proxy
  http-request set-header X-Seen %%[src]
  default_backend b
backend b
  server s 127.0.0.1:%d
""" % (port, s[0].port))
        haproxy = subprocess.Popen(["haproxy", "-db", "-f", "h.cfg"], cwd=tmp_path,
                                   stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            with gateway(tmp_path, config("ws://127.0.0.1:%d" % port,
                                          "proxy_protocol: " + version)) as g:
                assert meet(g, source="127.0.0.33") == ["a"]
            assert s[0].heads[-1]["x-seen"] == "127.0.0.33"
        finally:
            haproxy.terminate()
            haproxy.wait(10)


def wait_for(port):
    end = time.time() + 10
    while True:
        try:
            dial(port).close()
            return
        except OSError:
            assert time.time() < end
            time.sleep(0.05)


# ---- TLS with the server behind ----

@pytest.fixture
def identity(tmp_path):
    for file, name in (("server", "app.internal"), ("other", "elsewhere.example")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
             "-keyout", file + ".key", "-out", file + ".pem"],
            cwd=tmp_path, capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return tmp_path, context


@pytest.mark.parametrize("tls, opens, words", [
    ("{ca: server.pem, name: app.internal}", True, ""),
    ("{verify: false}", True, ""),
    ("{ca: other.pem, name: app.internal}", False, "self-signed"),
    ("{ca: server.pem}", False, "127.0.0.1"),
    ("{ca: server.pem, name: other.internal}", False, "other.internal"),
    ("{}", False, "self-signed")])
def test_the_certificate_of_the_server_behind_is_verified(identity, tls, opens, words):
    folder, context = identity
    with servers("a", tls=context) as s, gateway(folder, config(
            s[0].url, "upstream_tls: " + tls)) as g:
        if opens:
            assert meet(g) == ["a"]
            return
        a = ask(g.port, "/app/x")
        story = g.story(a.reference)
        assert a.status == 502 and words in story["note"].replace("self signed", "self-signed"), story["note"]
        assert words == "" or words not in a.text
        assert not s[0].heads


def test_a_plain_server_behind_wss_is_told_as_that(tmp_path):
    with servers("a") as s, gateway(tmp_path, config(
            s[0].url.replace("ws:", "wss:"), "upstream_tls: {verify: false}")) as g:
        a = ask(g.port, "/app/x")
        assert a.status == 502 and "TLS" in g.story(a.reference)["note"]


# ---- Reload ----

def test_a_reload_cuts_those_alone_whose_server_is_gone(tmp_path):
    with servers("a", "b") as s, gateway(tmp_path, ONE + config([x.url for x in s])) as g:
        async def play():
            kept = [await websockets.connect(g.url + "/app/x") for _ in range(4)]
            names = [await ws.recv() for ws in kept]
            reload(g, ONE + config([s[1].url, "ws://127.0.0.1:1"]), "reloaded")
            await asyncio.sleep(0.3)
            for ws, name in zip(kept, names):
                if name == "a":
                    with pytest.raises(websockets.ConnectionClosed):
                        await asyncio.wait_for(ws.recv(), 5)
                else:
                    await ws.send("still here")
                    assert await ws.recv() == "still here"
        asyncio.run(play())


# ---- Faults of the file ----

@pytest.mark.parametrize("servers, more, words", [
    (["echo", "ws://127.0.0.1:1"], [], "`echo` is nothing known"),
    ([], [], "to has 0 elements"), ("echo", ["retries: 2"], "retries is for a server behind"),
    ("echo", ["origin: remove"], "origin is for a server behind"),
    ("ws://127.0.0.1:1", ["origin: app.example"], "origin `app.example` is none"),
    ("ws://127.0.0.1:1", ["headers: {Host: x}"], "Host is written by the gateway itself (see `host`)"),
    ("ws://127.0.0.1:1", ["headers: {origin: x}"], "origin is written by the gateway itself (see `origin`)"),
    ("ws://127.0.0.1:1", ["headers: {Sec-WebSocket-Key: x}"], "is written by the gateway"),
    ("ws://127.0.0.1:1", ['headers: {"X Y": x}'], "is no name of a field"),
    ("ws://127.0.0.1:1", ['headers: {X: "a\\r\\nb"}'], "is no field's value"),
    ("ws://127.0.0.1:1", ["upstream_tls: {}"], "upstream_tls is for servers of wss:"),
    ("wss://127.0.0.1:1", ["upstream_tls: {ca: missing.pem}"], "missing.pem"),
    ("ws://127.0.0.1:1", ["balance: random"], "balance is one of")])
def test_faults_are_told_with_their_place(tmp_path, servers, more, words):
    (tmp_path / "c.yaml").write_text(config(servers, *more))
    r = run("check", "c.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stderr and "c.yaml:" in r.stderr, r.stderr


def test_bytes_that_leave_for_a_slow_client_are_no_silence(tmp_path):
    size = 12 << 20

    def answer(request_):
        return opening()(request_) + b"x" * size

    with Behind(answer) as behind:
        config = ("listen: [{address: '127.0.0.1:0'}]\nworkers: 1\njournal: {file: journal.db}\n"
                  "routes: [{path: /app, to: 'ws://127.0.0.1:%d', limits: {idle: 1s}}]\n"
                  % behind.port)
        with gateway(tmp_path, config) as g, socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(5)
            s.connect(("127.0.0.1", g.port))
            s.sendall(request(g.port, "/app"))
            end, n = time.time() + 4, 0
            while time.time() < end:
                n += len(s.recv(4096))
                time.sleep(0.05)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            while n < size:
                more = len(s.recv(1 << 20))
                assert more, n
                n += more


def test_what_waits_for_a_client_reaches_it_though_its_server_is_gone(tmp_path):
    """The server resets in the very moment in which the client says something."""
    full, now = threading.Event(), threading.Event()

    def serve(listening):
        s, _ = listening.accept()
        with s:
            s.sendall(opening()(Request(s.recv(65536))))
            s.settimeout(0.5)
            try:
                while True:
                    s.send(b"x" * 65536)
            except TimeoutError:
                pass
            full.set()
            now.wait(10)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        text = ("listen: [{address: '127.0.0.1:0'}]\nworkers: 1\njournal: {file: none}\n"
                "log: {file: log, format: json}\n"
                "routes: [{path: /app, to: 'ws://127.0.0.1:%d'}]\n" % listening.getsockname()[1])
        with gateway(tmp_path, text) as g, socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(5)
            s.connect(("127.0.0.1", g.port))
            s.sendall(request(g.port, "/app"))
            assert full.wait(20)
            g.process.send_signal(signal.SIGSTOP)
            s.sendall(b"\x81\x80mask")
            now.set()
            thread.join(10)
            time.sleep(0.1)
            g.process.send_signal(signal.SIGCONT)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            got = read_all(s)
            end = time.time() + 5
            while '"event":"close"' not in (tmp_path / "log").read_text():
                assert time.time() < end
                time.sleep(0.02)
        line = json.loads((tmp_path / "log").read_text().splitlines()[-1])
        assert len(got.partition(b"\r\n\r\n")[2]) == line["bytes_out"], line
