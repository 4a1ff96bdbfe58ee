# SPDX-License-Identifier: MIT
"""Servers that agree on HTTP/2 and then mean ill. Whatever frames they send, and
however slowly, `sesame doctor` ends in time, in little memory, with a verdict."""
import contextlib
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

from held import sanitized

SESAME = os.environ.get("SESAME", "build/sesame")
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
# An address sanitizer multiplies what a program takes.
MOST_KIB = 400 * 1024 if sanitized(SESAME) else 96 * 1024

DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
OK = b"\x88"  # :status: 200
CONNECT_PROTOCOL = struct.pack("!HI", 8, 1)


def frame(kind, flags=0, stream=0, body=b""):
    return struct.pack("!I", len(body))[1:] + struct.pack("!BBI", kind, flags, stream) + body


def answer(head, flags=END_HEADERS):
    return frame(SETTINGS) + frame(HEADERS, flags, 1, head)


def endless(piece, begin=frame(SETTINGS), times=64, pause=0.0):
    """@begin, and then @piece for ever."""
    def play(conn):
        conn.sendall(begin)
        until = time.monotonic() + 30
        while time.monotonic() < until:
            conn.sendall(piece * times)
            time.sleep(pause)
    return play


def says(*pieces):
    def play(conn):
        for piece in pieces:
            conn.sendall(piece)
        time.sleep(3)
    return play


def drops(text):
    def play(conn):
        for i in range(len(text)):
            conn.sendall(text[i:i + 1])
            time.sleep(0.05)
    return play


def literal(name, value, kind=b"\x00"):
    """A field of HPACK, its name and value in full; 0x40 is to be kept."""
    def number(n):
        if n < 127:
            return bytes([n])
        n -= 127
        out = b"\x7f"
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])
    return kind + number(len(name)) + name + number(len(value)) + value


