#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Handshakes that are refused, in a flood, while admitted connections talk.

    SESAME=build/sesame bench/flood.py [REFUSALS [CONNECTIONS]]     (100000, 1000)

Half of the connections talk to the echo of the gateway, half through a tunnel to
another one. Each sends a numbered message and waits for it to come back, again
and again, while foreign pages are refused as fast as one process can knock. At
the end every message must have come back, in its order; the memory of the gateway
is looked at when a tenth of the flood is over, and at its end.
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
log: {file: none}
journal: {file: journal.db}
routes:
  - {path: /echo, to: echo}
  - {path: /tunnel, to: "ws://127.0.0.1:%d"}
"""
HEAD = ("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n")
A_SECOND = 2000  # messages of all connections, about
KNOCKING = 100  # at a time
GROWTH_KIB = 4096  # that the gateway may have at the end above what it had before


def start(folder, config):
    folder.mkdir()
    (folder / "sesame.yaml").write_text(config)
    gate = subprocess.Popen([SESAME, "serve"], cwd=folder, stdout=subprocess.PIPE, text=True,
                            stderr=subprocess.DEVNULL)
    for line in gate.stdout:
        if "listening on" in line:
            return gate, int(line.rsplit(":", 1)[1])
    sys.exit("the gateway does not start")


class Talker:
    def __init__(self, port, path):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.socket.sendall((HEAD % (path, "")).encode())
        got = b""
        while b"\r\n\r\n" not in got:
            got += self.socket.recv(4096)
        assert got.startswith(b"HTTP/1.1 101 "), got
        self.sent = self.back = 0
        self.at = self.data = None
        self.slowest = 0

    def say(self):
        text = b"message %9d" % self.sent
        self.socket.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        self.sent += 1
        self.at, self.data = time.monotonic(), b""

    def hear(self):
        """True: the message is back, whole and the right one."""
        data = self.socket.recv(4096)
        assert data, "closed"
        self.data += data
        want = b"\x81\x11message %9d" % self.back
        if len(self.data) < len(want):
            return False
        assert self.data == want, self.data
        self.back += 1
        self.slowest = max(self.slowest, time.monotonic() - self.at)
        return True


def talk(port, n, out):
    """In a process of its own, until it is told to stop: talk, and say how it was."""
    talkers, pause = {}, n / A_SECOND
    poll = select.epoll()
    poll.register(0, select.EPOLLIN)
    for i in range(n):
        t = Talker(port, "/tunnel" if i % 2 else "/echo")
        talkers[t.socket.fileno()] = t
        poll.register(t.socket.fileno(), select.EPOLLIN)
    os.write(out, b"r")
    due = [(time.monotonic() + pause * i / n, t) for i, t in enumerate(talkers.values())]
    waiting, stopping, lost = 0, False, 0
    end = None
    while not stopping or (waiting and time.monotonic() < end):
        now = time.monotonic()
        while due and due[0][0] <= now and not stopping:
            due.pop(0)[1].say()
            waiting += 1
        for fd, _ in poll.poll(0.02):
            if fd == 0:
                stopping, end = True, time.monotonic() + 10
                poll.unregister(0)
                continue
            try:
                if talkers[fd].hear():
                    waiting -= 1
                    due.append((time.monotonic() + pause, talkers[fd]))
            except (OSError, AssertionError):
                lost += 1
                waiting -= 1
                poll.unregister(fd)
    os.write(out, b"%d %d %d %d\n" % (sum(t.sent for t in talkers.values()),
                                      sum(t.back for t in talkers.values()), lost,
                                      max(t.slowest for t in talkers.values()) * 1000))


def knock(port, n):
    """Be refused so often; how often that was by the rule."""
    raw = (HEAD % ("/echo", "Origin: https://foreign.example\r\n")).encode()
    poll, open_now, begun, refused, i = select.epoll(), {}, 0, 0, 0
    while begun < n or open_now:
        while begun < n and len(open_now) < KNOCKING:
            s = socket.socket()
            i += 1
            s.bind(("127.0.0.%d" % (2 + i % 8), 0))
            s.connect(("127.0.0.1", port))
            s.sendall(raw)
            poll.register(s.fileno(), select.EPOLLIN)
            open_now[s.fileno()] = s
            begun += 1
        for fd, _ in poll.poll(10):
            s = open_now.pop(fd)
            try:
                refused += s.recv(4096).startswith(b"HTTP/1.1 403 ")
            except OSError:
                pass
            s.close()
    return refused


def rss_kib(pid):
    for line in open("/proc/%d/status" % pid):
        if line.startswith("VmRSS"):
            return int(line.split()[1])


def main():
    refusals = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 2 * n + 500:
        sys.exit("%d descriptors are allowed, which is too few for %d connections" % (hard, n))
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        behind, port = start(Path(folder) / "behind", "listen: [{address: \"127.0.0.1:0\"}]\n"
                             "journal: {file: none}\nroutes: [{path: /**, to: echo}]\n")
        gate, port = start(Path(folder) / "gate", CONFIG % port)
        try:
            (ours, theirs), (word_out, word_in) = os.pipe(), os.pipe()
            if os.fork() == 0:
                os.dup2(word_out, 0)
                os.close(word_in)
                try:
                    talk(port, n, theirs)
                finally:
                    os._exit(0)
            os.close(theirs)
            assert os.read(ours, 1) == b"r"
            began = time.time()
            refused = knock(port, refusals // 10)
            warm = rss_kib(gate.pid)
            refused += knock(port, refusals - refusals // 10)
            took = time.time() - began
            full = rss_kib(gate.pid)
            os.close(word_in)
            sent, back, lost, slowest = map(int, os.fdopen(ours).readline().split())
            alive = gate.poll() is None
        finally:
            for p in (gate, behind):
                p.terminate()
                p.wait()
    print("%d of %d refused in %.1f s; %d connections: %d of %d messages came back, %d "
          "connections lost, slowest %d ms; %d KiB after a tenth, %d KiB after all"
          % (refused, refusals, took, n, back, sent, lost, slowest, warm, full))
    sys.exit(not alive or refused != refusals or lost > 0 or back != sent or
             full > warm + GROWTH_KIB)


if __name__ == "__main__":
    main()
