#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Idle connections held while the configuration is read again and again.

    SESAME=build/sesame bench/reloads.py [CONNECTIONS [RELOADS]]     (20000, 100)

Two routes: one is in every configuration, the other's target changes from one
reload to the next. At the end every connection of the first has to be open
still. Needs descriptors for all of them in the gateway (ulimit -n).
"""
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SESAME = os.environ.get("SESAME", str(Path(__file__).resolve().parents[1] / "build/sesame"))
CONFIG = """\
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0", socket: control.sock}
log: {file: none}
journal: {file: none}
stop: {spread: 100ms, deadline: 3s}
routes:
  - {path: /same, to: echo, limits: {idle: 1h}}
  - {path: /changing, to: "ws://127.0.0.1:%d"}
"""
REQUEST = ("GET /same HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
           "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").encode()
EACH = 5000  # connections of one process of ours


def answers(s):
    """Whether the word comes back, maybe behind a ping: it was idle for long."""
    data = b""
    try:
        while not data.endswith(b"here"):
            more = s.recv(64)
            if not more:
                return False
            data += more
    except OSError:
        return False
    return True


def hold(port, n, pipe):
    """In a process of its own: connect, wait for the word, say how many are alive."""
    held = []
    for _ in range(n):
        s = socket.create_connection(("127.0.0.1", port), 30)
        s.sendall(REQUEST)
        held.append(s)
    for s in held:
        assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
    os.write(pipe[1], b"r")
    sys.stdin.readline()
    for s in held:
        s.sendall(b"\x81\x84\0\0\0\0here")
    alive = sum(map(answers, held))
    os.write(pipe[1], b"%d\n" % alive)


def start_holders(port, n):
    holders = []
    while n > 0:
        take = min(n, EACH)
        ours, theirs = os.pipe()
        word_out, word_in = os.pipe()
        if os.fork() == 0:
            os.dup2(word_out, 0)
            os.close(word_in)
            try:
                hold(port, take, (ours, theirs))
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(word_out)
        holders.append((ours, word_in))
        n -= take
    return holders


def rss_kib(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    reloads = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < n + 100:
        sys.exit("%d descriptors are allowed, which is too few for %d connections" % (hard, n))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "sesame.yaml"
        config.write_text(CONFIG % 1)
        gate = subprocess.Popen([SESAME, "serve"], cwd=folder, stdout=subprocess.PIPE, text=True,
                                stderr=subprocess.DEVNULL)
        for line in gate.stdout:
            if "listening on" in line:
                break
        port = int(line.rsplit(":", 1)[1])
        try:
            empty = rss_kib(gate.pid)
            holders = start_holders(port, n)
            for out, _ in holders:
                assert select.select([out], [], [], 120)[0] and os.read(out, 1) == b"r"
            full = rss_kib(gate.pid)
            began = time.time()
            for i in range(reloads):
                config.write_text(CONFIG % (i + 2))
                subprocess.run([SESAME, "reload"], cwd=folder, check=True,
                               stdout=subprocess.DEVNULL)
            took = time.time() - began
            for _, word in holders:
                os.write(word, b"\n")
            alive = sum(int(os.fdopen(out).readline()) for out, _ in holders)
            print("%d of %d alive after %d reloads in %.1f s; %d KiB before, %d KiB with all, "
                  "%d KiB after" % (alive, n, reloads, took, empty, full, rss_kib(gate.pid)))
        finally:
            gate.terminate()
            gate.wait()
        sys.exit(alive != n)


if __name__ == "__main__":
    main()
