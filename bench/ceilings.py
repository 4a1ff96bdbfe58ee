#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What hostile clients can take: memory, and the time of honest ones.

    bench/ceilings.py build                         all of it, a quarter of an hour
    bench/ceilings.py build --memory --clients 100  memory alone, a minute

Memory: so many clients of one kind at a server of its own; the most that it held
beyond what it had before, by client, beside the bound of docs/limits.md.

Time: clients of all kinds together and honest ones beside them, in windows that
are quiet (the hostile ones stay connected and still) and busy in turn. Medians
of the windows are compared: a machine that does other things does them in both.
The server runs on one core, all clients on the other.
"""
import argparse
import os
import re
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KIB = 1024
# The bounds of docs/limits.md, in bytes.
VISITOR = 4 * KIB             # before its handshake is done, beside its head
HEAD = 16 * KIB
CONNECTION = {"library": KIB // 2, "echo": 2 * KIB, "hub": 3 * KIB, "proxy": 4 * KIB}
TLS = 24 * KIB
BLOCK = 4 * KIB               # that the system rounds a long buffer up to
INFLATE = 48 * KIB
DEFLATE = 272 * KIB
PART = 16 * KIB               # of compressed input, kept for its turn
RECEIVED = 512 * KIB          # at a time, of plain input
INFLATED = 768 * KIB          # in one turn
QUEUE_HIGH = 1024 * KIB
HUB_QUEUE = 1024 * KIB
HUB_MESSAGE = 64 * KIB        # what a channel takes where nothing is said
TUNNEL_HIGH = 256 * KIB
PROCESS = 20 * KIB * KIB      # buffers and spare blocks of one loop, and the rest of it
HUB_WAY = 64 * KIB * KIB      # messages of all channels together

KINDS = ["largest", "unfinished", "fragments", "empty-fragments", "bombs", "large-bombs",
         "pings", "slow-heads", "slow-frames", "slow-readers", "deaf-bombs", "half-closes",
         "cut-off"]
DEAF = ["pings", "slow-readers", "deaf-bombs"]
IDLE = ["idle", "idle-deflate"]
CORES = sorted(os.sched_getaffinity(0))


def queue(subject, message):
    """What may wait for one who does not read: the high mark, and what one turn adds."""
    if subject == "hub":
        return HUB_QUEUE
    return QUEUE_HIGH + max(RECEIVED, INFLATED) + message + BLOCK


def bound(subject, kind, message):
    """Bytes that one client of that kind may take."""
    each = CONNECTION[subject]
    if kind in IDLE or kind == "half-closes":
        return each
    if kind == "slow-heads":
        return VISITOR + HEAD
    if kind == "empty-fragments" and subject != "proxy":
        return each + BLOCK
    if subject == "proxy":
        return each + 2 * (TUNNEL_HIGH + RECEIVED + BLOCK)
    each += message + BLOCK
    if "bombs" in kind and subject != "hub":
        each += INFLATE + DEFLATE + PART
    return each + (queue(subject, message) if kind in DEAF else 0)


GATE = """\
workers: 1
listen: [{address: "127.0.0.1:0"}]
log: {file: none}
journal: {file: journal.db}
routes:
  - {path: /echo, to: echo, limits: {message: %d}}
  - {path: /hub/*, to: hub, hub: {echo: true}}
  - {path: /proxy, to: "ws://127.0.0.1:%s"}
"""
REQUEST = (b"GET / HTTP/1.1\r\nHost: localhost:%s\r\nUpgrade: websocket\r\n"
           b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
PATHS = {"library": "/", "echo": "/echo", "hub": "/hub/*", "proxy": "/proxy"}


def urgent():
    """Server and honest clients are measured, not what else the machine does."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        pass


def calm():
    pass


class Server:
    def __init__(self, command, folder, core):
        pin = ["taskset", "-c", str(core)] if core is not None else []
        self.process = subprocess.Popen([*pin, *command], cwd=folder, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        preexec_fn=urgent if pin else calm)
        for line in self.process.stdout:
            port = re.search(r"listening (?:at|on) \S+:(\d+)\s*$", line)
            if port:
                self.port = port.group(1)
                return
        sys.exit(f"{command[0]} does not start")

    def private(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s*(\d+)", status.read()).group(1)) * KIB

    def cpu_s(self):
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Subject:
    """The library's example, or the gateway, and what stands behind it."""

    def __init__(self, name, build, folder, message, core=None):
        self.name, self.servers = name, []
        self.message = HUB_MESSAGE if name == "hub" else message
        folder = Path(folder)
        echo = [str(build / "examples/echo_server"), "--port", "0", "--deflate",
                "--max-message", str(message)]
        if name != "library":
            behind = "1"
            if name == "proxy":
                self.servers.append(Server(echo, folder, CORES[-1] if core is not None else None))
                behind = self.servers[0].port
            (folder / "sesame.yaml").write_text(GATE % (message, behind))
            echo = [str(build / "sesame"), "serve"]
        self.servers.append(Server(echo, folder, core))
        self.server = self.servers[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()


class Clients:
    def __init__(self, build, subject, kind, n, tick_ms, first=urgent, path=None):
        path = path or PATHS[subject.name]
        self.kind = kind
        self.process = subprocess.Popen(
            ["taskset", "-c", str(CORES[-1]), str(build / "bench/hostile"),
             "--port", subject.server.port, "--path", path, "--kind", kind, "--clients", str(n),
             "--share", "1" if kind == "honest" else "10", "--message", str(subject.message),
             "--tick-ms", str(tick_ms)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=first)

    def say(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def tell(self):
        self.say("tell")
        words = self.process.stdout.readline().split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def most_held(server, seconds):
    most, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        most = max(most, server.private())
        time.sleep(0.05)
    return most


def came_in(clients, n):
    """Wait until they are there, or were cut off already. What they told so far."""
    until, so_far = time.monotonic() + 20, {"lost": 0, "sent": 0}
    while True:
        told = clients.tell()
        for what in so_far:
            so_far[what] += told[what]
        if told["open"] + so_far["lost"] >= n * 0.9:
            return so_far
        if time.monotonic() > until:
            sys.exit(f"{clients.kind}: only {told['open']} of {n} clients got in")
        time.sleep(0.05)


def weigh(asked, name, kind):
    """(bytes a client, its bound, whether it held)."""
    with tempfile.TemporaryDirectory() as folder, \
            Subject(name, asked.build, folder, asked.message) as subject:
        before = subject.server.private()
        # who does not read has to say much before the system holds no more of it
        tick_ms = asked.tick_ms // 10 if kind in DEAF[:2] else asked.tick_ms
        clients = Clients(asked.build, subject, kind, asked.clients, tick_ms, first=calm)
        so_far = came_in(clients, asked.clients)
        most = most_held(subject.server, asked.seconds)
        told = clients.tell()
        clients.stop()
    limit = bound(name, kind, subject.message)
    grown = max(0, most - before)
    within = grown <= PROCESS + (name == "hub") * HUB_WAY + limit * asked.clients
    if kind in KINDS and not told["sent"] + so_far["sent"]:
        sys.exit(f"{kind}: nothing was sent")
    print(f"{name:8} {kind:16} {grown / asked.clients / KIB:10.1f} {limit / KIB:10.1f}"
          f"  {'' if within else 'OVER'}  {told['lost'] + so_far['lost']} times cut off", flush=True)
    return within


def weigh_tls(asked):
    """Idle connections over TLS, which the generator does not speak."""
    n = min(asked.clients, 200)
    with tempfile.TemporaryDirectory() as folder:
        pem = [str(Path(folder) / name) for name in ("cert.pem", "key.pem")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                        "-out", pem[0], "-keyout", pem[1]], check=True, capture_output=True)
        server = Server([str(asked.build / "examples/echo_server"), "--port", "0",
                         "--cert", pem[0], "--key", pem[1]], folder, None)
        context = ssl.create_default_context(cafile=pem[0])
        held = []
        for i in range(n + 1):
            if i == 1:
                before = server.private()
            s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(server.port))),
                                    server_hostname="localhost")
            s.sendall(REQUEST % server.port.encode())
            assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
            held.append(s)
        each = (server.private() - before) / n
        for s in held:
            s.close()
        server.stop()
    within = each <= TLS
    print(f"{'library':8} {'idle, TLS':16} {each / KIB:10.1f} {TLS / KIB:10.1f}"
          f"  {'' if within else 'OVER'}", flush=True)
    return within


def weigh_all(asked):
    print(f"{asked.clients} clients, messages of {asked.message // KIB} KiB at most, "
          f"{asked.seconds} s each\nserver   clients           KiB each      bound")
    held = bool(asked.only) or weigh_tls(asked)
    for name in asked.subjects:
        for kind in IDLE + KINDS:
            if asked.only and kind not in asked.only:
                continue
            held &= weigh(asked, name, kind)
    return held


def settle(server):
    """Wait until what the hostile ones left behind is worked off."""
    for _ in range(100):
        before = server.cpu_s()
        time.sleep(0.2)
        if server.cpu_s() - before < 0.03:
            return


def windows(asked, server, honest, hostile):
    quiet, busy = [], []
    for i in range(2 * asked.windows):
        for c in hostile:
            c.say("go" if i % 2 else "rest")
        time.sleep(1)
        if i % 2 == 0:
            settle(server)
        honest.tell()
        cpu = server.cpu_s()
        time.sleep(asked.seconds)
        told = honest.tell()
        told["busy"] = (server.cpu_s() - cpu) / asked.seconds
        (busy if i % 2 else quiet).append(told)
    return quiet, busy


def race(asked, name):
    kinds = asked.only or KINDS
    each = max(1, asked.clients // len(kinds))
    with tempfile.TemporaryDirectory() as folder, \
            Subject(name, asked.build, folder, asked.message, CORES[0]) as subject:
        path = "/hub/honest-*" if name == "hub" else None
        honest = Clients(asked.build, subject, "honest", asked.honest, 100, path=path)
        hostile = [Clients(asked.build, subject, kind, each, asked.tick_ms, first=calm)
                   for kind in kinds]
        time.sleep(5)
        quiet, busy = windows(asked, subject.server, honest, hostile)
        told = [c.tell() for c in hostile]
        for c in [honest, *hostile]:
            c.stop()
    p50, p99, load = [[statistics.median(w[what] for w in side) for side in (quiet, busy)]
                      for what in ("p50", "p99", "busy")]
    lost = sum(w["lost"] for w in quiet + busy)
    cpu = sum(t["cpu"] for t in told) / 1000
    print(f"{name:8} {each * len(kinds):7} {p50[0] / 1e3:10.2f} {p50[1] / 1e3:8.2f} "
          f"{p99[0] / 1e3:10.2f} {p99[1] / 1e3:8.2f} {p99[1] / p99[0]:8.2f} {load[0]:10.0%} "
          f"{load[1]:5.0%}   {lost} lost, {cpu:.0f} s of hostile work", flush=True)
    return p99[1] <= 3 * p99[0] and lost == 0


def race_all(asked):
    print(f"\n{asked.honest} honest clients, ten messages a second each; medians of "
          f"{asked.windows} windows of {asked.seconds} s\n"
          "server   hostile  p50 quiet     busy  p99 quiet     busy    times  CPU quiet  busy"
          "   (ms)")
    held = True
    for name in asked.subjects:
        held &= race(asked, name)
    return held


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, help="the folder of the build")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--honest", type=int, default=100)
    parser.add_argument("--message", type=int, default=256 * KIB, help="the longest, in bytes")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--tick-ms", type=int, default=500, help="how often each one acts")
    parser.add_argument("--subjects", nargs="+", default=list(PATHS), choices=list(PATHS))
    parser.add_argument("--only", nargs="+", choices=IDLE + KINDS, metavar="KIND")
    parser.add_argument("--memory", action="store_true", help="nothing but memory")
    parser.add_argument("--time", action="store_true", help="nothing but time")
    asked = parser.parse_args()
    asked.build = asked.build.resolve()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = True
    if not asked.time:
        held &= weigh_all(asked)
    if not asked.memory:
        held &= race_all(asked)
    sys.exit(not held)


if __name__ == "__main__":
    main()
