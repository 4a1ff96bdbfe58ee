# SPDX-License-Identifier: MIT
"""Tiny peers for the doctor: raw sockets that answer in one odd way each."""
import base64
import hashlib
import socket
import struct
import threading
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def field(request, name):
    """The value of the request's first field `name`, or None."""
    for line in request.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name.lower():
            return value.strip()
    return None


def accept(request):
    """A valid 101 for the request."""
    key = field(request, b"Sec-WebSocket-Key") or b""
    proof = base64.b64encode(hashlib.sha1(key + GUID).digest())
    return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + proof +
            b"\r\n\r\n")


def close_frame(code, reason=b""):
    body = struct.pack("!H", code) + reason
    return bytes([0x88, len(body)]) + body


def answer(status, body=b"", fields=()):
    head = [b"HTTP/1.1 " + status]
    head += [b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class Peer:
    """Listens on a free port; `play(conn, request)` handles each request.

    All requests are kept in `seen`, what came after them in `after`.
    """

    def __init__(self, play, address="127.0.0.1"):
        self.play, self.seen, self.after = play, [], []
        self.sock = socket.create_server((address, 0))
        self.port = self.sock.getsockname()[1]
        self.stop = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.sock.close()

    def url(self, path="/chat", scheme="ws", userinfo=""):
        return f"{scheme}://{userinfo}127.0.0.1:{self.port}{path}"

    def _run(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,),
                             daemon=True).start()

    def _serve(self, conn):
        request = b""
        conn.settimeout(20)
        try:
            while b"\r\n\r\n" not in request:
                more = conn.recv(65536)
                if not more:
                    break
                request += more
            if request:
                self.seen.append(request)
            self.play(conn, request)
        except OSError:
            pass
        finally:
            conn.close()

    def read_rest(self, conn):
        """Everything until the doctor closes; kept in `after`."""
        rest = b""
        while more := conn.recv(65536):
            rest += more
        self.after.append(rest)


def unmask(frame):
    """Opcode and payload of one short masked frame."""
    mask, body = frame[2:6], frame[6:6 + (frame[1] & 0x7F)]
    return frame[0] & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(body))


def says(*chunks, pause=0.0, linger=0.0):
    """A play that sends the chunks one after the other and closes."""
    def play(conn, request):
        for chunk in chunks:
            conn.sendall(chunk(request) if callable(chunk) else chunk)
            time.sleep(pause)
        time.sleep(linger)
    return play


def resets(conn, _request):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
