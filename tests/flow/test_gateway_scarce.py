# SPDX-License-Identifier: MIT
"""A gateway that lacks something: room for its files, descriptors, a file that
was there. It serves on, says what is wrong where an operator looks (log and
figures), and goes on as before when it has it again. Limits of the process stand
for a full disk, so that nobody has to be root."""
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from behind import Behind, opening
from gateways import SESAME, dial, request
from ports import free_port
from test_gateway_operation import HEAD, Gateway, connect, figure, frame, gateway

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
LOGGED = HEAD + "log: {file: access.log}\nroutes:\n" \
    "  - {path: /echo, to: echo, allow: {origins: [https://app.example, none]}}\n"


def limited(which, most):
    return lambda: resource.setrlimit(which, (most, resource.RLIM_INFINITY
                                              if which == resource.RLIMIT_FSIZE else most))


def refuse(g, n):
    for i in range(n):
        with dial(g.port) as s:
            s.sendall(request(g.port, "/echo?" + "x" * 400, "Origin: https://evil%d.example" % i))
            assert s.recv(64).startswith(b"HTTP/1.1 403 ")


def talks(s):
    s.sendall(frame(b"still here"))
    return s.recv(64)[2:] == b"still here"


def test_files_that_may_not_grow_are_told_and_written_again(tmp_path):
    with gateway(tmp_path, LOGGED, preexec_fn=limited(resource.RLIMIT_FSIZE, 150000)) as g:
        held = connect(g.port)
        end = time.time() + 20
        while True:
            refuse(g, 100)
            found = g.figures()
            if figure(found, "log_left_out_total") and not figure(found, "journal_up"):
                break
            assert time.time() < end, found
        assert talks(held) and g.get("/healthz").status == 200
        assert "the access log cannot be written" in g.errors()
        assert "cannot be written" in g.errors().replace("the access log cannot be written", "")
        assert not g.status()["journal"]["written"] and g.status()["journal"]["wrong"]
        connect(g.port).close()

        resource.prlimit(g.process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        for _ in range(100):
            refuse(g, 1)
            if figure(g.figures(), "journal_up"):
                break
            time.sleep(0.2)
        assert figure(g.figures(), "journal_up") == 1
        assert "is written again" in g.errors()
        g.wait_for(lambda: "left_out" in (tmp_path / "access.log").read_text())
        assert talks(held)
        held.close()


def test_a_standard_error_that_may_not_grow_stops_nobody(tmp_path):
    config = HEAD + "routes: [{path: /echo, to: echo, allow: {origins: [none]}}]\n"
    config = config.replace("journal.db", "none")
    with gateway(tmp_path, config, preexec_fn=limited(resource.RLIMIT_FSIZE, 500)) as g:
        refuse(g, 50)
        connect(g.port).close()
        assert g.get("/healthz").status == 200
        assert len(g.errors()) <= 500


@pytest.mark.parametrize("loop", ["epoll", "io_uring"])
def test_who_was_killed_has_its_port_when_started_again_at_once(tmp_path, loop):
    """With io_uring the kernel clears away what a dead process asked for, and then its port."""
    config = LOGGED.replace("127.0.0.1:0", "127.0.0.1:%d" % free_port(), 1)
    for _ in range(20):
        g = Gateway(tmp_path, config, env=dict(os.environ, SESAME_LOOP=loop))
        with connect(g.port):
            g.process.kill()
            g.process.wait()
        g.stop()


def next_descriptor(pid):
    """The number that the next one will have, once nothing is being closed any more."""
    seen = []
    while len(seen) < 10 or any(one != seen[-1] for one in seen[-10:]):
        seen.append({int(fd) for fd in os.listdir("/proc/%d/fd" % pid)})
        time.sleep(0.05)
    return min(set(range(len(seen[-1]) + 1)) - seen[-1])


def test_without_a_descriptor_for_the_way_behind_nobody_else_is_blamed(tmp_path):
    with Behind(opening()) as behind:
        url = "ws://127.0.0.1:%d" % behind.port
        config = HEAD + "workers: 1\nroutes: [{path: /app, to: \"%s\"}]\n" % url
        with gateway(tmp_path, config) as g:
            assert figure(g.figures(), "upstream_up", route="/app", upstream=url) == 1
            # one more: for the client, and none for the server
            most = next_descriptor(g.process.pid) + 1
            resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (most, 4096))
            with dial(g.port) as s:
                s.settimeout(5)
                s.sendall(request(g.port, "/app"))
                got = s.recv(4096)
            assert got.startswith(b"HTTP/1.1 503 "), got
            resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (1024, 4096))
            assert "no more connections for now" in g.errors() and "ulimit -n" in g.errors()
            found = g.figures()
            assert figure(found, "accept_failures_total") > 0
            assert figure(found, "upstream_up", route="/app", upstream=url) == 1
            assert figure(found, "upstream_failures_total", route="/app", upstream=url) == 0
            assert figure(found, "handshakes_total", route="/app", result="refused",
                          cause="server.limit") == 1
            with dial(g.port) as s:
                s.sendall(request(g.port, "/app"))
                assert s.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_clients_leave_descriptors_to_probes_and_to_reload(tmp_path):
    config = HEAD + "workers: 1\nroutes: [{path: /echo, to: echo}]\n"
    with gateway(tmp_path, config) as g:
        most = next_descriptor(g.process.pid) + 24
        resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (most, 4096))
        many = [dial(g.port) for _ in range(100)]
        g.wait_for(lambda: "no more connections for now" in g.errors())
        assert g.get("/healthz").status == 200 and g.get("/readyz").status == 200
        r = subprocess.run([SESAME, "reload", "-c", "sesame.yaml"], cwd=tmp_path,
                           capture_output=True, text=True, timeout=20)
        assert r.returncode == 0, r.stderr
        for s in many:
            s.close()
        s = connect(g.port)
        assert talks(s)
        s.close()


