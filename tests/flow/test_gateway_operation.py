# SPDX-License-Identifier: MIT
"""The gateway as its operator sees it: figures, status, log, stop, reload, service manager."""
import asyncio
import ctypes
import fcntl
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
import websockets

from gateways import KEY, SESAME, Answer, ask, dial, read_all, request, run, send
from held import GIVES_BACK, Held
from ports import free_port

HEAD = """\
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0", socket: control.sock}
journal: {file: journal.db}
pid_file: pid
stop: {spread: 300ms, deadline: 5s}
"""
ROUTES = """\
routes:
  - {path: /echo, to: echo}
  - {path: /other, to: echo}
  - {path: /strict, to: echo, allow: {origins: [https://app.example]}}
  - {path: /watched, to: echo, mode: observe, allow: {origins: [https://app.example]}}
"""


class Gateway:
    """As gateways.Gateway, with what an operator is told at the start."""

    def __init__(self, folder, config, args=("serve", "-c", "sesame.yaml"), **more):
        self.folder, self.config = folder, folder / "sesame.yaml"
        self.config.write_text(config)
        self.err = open(folder / "err", "w+")
        self.out = open(folder / "out", "w+")
        self.process = subprocess.Popen([SESAME, *args], cwd=folder,
                                        stdout=self.out, stderr=self.err, text=True,
                                        **{"env": dict(os.environ, **GIVES_BACK), **more})
        try:
            self.await_begin()
            self.held = Held(self.process.pid)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def await_begin(self):
        self.wait_for(lambda: "listening on " in self.told())
        self.url = re.search(r"listening on (\S+)", self.told()).group(1)
        self.port = int(self.url.rsplit(":", 1)[1])
        found = re.search(r"admin: http://127.0.0.1:(\d+)", self.told())
        self.admin = int(found.group(1)) if found else None

    def told(self):
        return (self.folder / "out").read_text()

    def errors(self):
        return (self.folder / "err").read_text()

    def wait_for(self, true, seconds=10):
        end = time.time() + seconds
        while not true():
            assert time.time() < end, self.errors()
            assert self.process.poll() is None, self.errors()
            time.sleep(0.02)

    def get(self, path, *fields, host=None, method="GET"):
        head = "%s %s HTTP/1.1\r\nHost: %s\r\n" % (method, path,
                                                   host or "127.0.0.1:%d" % self.admin)
        return Answer(send(self.admin, (head + "".join(f + "\r\n" for f in fields) +
                                        "\r\n").encode()))

    def status(self):
        return json.loads(self.get("/status.json").text)

    def figures(self):
        return read_figures(self.get("/metrics").text)

    def lines(self, name="access.log"):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def sesame(self, *args):
        return subprocess.run([SESAME, *args], cwd=self.folder, capture_output=True, text=True,
                              timeout=30, env=dict(os.environ, NO_COLOR="1"))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(15)
        finally:
            self.process.kill()
            self.err.close()
            self.out.close()


@contextmanager
def gateway(folder, config=HEAD + ROUTES, **more):
    g = Gateway(folder, config, **more)
    try:
        yield g
        if g.process.poll() is None:
            g.held.check()
    finally:
        status = g.stop()
    assert status == 0, (folder / "err").read_text()


def connect(port, path="/echo"):
    s = dial(port)
    s.sendall(request(port, path))
    assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
    return s


def frame(text, opcode=1):
    return bytes([0x80 | opcode, 0x80 | len(text), 0, 0, 0, 0]) + text


# ---- Figures ----

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
VALUE = r'"(?:[^"\\\n]|\\["\\n])*"'
SERIES = re.compile(r"^(%s)(?:\{(%s=%s(?:,%s=%s)*)\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$"
                    % (NAME, NAME, VALUE, NAME, VALUE))


