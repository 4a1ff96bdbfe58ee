# SPDX-License-Identifier: MIT
"""A WebSocket client of a few lines, for plays that need no library: it shows
what is really on the wire. And the starting of programs that serve."""
import base64
import contextlib
import hashlib
import os
import re
import socket
import struct
import subprocess
from urllib.parse import urlsplit

from held import GIVES_BACK, Held

BUILD = os.environ.get("SESAME_BUILD", "")
PROGRAM = os.environ.get("SESAME", "")


def example(name):
    return os.path.join(BUILD, "examples", name)


@contextlib.contextmanager
def serving(*command, stays=False):
    """Run a program that says where it listens; its URL. Stopped politely, when
    its clients are gone, unless somebody @stays on purpose."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, **GIVES_BACK))
    try:
        line = program.stdout.readline()
        found = re.search(r"wss?://[^\s/]+", line)
        assert found, line
        held = Held(program.pid)
        yield found.group()
        if program.poll() is None and not stays:
            held.check()
        program.terminate()
        assert program.wait(timeout=10) == 0
    finally:
        program.kill()
        program.wait()
        program.stdout.close()


def accept_of(key):
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    return base64.b64encode(digest.digest()).decode()


class Peer:
    """A client's socket after the handshake; mask of zeros."""

    def __init__(self, url, *fields):
        at = urlsplit(url)
        self.socket = socket.create_connection((at.hostname, at.port), timeout=10)
        self.bytes = b""
        key = base64.b64encode(os.urandom(16)).decode()
        target = (at.path or "/") + (f"?{at.query}" if at.query else "")
        lines = [f"GET {target} HTTP/1.1", f"Host: {at.netloc}", "Upgrade: websocket",
                 "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
                 "Sec-WebSocket-Version: 13", *fields, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        head, self.bytes = self._until(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split()[1])
        if self.status == 101:
            assert accept_of(key) in self.head

    def _until(self, mark):
        while mark not in self.bytes:
            more = self.socket.recv(65536)
            assert more, "closed in the middle"
            self.bytes += more
        return self.bytes.split(mark, 1)

    def _take(self, n):
        while len(self.bytes) < n:
            more = self.socket.recv(65536)
            assert more, "closed in the middle"
            self.bytes += more
        taken, self.bytes = self.bytes[:n], self.bytes[n:]
        return taken

    def rest(self):
        """All that still comes, until the end."""
        rest, self.bytes = self.bytes, b""
        while more := self.socket.recv(65536):
            rest += more
        return rest

    def frame(self, first, payload=b""):
        n = len(payload)
        length = (bytes([0x80 | n]) if n < 126 else
                  struct.pack(">BH", 0xfe, n) if n < 65536 else struct.pack(">BQ", 0xff, n))
        self.socket.sendall(bytes([first]) + length + bytes(4) + payload)

    def send(self, message):
        if isinstance(message, str):
            self.frame(0x81, message.encode())
        else:
            self.frame(0x82, message)

    def read_frame(self):
        """(first byte, payload) of the next frame."""
        first, n = self._take(2)
        if n == 126:
            n, = struct.unpack(">H", self._take(2))
        elif n == 127:
            n, = struct.unpack(">Q", self._take(8))
        return first, self._take(n)

    def recv(self):
        first, payload = self.read_frame()
        assert first in (0x81, 0x82), (hex(first), payload)
        return payload.decode() if first == 0x81 else payload

    def close(self, code=1000):
        """The closing handshake; the server ends TCP."""
        self.frame(0x88, struct.pack(">H", code))
        first, payload = self.read_frame()
        assert first == 0x88
        assert self.rest() == b""
        self.socket.close()
        return struct.unpack(">H", payload[:2])[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
