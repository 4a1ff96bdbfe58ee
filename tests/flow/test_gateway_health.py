# SPDX-License-Identifier: MIT
"""Active checks: servers that fail them get no new connections, real ones that
are killed, hang, say 503 and come back."""
import asyncio
import json
import signal
import socket
import subprocess
import time
import urllib.request

import pytest
import websockets

from gateways import ask, gateway, reload, run
from nodes import needs_nginx, needs_ws, nginx, node
from ports import free_port

HEALTH = "health: {path: /healthz, every: 500ms, fails: 2, rest: 100ms}"


def config(servers, *more):
    return ('listen: [{address: "127.0.0.1:0"}]\n'
            'admin: {address: "127.0.0.1:0", socket: none}\nroutes:\n'
            "  - path: /app/**\n    to: [%s]\n" % ", ".join(servers)
            + "".join("    %s\n" % line for line in more) + "journal: {file: journal.db}\n")


def url(port, scheme="ws"):
    return "%s://127.0.0.1:%d" % (scheme, port)


def admin_of(g):
    return json.loads(urllib.request.urlopen(g.admin + "/status.json", timeout=5).read())


def figures(g):
    return urllib.request.urlopen(g.admin + "/metrics", timeout=5).read().decode()


def server(g, i):
    return admin_of(g)["routes"][0]["upstreams"][i]


def wait_until(g, i, up):
    end = time.time() + 10
    while server(g, i)["up"] != up:
        assert time.time() < end, (g.folder / "err").read_text()
        time.sleep(0.05)


def wait_until_checked(g, i):
    end = time.time() + 10
    while not server(g, i)["check"]["good"]:
        assert time.time() < end, (g.folder / "err").read_text()
        time.sleep(0.05)


def names(g, n):
    """Who answers @n clients."""
    async def play():
        out = []
        for _ in range(n):
            async with websockets.connect(g.url + "/app/x") as ws:
                out.append(await asyncio.wait_for(ws.recv(), 5))
        return out
    return asyncio.run(play())


def errors(g):
    return (g.folder / "err").read_text()


@needs_ws
@needs_nginx
def test_servers_that_are_killed_hang_or_are_ill_are_left_alone_until_they_are_well(tmp_path):
    a, b, back = free_port(), free_port(), free_port()
    with node(a, "a") as first, node(back, "b"), nginx(tmp_path / "nginx", b, back) as second, \
            gateway(tmp_path, config([url(a), url(b)], HEALTH, "retries: 0")) as g:
        assert sorted(set(names(g, 6))) == ["a", "b"]

        first.signal(signal.SIGUSR2)  # it says 503
        wait_until(g, 0, False)
        assert names(g, 6) == ["b"] * 6
        assert server(g, 0)["check"]["said"] == "answered 503"
        assert '%s behind /app/** is down: of /healthz the last 2 checks failed (answered 503)' \
            % url(a) in errors(g)
        assert "(sesame.yaml:6)" in errors(g)
        assert 'sesame_upstream_up{route="/app/**",upstream="%s"} 0' % url(a) in figures(g)
        assert 'upstream="%s",result="failed"} 0' % url(a) not in figures(g)
        page = urllib.request.urlopen(g.admin + "/", timeout=5).read().decode()
        assert "check: answered 503" in page and "check: answered 204" in page
        first.signal(signal.SIGUSR2)
        wait_until(g, 0, True)
        assert sorted(set(names(g, 6))) == ["a", "b"]
        assert "%s behind /app/** is up again: it answered 200 to /healthz" % url(a) in errors(g)

        second.kill()
        wait_until(g, 1, False)
        assert names(g, 6) == ["a"] * 6
        assert server(g, 1)["failures"] == 0, "no client had to find out"
        second.start()
        wait_until(g, 1, True)
        assert sorted(set(names(g, 6))) == ["a", "b"]

        first.signal(signal.SIGSTOP)  # it takes connections and says nothing
        wait_until(g, 0, False)
        assert names(g, 4) == ["b"] * 4
        first.signal(signal.SIGCONT)
        wait_until(g, 0, True)


@needs_ws
def test_connections_that_a_failing_server_has_stay(tmp_path):
    a, b = free_port(), free_port()
    with node(a, "a") as first, node(b, "b"), \
            gateway(tmp_path, "workers: 1\n" + config([url(a), url(b)], HEALTH)) as g:
        async def play():
            async with websockets.connect(g.url + "/app/x") as ws:
                assert await ws.recv() == "a"
                first.signal(signal.SIGUSR2)
                await asyncio.get_running_loop().run_in_executor(None, wait_until, g, 0, False)
                await ws.send("still here")
                assert await ws.recv() == "still here"
        asyncio.run(play())


