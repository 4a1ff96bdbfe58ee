# SPDX-License-Identifier: MIT
"""Workloads: what is asked of the servers, and by which load."""
import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

from servers import ORIGIN, Absent

# Of `sesame bench`: whoever has one of these has no figures.
FAULTS = ["server_ended", "wrong", "missing", "not_opened", "ended", "declined"]
# What cannot keep up with thousands of connections is given fewer.
SLOW_TO_OPEN = {"libwebsockets": 2000}


class Workload:
    """@kind of server (a method of House); @unit: what the CPU time is of."""

    def __init__(self, name, kind, title, unit="message", also=False):
        self.name, self.kind, self.title, self.unit = name, kind, title, unit
        self.also = also  # only where it is asked for by its name

    def specs(self, house):
        return getattr(house, self.kind)()

    def measure(self, bench, server, seconds):
        """What one run gives: {"cpu_ns": of one, "per_second": how many, "load": cores}"""
        raise NotImplementedError


class Echo(Workload):
    """By bench/echo_bench, which can do the same to a server that echoes bytes."""

    def __init__(self, name, size, most, depth, connections, buffers=(), **more):
        self.text, self.wide = more.pop("text", False), more.pop("wide", False)
        size_text = f"{size}-{most}" if most > size else str(size)
        super().__init__(name, "echo", f"{size_text} B x {depth}, {connections} connections"
                         + (", text" if self.text else "")
                         + (" of two-byte characters" if self.wide else ""), **more)
        self.size, self.most, self.depth, self.connections = size, most, depth, connections
        self.buffers = buffers

    def specs(self, house):
        return house.echo(self.buffers)

    def measure(self, bench, server, seconds):
        if bench.generator == "sesame":
            if server.bytes:
                raise Absent("sesame bench knows no plain TCP")
            if self.wide:
                raise Absent("sesame bench's text is ASCII")
            return bench.load(server, seconds, "-c", self.connections, "--in-flight", self.depth,
                              "--size", f"{self.size}-{self.most}",
                              "--kind", "text" if self.text else "binary")
        words = ["--size", self.size, "--most", self.most, "--depth", self.depth,
                 "--connections", self.connections, "--seconds", seconds]
        kind = ["--wide"] if self.wide else ["--text"] if self.text else []
        return bench.raw_load(server, *words, *kind)


class Load(Workload):
    """By `sesame bench`."""

    def __init__(self, name, kind, title, *words, **more):
        super().__init__(name, kind, title, **more)
        self.words = words

    def measure(self, bench, server, seconds):
        return bench.load(server, seconds, *self.words)


class Idle(Load):
    """Growth of a server's own memory for each connection that has echoed once."""

    def measure(self, bench, server, seconds):
        n = min(bench.idle, SLOW_TO_OPEN.get(server.name, bench.idle))
        before = server.memory()
        with bench.held(server, n):
            grown = server.memory() - before
        return {"cpu_ns": grown / n, "per_second": None, "load": None, "connections": n}


class IdleTls(Idle):
    """The same by `sesame bench`: each echoes about twice. Handshakes take long."""

    def measure(self, bench, server, seconds):
        n = min(bench.idle, 2000)
        got = bench.load(server, 1, "-c", n, "--rate", n, *self.words, warm_up=1)["json"]["server"]
        grown = got["memory_bytes_end"] - got["memory_bytes_before"]
        return {"cpu_ns": grown / n, "per_second": None, "load": None, "connections": n}


class Relayed(Load):
    """Through a proxy; the server behind is on the core of the load."""

    def specs(self, house):
        return house.relays(house.behind)


class Workers(Load):
    """
    All cores are everybody's. What counts is the CPU that the server took, so
    the load's share is not counted: two workers that did twice as much as one
    in the same time would take the same CPU for each message. How much of a
    core each worker had, and the load, is told beside it.
    """
    everywhere = True

    def measure(self, bench, server, seconds):
        before = server.threads()
        got = super().measure(bench, server, seconds)
        # of the whole run: what comes before and after the measuring is likewise
        spent = sorted((ns - before.get(name, 0) for name, ns in server.threads().items()),
                       reverse=True)
        cores = got["json"]["server"]["cores"]
        return {**got, "workers": [cores * ns / sum(spent) for ns in spent if ns > sum(spent) / 20]}


class Admission:
    """bench/decide_bench: no server, no load."""
    name, kind, unit, also = "admission", None, "decision", False
    title = "100 routes, lists of 10, 1,000 and 100,000 entries"


REFUSED = ["--handshakes", "-c", "50", "--expect", "403", "--origin", "https://evil.example"]

