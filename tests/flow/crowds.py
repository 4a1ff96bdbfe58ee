# SPDX-License-Identifier: MIT
"""Very many members of channels, each a bare socket, for tests: what comes is read,
and counted, by whoever holds them."""
import re
import resource
import selectors
import socket
import threading
import time

from gateways import request
from held import sanitized

ENVELOPES = "Sec-WebSocket-Protocol: sesame.v1"


def browser(port):
    """Fields that a browser sends with a page of the same host."""
    return ["Origin: http://127.0.0.1:%d" % port,
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/130.0.0.0 Safari/537.36"]


def masked(payload, opcode=1):
    """A client's frame, its mask zero."""
    n = len(payload)
    head = bytes([0x80 | n]) if n < 126 else b"\xfe" + n.to_bytes(2, "big")
    return bytes([0x80 | opcode]) + head + b"\0\0\0\0" + payload


class Crowd:
    """A context: they leave together."""

    def __init__(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.limit = soft, hard
        self.selector = selectors.DefaultSelector()
        self.sockets, self.n, self.bytes = [], 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()
        self.selector.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, self.limit)

    def read(self, seconds=0.0):
        """What has come by now, or comes so soon."""
        for key, _ in self.selector.select(seconds):
            data = key.fileobj.recv(1 << 16)
            assert data, "a member was cut off"
            self.bytes += len(data)
            if not key.data["in"]:
                assert b" 101 " in data, data
                key.data["in"] = True
                self.n += 1

    def read_for(self, seconds):
        end = time.time() + seconds
        while time.time() < end:
            self.read(0.05)

    def join(self, port, path, n, *fields):
        """So many more; # in @path is a number for each ten of them."""
        wanted = self.n + n
        for i in range(n):
            s = socket.create_connection(("127.0.0.1", port), 10)
            s.sendall(request(port, path.replace("#", str(i // 10)), *fields))
            s.setblocking(False)
            self.sockets.append(s)
            self.selector.register(s, selectors.EVENT_READ, {"in": False})
            if i % 50 == 49:
                self.read()
        end = time.time() + 60
        while self.n < wanted:
            assert time.time() < end
            self.read(0.1)


class Memory:
    """Of a server's own, what it has more than at a moment, or had at most."""

    def __init__(self, g):
        self.pid = g.process.pid
        self.knows = not sanitized("/proc/%d/exe" % self.pid)
        self.mark()

    def now(self, what):
        with open("/proc/%d/status" % self.pid, encoding="ascii") as status:
            return int(re.search(what + r":\s*(\d+)", status.read()).group(1)) * 1024

    def mark(self):
        """From here on."""
        with open("/proc/%d/clear_refs" % self.pid, "w", encoding="ascii") as refs:
            refs.write("5")  # VmHWM begins anew
        self.held, self.peak = self.now("RssAnon"), self.now("VmHWM")

    def grown(self):
        return self.now("RssAnon") - self.held if self.knows else 0

    def most(self):
        return self.now("VmHWM") - self.peak if self.knows else 0


class Threads:
    """What goes on beside the honest, until the end of the context."""

    def __init__(self, *works):
        self.over, self.failed = threading.Event(), []
        self.threads = [threading.Thread(target=self.run, args=[w]) for w in works]

    def run(self, work):
        try:
            while not self.over.is_set():
                work()
        except Exception as e:  # pylint: disable=broad-except
            self.failed.append(e)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()
        assert not self.failed, self.failed