@needs_ws
def test_when_all_fail_they_are_asked_all_the_same(tmp_path):
    a, b = free_port(), free_port()
    with node(a, "a") as first, node(b, "b") as second, \
            gateway(tmp_path, config([url(a), url(b)], HEALTH)) as g:
        for one in (first, second):
            one.signal(signal.SIGUSR2)
        wait_until(g, 0, False)
        wait_until(g, 1, False)
        assert sorted(set(names(g, 6))) == ["a", "b"]
        assert errors(g).count("all servers behind /app/** fail their checks") == 1
        second.kill()
        first.kill()
        answer = ask(g.port, "/app/x")
        assert answer.status == 502
        assert g.story(answer.reference)["cause"] == "server.backend-down"


@needs_ws
def test_a_retry_does_not_go_to_one_that_fails(tmp_path):
    a, b = free_port(), free_port()
    with node(a, "a") as first, node(b, "b") as second:
        second.signal(signal.SIGUSR2)
        with gateway(tmp_path, config([url(a), url(b)], "retries: 1",
                                      "health: {path: /healthz, every: 1m, fails: 1}")) as g:
            wait_until(g, 1, False)
            wait_until_checked(g, 0)
            first.kill()  # long before the next check
            assert ask(g.port, "/app/x").status == 502


@needs_ws
def test_servers_of_wss_are_checked_over_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "pem"), "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    port = free_port()
    with node(port, "a", tmp_path / "pem", tmp_path / "key") as a:
        with gateway(tmp_path, config([url(port, "wss")], HEALTH, "upstream_tls: {ca: pem}")) as g:
            assert names(g, 1) == ["a"]
            wait_until_checked(g, 0)
            a.signal(signal.SIGUSR2)
            wait_until(g, 0, False)
        with gateway(tmp_path, config([url(port, "wss")], HEALTH)) as g:
            wait_until(g, 0, False)
            assert "certificate" in server(g, 0)["check"]["said"] or \
                "self" in server(g, 0)["check"]["said"]


@needs_ws
def test_a_reload_remembers_who_fails_and_cuts_nobody(tmp_path):
    a, b = free_port(), free_port()
    with node(a, "a") as first, node(b, "b"):
        text = config([url(a), url(b)], "health: {path: /healthz, every: 300ms, fails: 5}")
        with gateway(tmp_path, text) as g:
            first.signal(signal.SIGUSR2)
            wait_until(g, 0, False)
            for _ in range(5):
                reload(g, text, "reloaded")
                assert server(g, 0)["up"] is False
                assert names(g, 2) == ["b", "b"]
            assert errors(g).count("is down") == 1


@needs_ws
def test_checks_are_as_many_as_said_whatever_the_workers(tmp_path):
    a = free_port()
    began = time.time()
    with node(a, "a") as first, \
            gateway(tmp_path, "workers: 8\n" + config([url(a)], "health: {path: /x, every: 200ms}")):
        time.sleep(3)
        seen = int(urllib.request.urlopen("http://127.0.0.1:%d/seen" % a, timeout=5).read())
        assert 8 <= seen <= 2 + (time.time() - began) / 0.18, seen
        assert first


def test_a_stop_does_not_wait_for_a_check(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        with gateway(tmp_path, config([url(mute.getsockname()[1])], "health: {path: /}")) as g:
            mute.settimeout(5)
            peer, _ = mute.accept()
            began = time.time()
            g.process.terminate()
            assert g.process.wait(10) == 0 and time.time() - began < 2
            peer.close()


@pytest.mark.parametrize("health, words", [
    ("health: {every: 1s}", "path"),
    ("health: {path: healthz}", "health.path `healthz` is none; it begins with /"),
    ("health: {path: '/a b'}", "has no spaces"),
    ("health: {path: /, every: 1ms}", "every"),
    ("health: {path: /, fails: 0}", "fails"),
    ("health: {path: /, evry: 1s}", "did you mean"),
    ("health: /healthz", "health")])
def test_faults_are_told_with_their_place(tmp_path, health, words):
    (tmp_path / "sesame.yaml").write_text(config([url(9)], health))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stdout + r.stderr, r.stdout + r.stderr
    assert "sesame.yaml:6:" in r.stdout + r.stderr


def test_health_needs_servers_behind(tmp_path):
    (tmp_path / "sesame.yaml").write_text("routes: [{path: /, to: echo, health: {path: /}}]\n")
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and "health is for a server behind the gateway" in r.stdout + r.stderr
