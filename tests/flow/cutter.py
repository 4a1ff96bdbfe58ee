# SPDX-License-Identifier: MIT
"""A way to a server that is cut on demand: a TCP proxy."""
import random
import socket
import struct
import threading
import time


class Cutter:
    def __init__(self, port):
        self.to = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.came = []  # when each connection did
        self.deaf = False  # who comes is cut off at once
        self.cuts = 0  # how many connections will be cut, each after some bytes
        self.chance = random.Random(7)
        self.lock = threading.Lock()
        self.open = []
        self.ended = []  # those of them that one side has ended
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.came.append(time.monotonic())
            try:
                if self.deaf:
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.to), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self.lock:
                self.open.append(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._carry, args=(source, sink, pair), daemon=True).start()

    def _carry(self, source, sink, pair):
        left = None  # bytes that come through before the cut
        try:
            while True:
                data = source.recv(2048)
                if not data:
                    self._pass_end_on(sink, pair)
                    return
                if source is pair[1]:
                    with self.lock:
                        if left is None and self.cuts:
                            self.cuts -= 1
                            left = self.chance.randrange(50, 8000)
                    if left is not None:
                        if len(data) >= left:
                            sink.sendall(data[:left])
                            break
                        left -= len(data)
                sink.sendall(data)
        except OSError:
            pass
        self._end(pair)

    def _pass_end_on(self, sink, pair):
        """Nobody cut: what is on its way arrives, and the other way stays open."""
        with self.lock:
            if pair in self.ended:
                self.ended.remove(pair)
                self.open.remove(pair)
                for s in pair:
                    s.close()
            elif pair in self.open:
                self.ended.append(pair)
                sink.shutdown(socket.SHUT_WR)

    def _end(self, pair):
        with self.lock:
            if pair not in self.open:
                return
            self.open.remove(pair)
            if pair in self.ended:
                self.ended.remove(pair)
        for s in pair:
            # a reset, so that nothing is said of an end
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                s.shutdown(socket.SHUT_RD)
            except OSError:
                pass
            s.close()

    def cut(self):
        for pair in list(self.open):
            self._end(pair)

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.cut()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
