# SPDX-License-Identifier: MIT
"""Plays one row over a socket: as a client to a server, or as a server to a
client that echoes. Says "" when the endpoint did as the row asks, else what it did."""
import base64
import hashlib
import os
import re
import select
import socket
import time

from case import DEFLATE, Mouth, close, pieces
from ear import Broken, Ear
from judge import judge, keeps_to, parse, terms_of

PATIENCE = 10.0  # of silence, in seconds; none is spent on who does as he should
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Unoffered(Exception):
    """The endpoint does not compress, so the row does not concern it."""


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def read_head(sock, patience):
    """(head, bytes after it); the head is "" when TCP ended before."""
    sock.settimeout(patience)
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = sock.recv(65536)
        except OSError:
            return "", b""
        if not more:
            return "", b""
        data += more
    head, rest = data.split(b"\r\n\r\n", 1)
    return head.decode("latin-1") + "\r\n", rest


def field_of(head, name):
    return ", ".join(re.findall(r"(?im)^%s:[ \t]*([^\r]*)\r$" % name, head))


class Exchange:
    """What is said and heard on one connection, both at the same time."""

    def __init__(self, sock, ear, patience):
        self.sock, self.ear, self.patience = sock, ear, patience
        self.end = "open"
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def say(self, data, chop=0):
        """Send all of it, hearing meanwhile. False when the other end is gone."""
        for piece in pieces(data, chop) if chop else [data]:
            view = memoryview(piece)
            while view:
                if self.end != "open":
                    return False
                readable, writable, _ = select.select([self.sock], [self.sock], [], self.patience)
                if not readable and not writable:
                    return False
                if readable:
                    self._hear()
                if writable and self.end == "open":
                    view = self._write(view)
        return True

    def _write(self, view):
        try:
            return view[self.sock.send(view[:1 << 18]):]
        except BlockingIOError:
            return view
        except OSError:  # what it said before may still be heard
            self.hear_until(lambda: False)
            return view

    def _hear(self):
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            self.end = "reset"
            return
        if data:
            self.ear.feed(data)
        else:
            self.end = "eof"

    def hear_until(self, enough, patience=None):
        """Until it is enough, TCP ends, or nothing comes for too long."""
        while self.end == "open" and not enough():
            if not select.select([self.sock], [], [], patience or self.patience)[0]:
                return
            self._hear()


def converse(sock, case, mouth, ear, patience, early=b""):
    """Say what the row says and judge what is heard. @early: what came with the handshake."""
    exchange = Exchange(sock, ear, patience)
    try:
        if early:
            ear.feed(early)
        if case.chop:
            exchange.say(mouth.say_all(case.sends), case.chop)
        else:
            for batch in pieces(case.sends, 4096):
                exchange.say(mouth.say_all(batch))
        if case.half_close and exchange.end == "open":
            sock.shutdown(socket.SHUT_WR)
        if case.ends[0] == "open":
            exchange.hear_until(lambda: ear.closed or len(ear.events) >= len(case.hears))
            if not ear.closed:
                exchange.say(mouth.say(close()))
        # a server ends TCP; a client that did all waits for the server to do so (7.1.1)
        exchange.hear_until(lambda: ear.closed)
        if ear.closed and exchange.end == "open":
            part(exchange, case, mouth)
    except Broken as fault:
        return str(fault)
    return judge(case, ear.events, exchange.end)


def part(exchange, case, mouth):
    """The endpoint has sent its close frame: who has to end TCP?"""
    if not mouth.as_client:
        end_first(exchange)
        return
    exchange.hear_until(lambda: False, exchange.patience / 10)
    if exchange.end == "open" and case.ends[0] == "fails":
        exchange.say(mouth.say(close(1002)))  # some wait for that
    exchange.hear_until(lambda: False)


def end_first(exchange):
    """A client waits for the server to end TCP (7.1.1); then it has to, in whatever way."""
    try:
        exchange.sock.shutdown(socket.SHUT_WR)
        exchange.hear_until(lambda: False)
    except OSError:
        exchange.end = "reset"
    if exchange.end == "reset":
        exchange.end = "eof"


# ---- to a server ----

def open_as_client(address, case, patience):
    """(socket, status, head, bytes after it)"""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /echo HTTP/1.1", "Host: %s:%d" % address, "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13"]
    if case.field is not None:
        lines.append("Sec-WebSocket-Extensions: " + case.field)
    sock = socket.create_connection(address, timeout=max(patience, 10))
    try:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        head, rest = read_head(sock, max(patience, 10))
        status = int(head.split()[1]) if head else 0
        if status == 101 and field_of(head, "Sec-WebSocket-Accept") != accept_of(key):
            raise Broken("answers another key")
    except BaseException:
        sock.close()
        raise
    return sock, status, head, rest


def judge_answer(case, answer):
    """(terms, what is wrong about it)"""
    try:
        terms = terms_of(answer)
    except ValueError as wrong:
        return None, str(wrong)
    if terms and case.agrees == "no":
        return terms, "agrees to it: %s" % answer
    if terms and not keeps_to(case.field, answer):
        return terms, "answers %s" % answer
    if not terms and case.agrees in ("", "yes") and case.field:
        return None, "declines"
    return terms, ""


def play_to_server(address, case, patience=PATIENCE):
    sock = None
    try:
        sock, status, head, rest = open_as_client(address, case, patience)
        if case.ends[0] == "refused":
            return "" if status != 101 else "opens"
        if status != 101:
            return "answers %d" % status if status else "ends TCP"
        terms = None
        if case.field is not None:
            terms, wrong = judge_answer(case, field_of(head, "Sec-WebSocket-Extensions"))
            if wrong == "declines" and case.agrees == "":
                raise Unoffered
            if wrong:
                return wrong
        return converse(sock, case, Mouth(True, terms), Ear(False, terms), patience, rest)
    except Broken as fault:
        return str(fault)
    finally:
        if sock:
            sock.close()


# ---- to a client ----

def answer_client(sock, head, field):
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Accept: " + accept_of(field_of(head, "Sec-WebSocket-Key"))]
    if field is not None:
        lines.append("Sec-WebSocket-Extensions: " + field)
    sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))


def play_to_client(sock, head, case, patience=PATIENCE, keys=None):
    """@head: the client's request, which was read already. @keys gets its masks."""
    offered = any(name == DEFLATE for name, _ in parse_offer(head))
    if case.field is not None and not offered:
        raise Unoffered
    answer_client(sock, head, case.field)
    if case.ends[0] == "refused":
        return judge_refusal(sock, patience)
    terms = terms_of(case.field) if case.field else None
    ear = Ear(True, terms)
    if keys is not None:
        ear.keys = keys
    return converse(sock, case, Mouth(False, terms), ear, patience)


def parse_offer(head):
    return parse(field_of(head, "Sec-WebSocket-Extensions"))


def judge_refusal(sock, patience):
    """The client has to fail: it ends TCP, and says nothing as if all were well."""
    deadline = time.monotonic() + patience
    said = b""
    sock.settimeout(patience)
    try:
        sock.sendall(b"\x81\x05Hello")
        while time.monotonic() < deadline:
            more = sock.recv(65536)
            if not more:
                break
            said += more
        else:
            return "opens"
    except socket.timeout:
        return "opens"
    except OSError:
        pass
    return "opens" if said[:1] == b"\x81" else ""
