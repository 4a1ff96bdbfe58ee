# SPDX-License-Identifier: MIT
"""What stands behind a gateway in tests: a WebSocket server and an HTTP server
that keep every request as it came, byte by byte."""
import base64
import hashlib
import socket
import threading


def accept_of(key):
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()


class Request:
    def __init__(self, raw):
        lines = raw.decode("latin-1").split("\r\n")
        self.line, self.raw = lines[0], raw
        self.target = lines[0].split(" ")[1] if " " in lines[0] else ""
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            if name:
                self.fields.setdefault(name.lower(), []).append(value.strip())

    def get(self, name):
        return ", ".join(self.fields.get(name, []))


class Behind:
    """Answers each request by what @answer makes of it, and keeps it."""

    def __init__(self, answer):
        self.answer, self.requests, self.after = answer, [], b""
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.meet, args=(s,), daemon=True).start()

    def meet(self, s):
        with s:
            s.settimeout(10)
            data = b""
            try:
                while b"\r\n\r\n" not in data:
                    more = s.recv(65536)
                    if not more:
                        return
                    data += more
                head, _, rest = data.partition(b"\r\n\r\n")
                request = Request(head)
                self.requests.append(request)
                self.after += rest
                answer = self.answer(request)
                if answer is None:  # it hangs
                    s.recv(1)
                    return
                s.sendall(answer)
                while b" 101 " in answer[:20]:
                    more = s.recv(65536)
                    if not more:
                        return
                    self.after += more
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def opening(choose=lambda offers: ""):
    """The answer of a WebSocket server; @choose picks among the offered subprotocols."""
    def answer(request):
        offers = [o.strip() for o in request.get("sec-websocket-protocol").split(",") if o.strip()]
        chosen = choose(offers)
        return ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Accept: %s\r\n%s\r\n"
                % (accept_of(request.get("sec-websocket-key")),
                   "Sec-WebSocket-Protocol: %s\r\n" % chosen if chosen else "")).encode()
    return answer


def saying(status, *fields, body=""):
    """The answer of an HTTP server."""
    return ("HTTP/1.1 %d Said\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, "".join(f + "\r\n" for f in fields), len(body), body)).encode()