@pytest.mark.parametrize("route", ["to: \"ws://127.0.0.1:%d\"",
                                   "to: echo, allow: {authority: {url: \"http://127.0.0.1:%d/\", "
                                   "timeout: 30s}}"], ids=["server", "authority"])
def test_what_is_dialled_for_clients_leaves_descriptors_too(tmp_path, route):
    """Whoever is let in takes a second one, for the way behind."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        config = HEAD + "workers: 1\nroutes:\n  - {path: /echo, to: echo}\n  - {path: /app, %s}\n" \
            % (route % silent.getsockname()[1])
        with gateway(tmp_path, config) as g:
            most = next_descriptor(g.process.pid) + 24
            resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (most, 4096))
            many = []
            while "no more connections for now" not in g.errors() and len(many) < 100:
                many.append(dial(g.port))
                many[-1].sendall(request(g.port, "/app"))
                time.sleep(0.01)
            assert len(many) < 100
            taken = {int(fd) for fd in os.listdir("/proc/%d/fd" % g.process.pid)}
            assert max(taken) < most - most // 8, taken
            assert g.get("/healthz").status == 200 and g.get("/readyz").status == 200
            r = subprocess.run([SESAME, "reload", "-c", "sesame.yaml"], cwd=tmp_path,
                               capture_output=True, text=True, timeout=20)
            assert r.returncode == 0, r.stderr
            for s in many:
                s.close()
            s = connect(g.port)
            assert talks(s)
            s.close()


def test_without_a_descriptor_for_a_check_no_server_is_condemned(tmp_path):
    def answer(request_):
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with Behind(answer) as behind:
        url = "ws://127.0.0.1:%d" % behind.port
        config = HEAD + "workers: 1\nroutes: [{path: /app, to: \"%s\", " \
            "health: {path: /, fails: 1, every: 100ms}}]\n" % url
        with gateway(tmp_path, config) as g:
            g.wait_for(lambda: behind.requests)
            time.sleep(0.1)
            resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (3, 4096))
            time.sleep(1)
            resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (1024, 4096))
            before = len(behind.requests)
            g.wait_for(lambda: len(behind.requests) > before)
            assert "is down" not in g.errors()
            found = g.figures()
            assert figure(found, "upstream_checks_total", route="/app", upstream=url,
                          result="failed") == 0
            assert figure(found, "upstream_up", route="/app", upstream=url) == 1


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
                    "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)


@pytest.mark.parametrize("gone, config", [
    ("cert.pem", HEAD.replace('"127.0.0.1:0"}]', '"127.0.0.1:0", tls: {certificate: cert.pem, '
                              'key: key.pem}}]', 1) + "routes: [{path: /echo, to: echo}]\n"),
    ("key.pem", HEAD.replace('"127.0.0.1:0"}]', '"127.0.0.1:0", tls: {certificate: cert.pem, '
                             'key: key.pem}}]', 1) + "routes: [{path: /echo, to: echo}]\n"),
    ("cert.pem", HEAD + 'routes: [{path: /echo, to: "wss://127.0.0.1:9", upstream_tls: '
                 '{ca: cert.pem}}]\n'),
    ("sesame.yaml", HEAD + "routes: [{path: /echo, to: echo}]\n")])
def test_a_file_that_is_gone_at_a_reload_is_in_log_figures_and_status(tmp_path, gone, config):
    make_certificate(tmp_path)
    with gateway(tmp_path, config) as g:
        assert figure(g.figures(), "config_last_reload_successful") == 1
        (tmp_path / gone).rename(tmp_path / "away")
        g.signal(signal.SIGHUP)
        g.wait_for(lambda: "the old configuration stays" in g.errors())
        assert gone in g.errors() and "No such file" in g.errors()
        found = g.figures()
        assert figure(found, "config_last_reload_successful") == 0
        assert figure(found, "config_reloads_total", result="failed") == 1
        assert gone in g.status()["configuration"]["fault"]
        dial(g.port).close()
        assert g.get("/readyz").status == 200
        (tmp_path / "away").rename(tmp_path / gone)
        g.signal(signal.SIGHUP)
        g.wait_for(lambda: figure(g.figures(), "config_last_reload_successful") == 1)


def test_a_worker_without_descriptors_still_stops(tmp_path):
    # a search for leaks needs descriptors too
    env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    with gateway(tmp_path, LOGGED, env=env) as g:
        held = connect(g.port)
        resource.prlimit(g.process.pid, resource.RLIMIT_NOFILE, (3, 4096))
        waiting = [socket.create_connection(("127.0.0.1", g.port)) for _ in range(5)]
        time.sleep(0.3)
        assert talks(held)
        began = time.time()
        g.signal(signal.SIGTERM)
        for s in waiting + [held]:
            s.close()
        assert g.process.wait(10) == 0 and time.time() - began < 5
