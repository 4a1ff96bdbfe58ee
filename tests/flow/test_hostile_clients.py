# SPDX-License-Identifier: MIT
"""Clients that mean harm, to the library's echo server and to the gateway: too
much, too slowly, too many, and never an end. Nobody else may notice."""
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateways import UPGRADE, Answer, dial, gateway, read_all
from held import sanitized
from rawsocket import Peer, example, serving

TOP = Path(__file__).resolve().parents[2]
CONFIG = """\
listen: [{address: "127.0.0.1:0"}]
workers: 1
log: {file: none}
journal: {file: none}
routes: [{path: /**, to: echo}]
"""


@pytest.fixture(params=["library", "gateway"])
def server(request, tmp_path):
    """(its port, its process's number)"""
    if request.param == "gateway":
        with gateway(tmp_path, CONFIG) as g:
            yield g.port, g.process.pid
        return
    with serving(example("echo_server"), "--port", "0", "--max-message", "65536") as url:
        port = int(url.rsplit(":", 1)[1])
        yield port, owner(port)


def owner(port):
    """The process that listens there."""
    entry = "0100007F:%04X 00000000:0000 0A" % port
    inode = next(line.split()[9] for line in open("/proc/net/tcp") if entry in line)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            for fd in os.listdir("/proc/%s/fd" % pid):
                if os.readlink("/proc/%s/fd/%s" % (pid, fd)) == "socket:[%s]" % inode:
                    return int(pid)
        except OSError:
            continue
    raise AssertionError("nobody listens")