WORKLOADS = [
    Echo("20x1", 20, 20, 1, 100),
    Echo("20x50", 20, 20, 50, 100),
    Echo("125-1024x1", 125, 1024, 1, 200),
    Echo("1Kx20", 1024, 1024, 20, 100, ["--bytes", "262144"]),
    Echo("16Kx4", 16384, 16384, 4, 50, ["--buffers", "64"]),
    Echo("1Mx1", 1 << 20, 1 << 20, 1, 4),
    Echo("20x50-text", 20, 20, 50, 100, text=True, also=True),
    Echo("1Kx20-text", 1024, 1024, 20, 100, ["--bytes", "262144"], text=True, also=True),
    Echo("16Kx4-text", 16384, 16384, 4, 50, ["--buffers", "64"], text=True, also=True),
    Echo("1Mx1-text", 1 << 20, 1 << 20, 1, 4, text=True, also=True),
    Echo("1Kx20-wide", 1024, 1024, 20, 100, ["--bytes", "262144"], text=True, wide=True,
         also=True),
    Load("broadcast", "broadcast", "64 B from one to 1,000", "--broadcast", "-c", "1001",
         "--size", "64", unit="delivery"),
    Load("broadcast-x16", "broadcast", "64 B from one to 1,000, 16 on their way", "--broadcast",
         "-c", "1001", "--size", "64", "--in-flight", "16", unit="delivery", also=True),
    Load("handshakes", "handshakes", "50 at a time", "--handshakes", "-c", "50", "--origin",
         ORIGIN, unit="handshake"),
    Load("refused", "refused", "403 by Origin, 50 at a time", *REFUSED, unit="handshake"),
    Load("wss", "tls", "TLS, 1 KB x 20, 100 connections", "-c", "100", "--in-flight", "20",
         "--size", "1K", "--kind", "binary", "--insecure"),
    Load("wss-20x1", "tls", "TLS, 20 B x 1, 100 connections", "-c", "100", "--size", "20",
         "--kind", "binary", "--insecure", also=True),
    Load("deflate", "deflate", "1 KB of JSON x 4, 50 connections, compressed", "-c", "50",
         "--in-flight", "4", "--size", "1K", "--deflate"),
    Relayed("gateway-1Kx20", "relays", "passed on, 1 KB x 20, 100 connections", "-c", "100",
            "--in-flight", "20", "--size", "1K", "--kind", "binary"),
    Relayed("gateway-16Kx4", "relays", "passed on, 16 KB x 4, 50 connections", "-c", "50",
            "--in-flight", "4", "--size", "16K", "--kind", "binary"),
    Relayed("gateway-20x1", "relays", "passed on, 20 B x 1, 100 connections", "-c", "100",
            "--size", "20", "--kind", "binary", also=True),
    Workers("workers", "workers", "one worker and two on two cores, 20 B x 50", "-c", "100",
            "--in-flight", "50", "--kind", "binary"),
    Idle("idle", "echo", "memory of an idle connection", unit="connection"),
    IdleTls("idle-tls", "tls", "memory of an idle connection, TLS", "--insecure", unit="connection"),
    Admission(),
]


class Bench:
    """How loads are run: from which build, on which cores."""

    def __init__(self, asked, cores, warm_up=0.2):
        self.build, self.generator = Path(asked.build).resolve(), asked.generator
        self.idle, self.cores, self.warm_up = asked.idle, cores, warm_up

    def pinned(self, *words):
        return ["taskset", "-c", ",".join(map(str, self.cores)), *map(str, words)]

    def raw_load(self, server, *words):
        before = own_cpu()
        r = subprocess.run(
            self.pinned(self.build / "bench/echo_bench", "--port", server.port, "--pid",
                        server.process.pid, "--warm-up", self.warm_up, *words,
                        *(["--tcp"] if server.bytes else [])),
            capture_output=True, text=True, check=False)
        if r.returncode:
            raise Absent(last_line(r.stderr))
        got = dict(zip(*[iter(r.stdout.split())] * 2))
        seconds = float(got["seconds"])
        if not int(got["messages"]):
            raise Absent("no answer came in the time that was measured")
        return {"cpu_ns": float(got["cpu_ns_per_message"]), "messages": int(got["messages"]),
                "per_second": float(got["messages"]) / seconds,
                "load": (own_cpu() - before) / seconds}

    @contextmanager
    def held(self, server, connections):
        """@connections that have echoed a message, and say nothing more."""
        command = self.pinned(self.build / "bench/echo_bench", "--port", server.port, "--hold",
                              "--connections", connections, "--sources", 8)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as load:
            if load.stdout.readline() != "holding\n":
                raise Absent(last_line(load.stderr.read()))
            yield
            load.stdin.close()

    def load(self, server, seconds, *words, warm_up=None):
        scheme = "wss" if "--insecure" in words else "ws"
        r = subprocess.run(
            self.pinned(self.build / "sesame", "bench", "--json", "--no-proxy", "-t", seconds,
                        "--warm-up", self.warm_up if warm_up is None else warm_up, "--pid", ",".join(map(str, server.pids())), *words,
                        f"{scheme}://127.0.0.1:{server.port}{server.path}"),
            capture_output=True, text=True, check=False)
        if r.returncode not in (0, 1) or not r.stdout:
            raise Absent((r.stderr.strip() or "it failed without a word").splitlines()[0])
        got = json.loads(r.stdout)
        faults = got["faults"]
        if any(faults[kind] for kind in FAULTS):
            raise Absent(faults["first"])
        return {"cpu_ns": got["server"]["cpu_ns_per_message"], "messages": got["messages"],
                "per_second": got["messages_per_second"], "load": got["load"]["cores"],
                "agreed": (got["deflate"] or {}).get("terms"), "json": got}

    def decisions(self):
        """Lines of decide_bench: entries, and nanoseconds by kind of list."""
        r = subprocess.run(self.pinned(self.build / "bench/decide_bench"), capture_output=True,
                           text=True, check=True)
        rows = re.findall(r"^\s*(\d+) .*? ms +(\d+) ns +(\d+) ns +(\d+) ns +(\d+) ns +(\d+) ns",
                          r.stdout, re.M)
        names = ["path", "IPv4", "IPv6", "both", "origin"]
        return {int(n): dict(zip(names, map(float, ns))) for n, *ns in rows}


def own_cpu():
    t = os.times()
    return t.children_user + t.children_system


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it failed without a word"
