# SPDX-License-Identifier: MIT
"""Members who come and go, as fast as they can: passers.py PORT N PATH...

Each joins the next of these channels, is welcomed, and leaves: every second one
with a close frame, the others by a reset. As JSON: how many were welcomed, and in
how many seconds."""
import json
import selectors
import socket
import struct
import sys
import time

from crowds import ENVELOPES, masked
from gateways import request

AT_ONCE = 100
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: nothing is waited for


class Passers:
    def __init__(self, port, n, paths):
        self.port, self.n, self.paths = port, n, paths
        self.begun = self.welcomed = 0
        self.selector = selectors.DefaultSelector()

    def enter(self):
        path = self.paths[self.begun % len(self.paths)]
        s = socket.create_connection(("127.0.0.1", self.port), 30)
        s.sendall(request(self.port, path, ENVELOPES))
        s.setblocking(False)
        self.selector.register(s, selectors.EVENT_READ, bytearray())
        self.begun += 1

    def leave(self, s):
        self.selector.unregister(s)
        if self.welcomed % 2:
            s.send(masked(b"\x03\xe8", 8))
        else:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        s.close()
        self.welcomed += 1

    def hear(self, s, heard):
        data = s.recv(1 << 16)
        heard += data
        assert data and heard.startswith(b"HTTP/1.1 101 "), bytes(heard[:500])
        if b'"type":"welcome"' in heard:
            self.leave(s)

    def pass_by(self):
        while self.welcomed < self.n:
            while self.begun < self.n and self.begun - self.welcomed < AT_ONCE:
                self.enter()
            ready = self.selector.select(60)
            assert ready, "nobody is welcomed"
            for key, _ in ready:
                self.hear(key.fileobj, key.data)


def main(port, n, *paths):
    passers, began = Passers(int(port), int(n), paths), time.monotonic()
    passers.pass_by()
    print(json.dumps({"welcomed": passers.welcomed, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main(*sys.argv[1:])