def private(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024


def children(pid):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue  # it has ended
        if parent == str(pid):
            found.append((stat.parent.name, state))
    return found


def answers(port):
    with Peer("ws://127.0.0.1:%d/" % port) as friend:
        friend.send("hello")
        return friend.recv() == "hello"


# ---- Heads ----

START = "GET /%s HTTP/1.1\r\nHost: a\r\n" + UPGRADE


def head(target="", fields=(), total=0):
    text = START % target + "".join(fields)
    while len(text) + 2 < total:  # lines of 1,000 bytes and the rest
        n = min(1000, total - 2 - len(text))
        text += "A: " + "a" * (n - 5) + "\r\n"
    return (text + "\r\n").encode()


FIELDS = START.count("\r\n") - 1
HEADS = {  # how to make it, how much is taken and how much is not, and the answer then
    "fields": (lambda n: head(fields=["A: b\r\n"] * (n - FIELDS)), 100, 101, 431),
    "a value": (lambda n: head(fields=["A: " + "a" * (n - 3) + "\r\n"]), 8192, 8193, 431),
    "a name": (lambda n: head(fields=["A" * (n - 1) + ":\r\n"]), 8192, 8193, 431),
    "a line": (lambda n: head(target="a" * (n - 14)), 8192, 8193, 431),
    "a target": (lambda n: head(target="a" * n), 8000, 8192, 414),
    "all of it": (lambda n: head(total=n), 16384, 16385, 431),
}


@pytest.mark.parametrize("what", sorted(HEADS))
def test_a_head_at_its_limit_is_taken_and_more_is_not(server, what):
    make, taken, too_much, status = HEADS[what]
    for n, expected in ((taken, 101), (too_much, status)):
        with dial(server[0]) as s:
            s.sendall(make(n))
            if expected == 101:
                assert s.recv(4096).startswith(b"HTTP/1.1 101 "), n
            else:
                assert Answer(read_all(s)).status == expected, n  # and it was closed


# ---- Slowly ----

def test_who_sends_byte_by_byte_gets_what_others_get_and_holds_nobody_up(server):
    port, _ = server
    key = b"\x82\x84\0\0\0\0slow"
    with socket.create_connection(("127.0.0.1", port), 10) as slow:
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at, byte in enumerate(head() + key):
            slow.sendall(bytes([byte]))
            if at % 40 == 0:
                assert answers(port)
        got = b""
        while not got.endswith(b"slow"):
            part = slow.recv(4096)
            assert part, got
            got += part
    assert got.startswith(b"HTTP/1.1 101 ")


def test_a_head_that_stops_anywhere_is_cut_off_in_time(server):
    port, _ = server
    whole = head()
    places = [1, 10, 40, len(whole) - 1]
    begun = time.monotonic()
    held = []
    for place in places:
        held.append(dial(port))
        held[-1].settimeout(20)
        held[-1].sendall(whole[:place])
    for s in held:
        assert Answer(read_all(s)).status == 408
        s.close()
    assert time.monotonic() - begun < 18


# ---- Many ----

def test_a_storm_of_connections_makes_no_thread_and_no_process(server):
    port, pid = server
    threads = len(os.listdir("/proc/%d/task" % pid))
    held = [Peer("ws://127.0.0.1:%d/" % port) for _ in range(200)]
    held += [dial(port) for _ in range(100)]
    for peer in held[:200]:
        peer.send("all at once")
    assert len(os.listdir("/proc/%d/task" % pid)) == threads
    assert not children(pid)
    for peer in held[:200]:
        assert peer.recv() == "all at once"
        peer.socket.close()
    for s in held[200:]:
        s.close()


# ---- No end ----

DEAF = ["pings", "slow-readers", "deaf-bombs"]  # of bench/hostile.c
READ = ["largest", "unfinished", "fragments", "empty-fragments", "bombs", "large-bombs",
        "slow-heads", "slow-frames", "half-closes", "cut-off"]


def test_a_peer_that_never_answers_the_close_is_not_kept(tmp_path):
    with gateway(tmp_path, CONFIG + "stop: {spread: 0ms, deadline: 30s}\n") as g:
        with Peer("ws://127.0.0.1:%d/" % g.port) as peer:
            begun = time.monotonic()
            g.process.terminate()
            assert peer.read_frame()[0] == 0x88
            g.process.wait(20)
            assert 3 < time.monotonic() - begun < 15


def test_what_was_only_announced_takes_no_memory(server):
    port, pid = server
    before = private(pid)
    held = [Peer("ws://127.0.0.1:%d/" % port) for _ in range(50)]
    for peer in held:
        peer.socket.sendall(b"\x82\xff" + (65536).to_bytes(8, "big") + bytes(4) + b"a")
    assert answers(port)
    assert private(pid) < before + 50 * 16384 or sanitized("/proc/%d/exe" % pid)
    for peer in held:
        peer.socket.close()


def stay_within(subjects, kinds, clients, *options):
    """bench/ceilings.py, in short: see docs/limits.md."""
    build = Path(os.environ.get("SESAME_BUILD", str(TOP / "build")))
    command = [sys.executable, str(TOP / "bench/ceilings.py"), str(build), "--memory",
               "--clients", str(clients), "--seconds", "0.6", *options,
               "--subjects", *subjects, "--only", *kinds]
    run = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert run.stdout.count("times cut off") == len(subjects) * len(kinds), run.stdout + run.stderr
    assert run.returncode == 0 or sanitized(build / "sesame"), run.stdout + run.stderr


@pytest.mark.parametrize("subject", ["library", "echo"])
def test_a_hundred_of_every_kind_stay_within_the_bounds_of_the_page(subject):
    stay_within([subject], READ, 100, "--tick-ms", "50")
    # so many bytes of each wait in the system before one waits in the server
    stay_within([subject], DEAF, 20, "--tick-ms", "10")


def test_members_and_tunnels_stay_within_the_bounds_of_the_page():
    stay_within(["hub", "proxy"], ["unfinished", "bombs"], 100, "--tick-ms", "50")
    stay_within(["hub", "proxy"], ["slow-readers"], 20, "--tick-ms", "10")


def test_every_kind_is_played():
    program = (TOP / "bench/hostile.c").read_text()
    kinds = set(re.findall(r'^\t\{"([a-z-]+)", write_', program, re.M))
    assert set(READ + DEAF) == kinds - {"idle", "idle-deflate"}