def read_figures(text):
    """Parse format 0.0.4 strictly: a family is told of once, before its series, in one piece."""
    assert text.endswith("\n")
    found, types, helped, family = {}, {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            family = line.split(" ")[2]
            assert family not in helped and len(line.split(" ")) > 3, line
            helped.add(family)
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name == family and name not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
        else:
            m = SERIES.match(line)
            assert m and m.group(1) == family and family in types, line
            labels = frozenset(re.findall(r'(%s)="((?:[^"\\]|\\.)*)"' % NAME, m.group(2) or ""))
            assert (family, labels) not in found, line
            found[family, labels] = float(m.group(3))
    assert set(types) == helped
    return found


def figure(found, name, **labels):
    return found.get(("sesame_" + name, frozenset(labels.items())), 0)


def test_handshakes_are_counted_by_route_result_and_cause(tmp_path):
    with gateway(tmp_path) as g:
        s = connect(g.port)
        s.sendall(frame(b"hello"))
        s.recv(64)
        ask(g.port, "/strict", "Origin: https://evil.example")
        ask(g.port, "/nowhere")
        connect(g.port, "/watched").close()
        g.wait_for(lambda: figure(g.figures(), "connections", route="/watched") == 0)
        found = g.figures()
        assert figure(found, "handshakes_total", route="/echo", result="opened", cause="ok") == 1
        assert figure(found, "handshakes_total", route="/strict", result="refused",
                      cause="access.origin") == 1
        assert figure(found, "handshakes_total", route="", result="refused", cause="url.path") == 1
        assert figure(found, "observed_refusals_total", route="/watched",
                      cause="access.origin-missing") == 1
        assert figure(found, "listener_handshakes_total", listener=g.url, result="opened",
                      cause="ok") == 2
        assert figure(found, "connections", route="/echo") == 1
        assert figure(found, "bytes_total", route="/echo", direction="in") == 5
        assert figure(found, "messages_total", route="/echo", direction="out") == 1
        s.sendall(frame(struct.pack("!H", 4001), opcode=8))
        read_all(s)
        g.wait_for(lambda: figure(g.figures(), "closes_total", route="/echo", code="4xxx",
                                  by="client") == 1)
        assert figure(g.figures(), "connections", route="/echo") == 0


def test_labels_are_of_the_configuration_alone(tmp_path):
    config = HEAD + 'routes: [{path: "/a%22b/*", to: echo}, {path: /echo, to: echo}]\n'
    with gateway(tmp_path, config) as g:
        for i in range(50):
            ask(g.port, "/made-up-%d" % i, "Origin: https://o%d.example" % i)
        text = g.get("/metrics").text
        assert "made-up" not in text and "o1.example" not in text
        assert len(text.splitlines()) < 150
        read_figures(text)


@pytest.mark.skipif(not shutil.which("promtool"), reason="prometheus is not installed")
def test_promtool_finds_no_fault_in_the_figures(tmp_path):
    with gateway(tmp_path) as g:
        ask(g.port, "/strict")
        connect(g.port).close()
        done = subprocess.run(["promtool", "check", "metrics"], text=True, capture_output=True,
                              input=g.get("/metrics").text, timeout=20)
        assert done.returncode == 0 and not done.stdout + done.stderr, done


def test_figures_of_servers_behind(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = "ws://127.0.0.1:%d" % nobody.getsockname()[1]
        with gateway(tmp_path, HEAD + "routes: [{path: /app, to: %s}]\n" % url) as g:
            assert ask(g.port, "/app").status == 502
            found = g.figures()
            assert figure(found, "upstream_up", route="/app", upstream=url) == 0
            assert figure(found, "upstream_failures_total", route="/app", upstream=url) == 1
            assert figure(found, "handshakes_total", route="/app", result="refused",
                          cause="server.backend-down") == 1
            assert g.sesame("reload").returncode == 0
            found = g.figures()
            assert figure(found, "upstream_up", route="/app", upstream=url) == 0
            assert figure(found, "upstream_failures_total", route="/app", upstream=url) == 1


def test_counts_go_on_over_a_reload(tmp_path):
    with gateway(tmp_path) as g:
        ask(g.port, "/strict")
        assert g.sesame("reload").returncode == 0
        ask(g.port, "/strict")
        found = g.figures()
        assert figure(found, "handshakes_total", route="/strict", result="refused",
                      cause="access.origin-missing") == 2
        assert figure(found, "config_reloads_total", result="ok") == 1


# ---- The admin listener ----

def test_without_admin_there_is_no_listener_for_it(tmp_path):
    with gateway(tmp_path, HEAD.replace("admin:", "log: {file: none}\n#") + ROUTES) as g:
        assert g.admin is None
        assert not (tmp_path / "control.sock").exists()


def test_health_and_readiness(tmp_path):
    with gateway(tmp_path) as g:
        assert g.get("/healthz").status == 200
        assert g.get("/readyz").status == 200
        assert g.get("/", method="HEAD").body == b""
        assert g.get("/", method="POST").status == 405
        assert g.get("/nothing").status == 404
        assert g.get("/reload", method="POST").status == 404
        held = connect(g.port)
        g.signal(signal.SIGSTOP)  # so that the next two are seen together
        g.signal(signal.SIGTERM)
        g.signal(signal.SIGCONT)
        g.wait_for(lambda: "stopping" in g.errors())
        assert g.get("/readyz").status == 503
        assert g.get("/healthz").status == 200
        held.close()


@pytest.mark.parametrize("host,fields", [
    ("rebound.example", []),
    ("rebound.example:9464", []),
    ("", []),
    (None, ["Origin: https://evil.example"]),
    (None, ["Origin: null"]),
    (None, ["Sec-Fetch-Site: cross-site"]),
    (None, ["Sec-Fetch-Site: same-site"]),
    (None, ["Host: 127.0.0.1"]),
])
def test_other_peoples_pages_get_no_answer(tmp_path, host, fields):
    with gateway(tmp_path) as g:
        for path in ("/", "/status.json", "/metrics", "/healthz"):
            a = g.get(path, *fields, host=host if host is not None else None) if host != "" else \
                Answer(send(g.admin, b"GET %s HTTP/1.1\r\n\r\n" % path.encode()))
            assert a.status in (400, 403), (path, a.text)
            assert g.url not in a.text


def test_our_own_pages_and_names_get_one(tmp_path):
    with gateway(tmp_path, HEAD.replace("socket:", "hosts: [watch.example], socket:") +
                 ROUTES) as g:
        for host in ("127.0.0.1:%d" % g.admin, "localhost", "[::1]:1", "watch.example:9464"):
            assert g.get("/healthz", host=host).status == 200
        own = "127.0.0.1:%d" % g.admin
        assert g.get("/", "Origin: http://" + own, "Sec-Fetch-Site: same-origin").status == 200
        assert g.get("/", "Sec-Fetch-Site: none").status == 200


def test_no_page_not_even_our_own_can_change_anything(tmp_path):
    with gateway(tmp_path) as g:
        own = "Origin: http://127.0.0.1:%d" % g.admin
        for path in ("/reload", "/reload-plan"):
            for method in ("POST", "GET", "PUT"):
                assert g.get(path, own, "Sec-Fetch-Site: same-origin", method=method).status == 404
        assert figure(g.figures(), "config_reloads_total", result="ok") == 0


def test_many_slow_callers_do_not_keep_others_out_for_ever(tmp_path):
    with gateway(tmp_path) as g:
        slow = [dial(g.admin) for _ in range(100)]
        g.wait_for(lambda: g.get("/healthz").status == 200, 15)  # or fails
        for s in slow:
            s.close()


EVIL = "</code><script>hacked=1</script><img/src=x>\"'&amp;\\x1b"


def test_the_page_escapes_what_clients_send(tmp_path):
    with gateway(tmp_path) as g:
        a = ask(g.port, "/strict?" + EVIL, "Origin: https://evil.example",
                "User-Agent: %s\x80\xff" % EVIL)
        assert a.status == 403
        page = g.get("/")
        assert a.reference in page.text and "access.origin" in page.text
        one = g.get("/refusals/" + a.reference)
        assert one.status == 200 and "https://app.example" in one.text
        for p in (page, one):
            assert "<script" not in p.text and "<img" not in p.text and "\x1b" not in p.text
            csp = p.fields["content-security-policy"]
            assert csp.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in csp
        assert g.get("/refusals/0000-0000").status == 404
        story = g.status()["refusals"][0]
        assert story["reference"] == a.reference and "access.origin" == story["cause"]
        assert "sesame.yaml" in story["advice"] or story["advice"]


def test_no_secret_is_on_the_page(tmp_path):
    with gateway(tmp_path) as g:
        ask(g.port, "/strict?token=SECRET1", "Authorization: Bearer SECRET2", "Cookie: s=SECRET3")
        for path in ("/", "/status.json", "/metrics"):
            assert "SECRET" not in g.get(path).text


# ---- The access log ----

LOG = "log: {file: access.log, format: json}\n"


def test_a_connection_has_a_line_at_both_ends(tmp_path):
    with gateway(tmp_path, HEAD + LOG + ROUTES) as g:
        s = dial(g.port)
        s.sendall(request(g.port, "/echo?token=SECRET", "Sec-WebSocket-Protocol: chat",
                          "User-Agent: me\x9b2J\"x"))
        s.recv(4096)
        s.sendall(frame(b"hello") + frame(struct.pack("!H", 1000) + b"bye", opcode=8))
        read_all(s)
        refused = ask(g.port, "/strict", "Origin: https://evil.example")
        g.wait_for(lambda: len(g.lines()) == 3)
        opened, closed, no = g.lines()
        assert [opened["event"], closed["event"], no["event"]] == ["open", "close", "refused"]
        assert opened["id"] == closed["id"] and opened["client"] == "127.0.0.1"
        assert opened["route"] == "/echo" and opened["subprotocol"] == "chat"
        assert (closed["code"], closed["by"], closed["reason"]) == (1000, "client", "bye")
        assert (closed["bytes_in"], closed["messages_out"]) == (5, 1)
        assert closed["duration"] < 5
        assert no["reference"] == refused.reference and no["cause"] == "access.origin"
        assert no["status"] == 403 and no["file"].endswith("sesame.yaml") and no["line"] > 0
        assert opened["user_agent"] == 'me\\x9b2J"x'
        assert "SECRET" not in (tmp_path / "access.log").read_text()
        assert refused.reference not in g.errors()


def test_the_log_in_words(tmp_path):
    with gateway(tmp_path, HEAD + "log: {file: stderr}\n" + ROUTES) as g:
        connect(g.port).close()
        ask(g.port, '/strict?a="b', "Origin: https://evil.example")
        g.wait_for(lambda: "refused" in g.errors() and " close " in g.errors())
        text = g.errors()
        assert re.search(r"^\S+Z open id=\S+ client=127.0.0.1 .* route=/echo ", text, re.M)
        assert re.search(r"^\S+Z close id=\S+ .* duration=0\.\d+ code=1006 by=client ", text, re.M)
        assert r'target="/strict?a=\x22b"' in text


def test_a_tunnel_is_told_with_its_bytes_and_who_ended_it(tmp_path):
    async def play(g, stop):
        async with websockets.connect("ws://127.0.0.1:%d/app" % g.port) as ws:
            await ws.send("hello")
            assert await ws.recv() == "hello"
            await ws.send("end")
            with pytest.raises(websockets.ConnectionClosed):
                await ws.recv()

    async def echo(ws, path=None):
        async for message in ws:
            if message == "end":
                ws.transport.abort()
                return
            await ws.send(message)

    async def both():
        async with websockets.serve(echo, "127.0.0.1", 0) as server:
            url = "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            with gateway(tmp_path, HEAD + LOG + "routes: [{path: /app, to: %s}]\n" % url) as g:
                await play(g, None)
                end = time.time() + 10
                while len(g.lines()) < 2 and time.time() < end:
                    await asyncio.sleep(0.02)
                opened, closed = g.lines()
                assert opened["upstream"] == closed["upstream"] == url
                assert closed["by"] == "server" and "code" not in closed
                assert closed["bytes_in"] > 5 and closed["bytes_out"] >= 7
                found = g.figures()
                assert figure(found, "closes_total", route="/app", code="unknown",
                              by="server") == 1
    asyncio.run(both())


def test_a_reload_that_fails_leaves_the_log_where_it_was(tmp_path):
    with gateway(tmp_path, HEAD + LOG + ROUTES) as g, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "kept.log").write_text("mine\n")
        wrong = 'listen: [{address: "127.0.0.1:%d"}, ' % taken.getsockname()[1]
        right = g.config.read_text()
        for name in ("other.log", "kept.log"):
            g.config.write_text(right.replace("listen: [", wrong).replace("access.log", name))
            r = g.sesame("reload")
            assert r.returncode != 0 and "already in use" in r.stderr, r.stderr
        assert not (tmp_path / "other.log").exists()
        assert (tmp_path / "kept.log").read_text() == "mine\n"
        ask(g.port, "/strict")
        g.wait_for(lambda: len(g.lines()) == 1)
        g.config.write_text(right.replace("access.log", "other.log"))
        assert g.sesame("reload").returncode == 0
        ask(g.port, "/strict")
        g.wait_for(lambda: len(g.lines("other.log")) == 1)
        assert len(g.lines()) == 1


def test_usr1_opens_the_log_again(tmp_path):
    with gateway(tmp_path, HEAD + LOG + ROUTES) as g:
        ask(g.port, "/strict")
        g.wait_for(lambda: len(g.lines()) == 1)
        (tmp_path / "access.log").rename(tmp_path / "access.log.1")
        g.signal(signal.SIGUSR1)
        g.wait_for(lambda: (tmp_path / "access.log").exists())
        ask(g.port, "/strict")
        g.wait_for(lambda: len(g.lines()) == 1)
        assert len(g.lines("access.log.1")) == 1


def test_a_log_that_nobody_reads_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with gateway(tmp_path, HEAD + "log: {file: pipe}\n" + ROUTES) as g:
            g.held.allow(8 * 1024)  # the buffers, which stay full
            for _ in range(3000):  # more than the pipe and both buffers hold
                s = dial(g.port)
                s.sendall(request(g.port, "/strict?" + "x" * 480, "User-Agent: " + "u" * 250,
                                  "Origin: https://" + "o" * 200))
                s.recv(1)
                s.close()
            began = time.time()
            connect(g.port).close()
            assert time.time() - began < 2
            assert figure(g.figures(), "log_left_out_total") > 0
    finally:
        os.close(reader)


def test_none_tells_nothing_and_a_place_that_cannot_be_is_a_fault(tmp_path):
    with gateway(tmp_path, HEAD + "log: {file: none}\n" + ROUTES) as g:
        a = ask(g.port, "/strict")
        assert a.reference not in g.errors()
        g.config.write_text(HEAD + "log: {file: no/such/folder}\n" + ROUTES)
        done = g.sesame("reload")
        assert done.returncode == 1 and "no/such/folder" in done.stderr
        assert g.status()["configuration"]["last_reload_successful"] is False


# ---- Stopping ----

def is_heard(port):
    try:
        dial(port).close()
    except OSError:
        return False
    return True


def closes_after(sockets):
    """When each is told 1001, and by what."""
    times = [None] * len(sockets)

    def wait(i):
        data = sockets[i].recv(64)
        times[i] = (time.time(), data[:4])
    threads = [threading.Thread(target=wait, args=(i,)) for i in range(len(sockets))]
    for t in threads:
        t.start()
    return threads, times


def test_a_stop_spreads_the_goodbyes(tmp_path):
    with gateway(tmp_path, HEAD.replace("300ms", "1s") + ROUTES) as g:
        sockets = [connect(g.port) for _ in range(40)]
        threads, times = closes_after(sockets)
        began = time.time()
        g.signal(signal.SIGTERM)
        g.wait_for(lambda: "stopping" in g.errors())
        g.wait_for(lambda: not is_heard(g.port))
        for t in threads:
            t.join(10)
        when = sorted(t - began for t, _ in times)
        assert all(data == b"\x88\x1f\x03\xe9" or data[2:4] == b"\x03\xe9" for _, data in times)
        assert when[-1] < 4 and when[-1] - when[0] > 0.4
        assert when[20] - when[0] > 0.1
        for s in sockets:
            s.close()


def stop_while_many_wait(g, n, path, before):
    """What @n clients get whose handshakes wait at the door, unread, at a SIGTERM;
    and those of @before, that were taken and had not said all."""
    os.kill(g.process.pid, signal.SIGSTOP)
    waiting = [dial(g.port) for _ in range(n)]
    for s in waiting:
        s.sendall(request(g.port, path))
    for s, rest in before:
        s.sendall(rest)
    g.signal(signal.SIGTERM)
    os.kill(g.process.pid, signal.SIGCONT)
    return [read_all(s) for s in waiting], [read_all(s) for s, _ in before]


def test_who_waits_at_the_door_at_a_stop_is_answered(tmp_path):
    with gateway(tmp_path, "workers: 2\n" + HEAD + ROUTES) as g:
        half = dial(g.port)
        whole = request(g.port, "/echo")
        half.sendall(whole[:40])
        time.sleep(0.1)
        got, before = stop_while_many_wait(g, 400, "/echo", [(half, whole[40:])])
        for raw in got + before:
            a = Answer(raw)
            assert a.status in (101, 503), raw
            assert a.status == 101 or "close" in a.fields["connection"]
        told = [Answer(raw).reference for raw in got if not raw.startswith(b"HTTP/1.1 101 ")]
    if told:  # so many at once are more than can wait for the journal
        r = subprocess.run([SESAME, "why", "--last", "1000", "--json", "-c", "sesame.yaml"],
                           cwd=tmp_path, capture_output=True, text=True, timeout=30)
        kept = {s["reference"]: s for s in map(json.loads, r.stdout.splitlines())}
        here = [kept[reference] for reference in told if reference in kept]
        assert here, kept
        assert all("the gateway is being stopped" in s["note"] for s in here), here


def test_who_says_nothing_at_a_stop_is_not_waited_for(tmp_path):
    with gateway(tmp_path, HEAD + ROUTES) as g:
        silent = [dial(g.port) for _ in range(3)]
        silent[0].sendall(b"GET /echo HT")
        time.sleep(0.1)
        began = time.time()
        g.signal(signal.SIGTERM)
        assert g.process.wait(10) == 0
        assert time.time() - began < 3
        for s in silent:
            assert read_all(s) == b""
            s.close()


def test_who_waits_for_an_answer_from_behind_at_a_stop_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        routes = 'routes: [{path: /app, to: "ws://127.0.0.1:%d"}]\n' % mute.getsockname()[1]
        with gateway(tmp_path, HEAD + routes) as g:
            with dial(g.port) as s:
                s.sendall(request(g.port, "/app"))
                time.sleep(0.2)
                g.signal(signal.SIGTERM)
                a = Answer(read_all(s))
            assert a.status == 503 and a.reference
            assert "being stopped" in a.text and "Too many" not in a.text


def test_the_deadline_is_hard_and_a_second_signal_is_harder(tmp_path):
    config = HEAD.replace("300ms, deadline: 5s", "0ms, deadline: 700ms") + ROUTES
    with gateway(tmp_path, config) as g:
        held = connect(g.port)  # and never answers the close
        began = time.time()
        g.signal(signal.SIGTERM)
        assert g.process.wait(10) == 0
        assert 0.5 < time.time() - began < 3
        held.close()
    with gateway(tmp_path, HEAD + ROUTES) as g:
        held = connect(g.port)
        g.signal(signal.SIGTERM)
        g.wait_for(lambda: "stopping" in g.errors())
        began = time.time()
        g.signal(signal.SIGINT)
        assert g.process.wait(10) == 0
        assert time.time() - began < 2
        held.close()


# ---- Reloading ----

def test_a_plan_says_what_the_reload_then_does(tmp_path):
    with gateway(tmp_path) as g:
        stay = [connect(g.port)]
        assert "1 connection would stay, 0 would be cut" in g.sesame("reload", "--plan").stdout
        assert "1 connection stays, 0 cut" in g.sesame("reload").stdout
        stay, go = stay + [connect(g.port) for _ in range(2)], [connect(g.port, "/other")]
        g.config.write_text((HEAD + ROUTES).replace("  - {path: /other, to: echo}\n", ""))
        plan = g.sesame("reload", "--plan")
        assert plan.returncode == 0, plan.stderr
        assert "3 connections would stay, 1 would be cut" in plan.stdout
        assert re.search(r"^  /other +1 would be cut$", plan.stdout, re.M)
        for s in stay + go:
            s.sendall(frame(b"here"))
            assert s.recv(64)[2:] == b"here"
        done = g.sesame("reload", "-c", "sesame.yaml")
        assert done.returncode == 0, done.stderr
        assert "3 connections stay, 1 cut" in done.stdout
        assert go[0].recv(64)[2:4] == b"\x03\xe9"
        for s in stay:
            s.sendall(frame(b"here"))
            assert s.recv(64)[2:] == b"here"
            s.close()
        go[0].close()


def test_a_connection_that_was_to_leave_stays_when_its_route_is_back(tmp_path):
    with gateway(tmp_path, HEAD.replace("300ms, deadline: 5s", "20s, deadline: 30s") +
                 ROUTES) as g:
        held = [connect(g.port, "/other") for _ in range(5)]
        g.config.write_text(g.config.read_text().replace("  - {path: /other, to: echo}\n", ""))
        assert g.sesame("reload").returncode == 0
        g.config.write_text(HEAD + ROUTES)
        assert g.sesame("reload").returncode == 0
        time.sleep(1)
        for s in held:
            s.sendall(frame(b"here"))
            assert s.recv(64)[2:] == b"here"
            s.close()


def test_a_fault_changes_nothing_and_everybody_hears_of_it(tmp_path):
    with gateway(tmp_path) as g:
        g.config.write_text(HEAD + ROUTES + "surprise: 1\n")
        for args in (["reload"], ["reload", "--socket", "control.sock"],
                     ["reload", "--socket", "control.sock", "--plan"]):
            done = g.sesame(*args)
            assert done.returncode == 1 and "surprise" in done.stderr, done
        connect(g.port).close()
        found = g.figures()
        assert figure(found, "config_last_reload_successful") == 0
        assert figure(found, "config_reloads_total", result="failed") == 1
        assert "surprise" in g.get("/").text
        g.config.write_text(HEAD + ROUTES)
        assert g.sesame("reload").returncode == 0
        assert figure(g.figures(), "config_last_reload_successful") == 1


def test_a_file_that_was_found_is_missed_when_it_is_gone(tmp_path):
    with gateway(tmp_path, args=["serve"]) as g:
        assert ask(g.port, "/strict").status == 403
        g.config.rename(tmp_path / "elsewhere")
        g.signal(signal.SIGHUP)
        g.wait_for(lambda: "not reloaded" in g.errors())
        assert ask(g.port, "/strict").status == 403 and "built" not in g.errors()
        (tmp_path / "elsewhere").rename(g.config)
        assert g.sesame("reload").returncode == 0


def listening(text):
    return [int(port) for port in re.findall(r"listening on ws://\S+:(\d+)", text)]


def test_a_control_socket_says_which_method_it_wants(tmp_path):
    with gateway(tmp_path) as g:
        for method, path, allow in (("GET", "/reload", "POST"), ("POST", "/status.json", "GET, HEAD")):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(str(tmp_path / "control.sock"))
                s.sendall(("%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (method, path)).encode())
                a = Answer(read_all(s))
            assert a.status == 405 and a.fields["allow"] == allow


def test_the_folders_of_a_control_socket_are_made(tmp_path):
    with gateway(tmp_path, HEAD.replace("control.sock", "run/here/control.sock") + ROUTES) as g:
        assert g.sesame("reload").returncode == 0


@pytest.mark.parametrize("old, new, name", [
    ('admin: {address: "127.0.0.1:0"', 'admin: {address: "127.0.0.1:1"', "admin.address"),
    ("journal.db", "journal.db, max_rows: 5000", "journal.max_rows"),
    ("journal.db", "journal.db, max_size: 50MiB", "journal.max_size"),
    ("pid_file: pid", "pid_file: pip", "pid_file"), ("pid_file", "workers: 3\npid_file", "workers"),
    ("pid_file", "backplane: 'redis://:geheim@127.0.0.1:1'\npid_file", "backplane"),
    ("pid_file", "node: left\npid_file", "node")])
def test_what_takes_a_restart_is_told(tmp_path, old, new, name):
    with gateway(tmp_path, "workers: 2\n" * (name != "workers") + HEAD + ROUTES) as g:
        assert g.sesame("reload").returncode == 0 and "next start" not in g.errors()
        g.config.write_text(g.config.read_text().replace(old, new))
        plan = g.sesame("reload", "--socket", "control.sock", "--plan")
        assert "next start" not in g.errors()
        r = g.sesame("reload", "--socket", "control.sock")
        for told in (plan, r):
            assert told.returncode == 0 and told.stdout.endswith(
                "\n  %s has changed, which takes effect at the next start\n" % name), told.stdout
        assert name + " has changed, which takes effect at the next start" in g.errors()
        assert g.errors().count("next start") == 1


def test_two_listeners_at_any_port_both_stay(tmp_path):
    config = (HEAD + ROUTES).replace('listen: [', 'listen: [{address: "127.0.0.1:0"}, ')
    with gateway(tmp_path, config) as g:
        g.wait_for(lambda: len(listening(g.told())) == 2)
        for _ in range(2):
            assert g.sesame("reload").returncode == 0
            time.sleep(0.1)
            for port in listening(g.told()):
                assert is_heard(port)
                connect(port).close()


def test_an_address_is_the_same_however_it_is_written(tmp_path):
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6")
    port = free_port()
    config = (HEAD + ROUTES).replace("127.0.0.1:0", "[::1]:%d" % port, 1)
    with gateway(tmp_path, config) as g:
        g.config.write_text(config.replace("[::1]", "[0::1]"))
        done = g.sesame("reload")
        assert done.returncode == 0, done.stderr


def test_an_address_that_its_own_listener_holds_is_told_apart(tmp_path):
    port = free_port()
    config = (HEAD + ROUTES).replace("127.0.0.1:0", "127.0.0.1:%d" % port, 1)
    with gateway(tmp_path, config) as g:
        g.config.write_text(config.replace("127.0.0.1:%d" % port, "0.0.0.0:%d" % port))
        done = g.sesame("reload")
        assert done.returncode == 1 and "this gateway still listens at 127.0.0.1:%d" % port in done.stderr
        assert "another program" not in done.stderr
        connect(port).close()


def test_reload_without_a_control_socket_sends_a_signal(tmp_path):
    config = HEAD.replace("admin:", "#") + ROUTES
    with gateway(tmp_path, config) as g:
        assert int((tmp_path / "pid").read_text()) == g.process.pid
        done = g.sesame("reload")
        assert done.returncode == 0 and "its log tells" in done.stdout
        g.wait_for(lambda: "reloaded" in g.errors())
        assert g.sesame("reload", "--plan").returncode == 3
        assert g.sesame("reload", "--pid", str(g.process.pid)).returncode == 0
    assert not (tmp_path / "pid").exists()


@contextmanager
def somebody():
    """A process that SIGHUP would end."""
    p = subprocess.Popen(["sleep", "60"])
    try:
        yield p
        time.sleep(0.1)
        assert p.poll() is None
    finally:
        p.kill()
        p.wait()


def test_a_pid_file_that_was_left_behind_names_nobody(tmp_path):
    (tmp_path / "sesame.yaml").write_text(HEAD.replace("admin:", "#") + ROUTES)
    with somebody() as p:
        (tmp_path / "pid").write_text("%d\n" % p.pid)
        done = subprocess.run([SESAME, "reload"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 3 and "no gateway that runs has it" in done.stderr
    (tmp_path / "pid").unlink()
    done = subprocess.run([SESAME, "reload"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3 and "No such file" in done.stderr


def test_a_pid_file_of_another_gateway_is_left_to_it(tmp_path):
    (tmp_path / "second").mkdir()
    with gateway(tmp_path) as g:
        (tmp_path / "second/sesame.yaml").write_text(HEAD.replace("pid_file: ", "pid_file: ../") + ROUTES)
        done = subprocess.run([SESAME, "serve"], cwd=tmp_path / "second", capture_output=True,
                              text=True, timeout=20)
        assert done.returncode == 3 and "a gateway that runs has it" in done.stderr
        assert int((tmp_path / "pid").read_text()) == g.process.pid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights up")
def test_a_pid_file_that_may_not_be_removed_is_emptied(tmp_path):
    let_everybody_in(tmp_path)
    (tmp_path / "run").mkdir(0o755)
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", pwd.getpwnam("nobody").pw_uid, -1)
    head = HEAD.replace("pid_file: ", "pid_file: run/").replace("journal.db", "state/journal.db")
    with gateway(tmp_path, head.replace(", socket: control.sock", ", socket: state/c") + "user: nobody\n" + ROUTES) as g:
        assert int((tmp_path / "run/pid").read_text()) == g.process.pid
    assert (tmp_path / "run/pid").read_text() == ""
    with gateway(tmp_path, HEAD.replace("pid_file: ", "pid_file: run/") + ROUTES) as g:
        assert int((tmp_path / "run/pid").read_text()) == g.process.pid
    assert not (tmp_path / "run/pid").exists()


def test_reload_finds_nobody_or_somebody_else(tmp_path):
    (tmp_path / "other").mkdir()
    with gateway(tmp_path) as g:
        other = tmp_path / "other/sesame.yaml"
        other.write_text((HEAD + ROUTES).replace("control.sock", "../control.sock"))
        done = g.sesame("reload", "-c", "other/sesame.yaml")
        assert done.returncode == 3 and "runs" in done.stderr
        assert (tmp_path / "control.sock").stat().st_mode & 0o777 == 0o600
    done = subprocess.run([SESAME, "reload"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3 and "no gateway answers" in done.stderr
    assert "--socket" in done.stderr
    assert not (tmp_path / "control.sock").exists()


def test_reload_says_of_a_gateway_only_what_it_knows(tmp_path):
    (tmp_path / "sesame.yaml").write_text(HEAD + ROUTES + "surprise: 1\n")
    done = subprocess.run([SESAME, "reload"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "surprise" in done.stderr
    assert "no gateway was asked" in done.stderr and "in force" not in done.stderr


def test_a_control_socket_is_taken_over_from_the_dead_only(tmp_path):
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "control.sock"))
    left.close()
    (tmp_path / "second").mkdir()
    with gateway(tmp_path) as g:
        assert g.sesame("reload").returncode == 0
        second = (HEAD + ROUTES).replace("control.sock", "../control.sock")
        (tmp_path / "second/sesame.yaml").write_text(second)
        done = subprocess.run([SESAME, "serve"], cwd=tmp_path / "second", capture_output=True,
                              text=True, timeout=20)
        assert done.returncode == 3 and "another gateway" in done.stderr
        assert g.sesame("reload").returncode == 0


def test_idle_connections_live_through_many_reloads(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(500, (hard - 200) // 2)
    with gateway(tmp_path) as g:
        held = [connect(g.port) for _ in range(n)]
        for i in range(20):
            g.config.write_text(HEAD + ROUTES + "  - {path: /new%d, to: echo}\n" % i)
            assert g.sesame("reload").returncode == 0
        for s in held:
            s.sendall(frame(b"here"))
        for s in held:
            data = b""
            while not data.endswith(b"here"):  # where it takes long, a ping comes first
                more = s.recv(64)
                assert more, data
                data += more
        assert figure(g.figures(), "connections", route="/echo") == n
        for s in held:
            s.close()


# ---- The service manager ----

class Manager:
    """A socket as the service manager has it, and what it is told."""

    def __init__(self, name):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1))
        self.socket.settimeout(0.2)
        self.told = []

    def hears(self, words, seconds=10):
        end = time.time() + seconds
        while time.time() < end:
            if any(words in t for t in self.told):
                return True
            try:
                self.told.append(self.socket.recv(4096).decode())
            except socket.timeout:
                pass
        return False


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_how_it_goes(tmp_path, abstract):
    name = "@sesame-test-%d" % os.getpid() if abstract else str(tmp_path / "notify")
    manager = Manager(name)
    env = dict(os.environ, NOTIFY_SOCKET=name, WATCHDOG_USEC="400000")
    with gateway(tmp_path, env=env) as g:
        assert manager.hears("READY=1")
        assert manager.hears("WATCHDOG=1")
        manager.told.clear()
        assert manager.hears("WATCHDOG=1"), "it is told again and again"
        g.signal(signal.SIGHUP)
        assert manager.hears("RELOADING=1\nMONOTONIC_USEC=")
        assert manager.hears("READY=1")
        g.signal(signal.SIGTERM)
        assert manager.hears("STOPPING=1")
    manager.socket.close()


SEIZE, INTERRUPT, DETACH, ALL_CHILDREN = 0x4206, 0x4207, 17, 0x40000000


@contextmanager
def held_up(pid):
    """All threads but the first one stand still, as a debugger makes them."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    tasks = [int(t) for t in os.listdir("/proc/%d/task" % pid) if int(t) != pid]
    for task in tasks:
        if libc.ptrace(SEIZE, task, 0, 0) or libc.ptrace(INTERRUPT, task, 0, 0):
            pytest.skip("threads cannot be held up here")
        os.waitpid(task, ALL_CHILDREN)
    try:
        yield
    finally:
        for task in tasks:
            libc.ptrace(DETACH, task, 0, 0)


def test_the_watchdog_is_not_fed_while_a_worker_hangs(tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    env = dict(os.environ, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
    with gateway(tmp_path, env=env) as g:
        assert manager.hears("WATCHDOG=1")
        with held_up(g.process.pid):
            g.wait_for(lambda: "a worker does not answer" in g.errors())
            manager.hears("nothing", 0.5)
            manager.told.clear()
            assert not manager.hears("WATCHDOG=1", 1)
            assert g.get("/healthz").status == 200
        assert manager.hears("WATCHDOG=1")
        assert g.errors().count("does not answer") == 1
    manager.socket.close()


def test_sockets_of_the_manager_are_used(tmp_path):
    a, b = socket.socket(), socket.socket()
    for s in (a, b):
        s.bind(("127.0.0.1", 0))
        s.listen()
    port = a.getsockname()[1]
    early = dial(port)  # before there is a gateway
    early.sendall(request(port, "/echo"))
    config = (HEAD + ROUTES).replace("127.0.0.1:0", "127.0.0.1:%d" % port, 1)
    script = ('import os,sys\nfor i,fd in enumerate(map(int,sys.argv[1].split(","))):\n'
              '    os.dup2(fd,3+i)\nos.environ.update(LISTEN_PID=str(os.getpid()),'
              'LISTEN_FDS="2",LISTEN_FDNAMES="plain:spare")\n'
              'os.execv(sys.argv[2],[sys.argv[2],"serve"])')
    (tmp_path / "sesame.yaml").write_text(config)
    err = open(tmp_path / "err", "w")
    fds = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 50) for s in (a, b)]
    p = subprocess.Popen(["/usr/bin/python3", "-c", script, ",".join(map(str, fds)), SESAME],
                         cwd=tmp_path, pass_fds=fds, stdout=subprocess.DEVNULL, stderr=err)
    try:
        early.settimeout(10)
        assert early.recv(4096).startswith(b"HTTP/1.1 101 ")
        held = Held(p.pid)
        for _ in range(10):
            connect(port).close()
        held.check()
        text = (tmp_path / "err").read_text()
        assert "(spare) is no address of `listen`" in text and "(plain)" not in text
    finally:
        p.terminate()
        assert p.wait(15) == 0
        early.close()
        for fd in fds:
            os.close(fd)
        a.close()
        b.close()
        err.close()


# ---- Rights ----

def identity(pid):
    text = open("/proc/%d/status" % pid).read()
    return {k: v.split() for k, v in re.findall(r"^(Uid|Gid|Groups|NoNewPrivs|CapEff):\s*(.*)$",
                                                text, re.M)}


def test_no_program_started_from_it_gains_rights(tmp_path):
    with gateway(tmp_path) as g:
        assert identity(g.process.pid)["NoNewPrivs"] == ["1"]


def let_everybody_in(folder):
    for p in [folder, *folder.parents]:
        if p.stat().st_uid == 0 and not p.stat().st_mode & 0o001:
            p.chmod(p.stat().st_mode | 0o011)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights up")
def test_rights_are_given_up_once_the_doors_are_open(tmp_path):
    nobody = pwd.getpwnam("nobody")
    let_everybody_in(tmp_path)
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
    with gateway(tmp_path, HEAD + LOG + "user: nobody\n" + ROUTES) as g:
        for task in os.listdir("/proc/%d/task" % g.process.pid):
            who = identity(int(task))
            assert who["Uid"] == [str(nobody.pw_uid)] * 4
            assert who["Gid"] == [str(nobody.pw_gid)] * 4
            assert "0" not in who["Groups"] and int(who["CapEff"][0], 16) == 0
        a = ask(g.port, "/strict")
        assert a.status == 403
        assert (tmp_path / "journal.db").stat().st_uid == nobody.pw_uid
        assert (tmp_path / "access.log").stat().st_uid == nobody.pw_uid
        assert g.sesame("reload").returncode == 0
        assert not (tmp_path / "pid").stat().st_uid


def test_a_user_that_cannot_be_is_told(tmp_path):
    (tmp_path / "sesame.yaml").write_text(HEAD + "user: no-such-user\n" + ROUTES)
    for command in ("serve", "check"):
        done = subprocess.run([SESAME, command, "-c", "sesame.yaml"], cwd=tmp_path, text=True,
                              capture_output=True, timeout=20)
        assert done.returncode == 2 and "no user `no-such-user`" in done.stderr, done


@pytest.mark.skipif(os.geteuid() == 0, reason="root can become anybody")
def test_only_root_becomes_somebody_else(tmp_path):
    (tmp_path / "sesame.yaml").write_text(HEAD + "user: root\n" + ROUTES)
    done = subprocess.run([SESAME, "serve"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=20)
    assert done.returncode == 3 and "only root" in done.stderr


# ---- No descriptors left ----

def test_without_descriptors_it_serves_on_and_recovers(tmp_path):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
    with gateway(tmp_path, HEAD + "workers: 1\n" + ROUTES, preexec_fn=few) as g:
        held = []
        for _ in range(80):
            s = dial(g.port)
            s.settimeout(0.5)
            s.sendall(request(g.port, "/echo"))
            held.append(s)
        g.wait_for(lambda: "no more connections for now" in g.errors())
        answered = []
        for s in held[:20]:
            assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
            s.sendall(frame(b"still here"))
            assert s.recv(64)[2:] == b"still here"
            answered.append(s)
        for s in held:
            s.close()
        g.wait_for(lambda: g.get("/healthz").status == 200)
        connect(g.port).close()
        assert figure(g.figures(), "accept_failures_total") > 0


# ---- In a browser ----

BROWSER = pathlib.Path(__file__).resolve().parents[1] / "browser"


@pytest.mark.skipif(not shutil.which("node") or
                    not (BROWSER / "node_modules/playwright-core").exists() or
                    not shutil.which(os.environ.get("CHROMIUM", "chromium")),
                    reason="there is no browser")
def test_the_page_in_a_browser(tmp_path):
    behind = "  - {path: /behind, to: [ws://127.0.0.1:1, ws://127.0.0.1:2]}\n"
    with gateway(tmp_path, HEAD + ROUTES + behind) as g:
        held = connect(g.port)
        connect(g.port, "/watched").close()
        ask(g.port, "/behind")
        ask(g.port, "/nowhere/" + "long-" * 60)
        time.sleep(0.05)  # so that the next one is the latest
        ask(g.port, "/strict?" + EVIL, "Origin: https://evil.example", "User-Agent: " + EVIL)
        done = subprocess.run(["node", str(BROWSER / "status.mjs"),
                               "http://127.0.0.1:%d/" % g.admin,
                               "access.origin", "https://evil.example", "https://app.example"],
                              capture_output=True, text=True, timeout=90, cwd=BROWSER)
        assert done.returncode == 0, done.stdout + done.stderr
        held.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_files_that_only_root_may_read_are_told_at_the_start(tmp_path):
    let_everybody_in(tmp_path)
    for name, mode in (("closed", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("ann:%s\n" % ("0" * 64))
        (tmp_path / name).chmod(mode)
    routes = "".join("  - {path: /%s, to: echo, allow: {token: {hashes_file: %s}}}\n" % (n, n)
                     for n in ("closed", "open"))
    with gateway(tmp_path, "listen: [{address: '127.0.0.1:0'}]\nuser: nobody\n"
                 "journal: {file: none}\nroutes:\n" + routes):
        time.sleep(0.2)
        said = (tmp_path / "err").read_text()
        assert "cannot read closed (Permission denied)" in said and "every reload" in said, said
        assert "cannot read open" not in said and "cannot read sesame.yaml" not in said
    words = [line for line in said.splitlines() if "cannot read" in line]
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 0 and r.stderr.splitlines() == words
    r = run("check", "sesame.yaml", "--json", cwd=tmp_path)
    assert not r.stderr
    assert ["sesame: " + w for w in json.loads(r.stdout)["warnings"]] == words