FIELD = literal(b"a", b"b" * 1000)
# one field that is kept, and then told by a byte each time
BOMB = OK + literal(b"a", b"b" * 3900, b"\x40") + b"\xbe" * 12000
OPEN = frame(SETTINGS, body=CONNECT_PROTOCOL) + frame(HEADERS, END_HEADERS, 1, OK)
PLAYS = {
    "garbage": says(os.urandom(4096)),
    "an answer in HTTP/1.1": says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
    "nothing": lambda conn: time.sleep(30),
    "a frame of 16 MiB": endless(b"a" * 1024, b"\xff\xff\xff" + bytes([DATA, 0, 0, 0, 0, 1])),
    "SETTINGS for ever": endless(frame(SETTINGS)),
    "long SETTINGS for ever": endless(frame(SETTINGS, body=struct.pack("!HI", 3, 100) * 2000), times=1),
    "SETTINGS of all there is": says(frame(SETTINGS, body=b"".join(
        struct.pack("!HI", n, 0x7fffffff if n == 4 else 0xffffff if n == 5 else 0xffffffff)
        for n in (1, 3, 4, 5, 6))), answer(OK)[9:]),
    "PING for ever": endless(frame(PING, body=bytes(8))),
    "PRIORITY for ever": endless(frame(PRIORITY, 0, 3, bytes(5))),
    "resets for ever": endless(frame(RST, 0, 1, b"\0\0\0\x08")),
    "frames of no known kind": endless(frame(0x77, 0xff, 7, bytes(16384)), times=1),
    "pushes for ever": endless(frame(PUSH, END_HEADERS, 1, b"\0\0\0\2\x82")),
    "windows without end": endless(frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff")),
    "windows of nothing": endless(frame(WINDOW, 0, 1, b"\0\0\0\0")),
    "GOAWAY for ever": endless(frame(GOAWAY, body=b"\x7f\xff\xff\xff" + bytes(4))),
    "a head that goes on": endless(frame(CONTINUATION, 0, 1, FIELD),
                                   frame(SETTINGS) + frame(HEADERS, 0, 1, OK)),
    "a head that goes on, empty": endless(frame(CONTINUATION, 0, 1),
                                          frame(SETTINGS) + frame(HEADERS, 0, 1, OK)),
    "a head in few words": says(frame(SETTINGS), frame(HEADERS, END_HEADERS, 1, BOMB)),
    "1xx for ever": endless(frame(HEADERS, END_HEADERS, 1, b"\x08\x03103" + FIELD)),
    "heads for ever": endless(frame(HEADERS, END_HEADERS, 1, OK + FIELD)),
    "a body without end": endless(frame(DATA, 0, 1, bytes(16384)), answer(OK), times=1),
    "a body of nothing": endless(frame(DATA, 0, 1), answer(OK)),
    "a body of padding": endless(frame(DATA, 8, 1, b"\xff" + bytes(255)), answer(OK)),
    "answers on other streams": endless(frame(HEADERS, END_HEADERS, 3, OK)),
    "drops": drops(answer(literal(b":status", b"403") + FIELD)),
    "a head of terminals": says(answer(literal(b":status", b"403")
                                       + literal(b"server", b"\x1b]0;x\x07\x1b[2J"))),
    "open, and frames of rubbish": says(OPEN, frame(DATA, 0, 1, os.urandom(4096))),
    "open, and messages for ever": endless(frame(DATA, 0, 1, b"\x81\x7e\x10\x00" + b"a" * 4096),
                                           OPEN, times=1),
    "open, and a frame of exabytes": endless(
        frame(DATA, 0, 1, bytes(4096)),
        OPEN + frame(DATA, 0, 1, b"\x82\x7f\x7f" + b"\xff" * 7), times=1),
    "open, and pings for ever": endless(frame(DATA, 0, 1, b"\x89\x00"), OPEN),
}


# What begins with SETTINGS, and in time, speaks HTTP/2.
SPEAK_NOT = {"garbage", "an answer in HTTP/1.1", "nothing", "a frame of 16 MiB", "drops"}


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    at = tmp_path_factory.mktemp("h2")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", at / "key.pem",
                    "-out", at / "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(at / "cert.pem", at / "key.pem")
    context.set_alpn_protocols(["h2"])
    return context


@contextlib.contextmanager
def serving(play, context=None):
    """Speaks HTTP/2 alone, as far as that goes: who asks in HTTP/1.1 is told so
    in HTTP/2. Without a @context there is no TLS."""
    server = socket.create_server(("127.0.0.1", 0))
    asked = []

    def serve(conn):
        with contextlib.suppress(OSError):
            conn.settimeout(30)
            if context:
                conn = context.wrap_socket(conn, server_side=True)
            begin = conn.recv(3)
            if begin == b"PRI":
                asked.append(1)
                threading.Thread(target=read, args=(conn,), daemon=True).start()
                play(conn)
            else:
                conn.sendall(frame(SETTINGS) + frame(GOAWAY, body=bytes(7) + b"\1"))
        conn.close()

    def read(conn):
        with contextlib.suppress(OSError, ValueError):
            while conn.recv(65536):
                pass

    def run():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield "%s://127.0.0.1:%d/chat" % ("wss" if context else "ws", server.getsockname()[1]), asked
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize("name", sorted(PLAYS))
def test_it_ends_in_time_in_little_memory_with_a_verdict(name, context):
    begin = time.monotonic()
    with serving(PLAYS[name], context) as (url, asked):
        run = subprocess.Popen([SESAME, "doctor", "--json", "-k", "--timeout", "0.4", url],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN)
        watchdog = threading.Timer(20, run.kill)
        watchdog.start()
        out = run.stdout.read()
        run.stderr.read()
        _, _, used = os.wait4(run.pid, 0)
        watchdog.cancel()
        run.returncode = 0
    told = json.loads(out)
    assert asked, "nobody asked in HTTP/2"
    assert time.monotonic() - begin < 12
    assert used.ru_maxrss < MOST_KIB
    assert told["verdict"]
    if name not in SPEAK_NOT and "open" not in name:
        assert told["verdict"]["cause"] == "server.http2", told["verdict"]
    assert b"\\u001b" not in out and b"\x1b" not in out


@pytest.mark.parametrize("name", ["garbage", "PING for ever", "a head that goes on",
                                  "a body without end", "open, and messages for ever"])
def test_so_it_does_without_tls(name):
    begin = time.monotonic()
    with serving(PLAYS[name]) as (url, asked):
        run = subprocess.run([SESAME, "doctor", "--json", "--timeout", "0.4", url],
                             capture_output=True, env=CLEAN, timeout=20)
    assert json.loads(run.stdout)["verdict"]
    assert asked and time.monotonic() - begin < 12
