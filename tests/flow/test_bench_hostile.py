# SPDX-License-Identifier: MIT
"""`sesame bench` against servers that mean harm: it ends in time, takes no memory
to speak of, says what was wrong, and its exit status says that something was."""
import os
import re
import socket
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from gateways import SESAME
from held import sanitized
from rawsocket import accept_of

MOST_BYTES = 64 << 20


def handshake(s):
    head = b""
    while b"\r\n\r\n" not in head:
        part = s.recv(4096)
        if not part:
            return False
        head += part
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head).group(1).decode()
    s.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n\r\n" % accept_of(key)).encode())
    return True


def endless_head(s):
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        s.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")


def endless_line(s):
    s.sendall(b"HTTP/1.1 101 ")
    while True:
        s.sendall(b"a" * 65536)


def endless_refusal(s):
    s.recv(4096)
    s.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    while True:
        s.sendall(b"no " * 20000)


def not_http(s):
    s.sendall(os.urandom(4096).replace(b"H", b"h"))


def wrong_accept(s):
    s.recv(4096)
    s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              b"Connection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n")


def slow_head(s):
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"A: b\r\n" * 1000:
        s.sendall(bytes([byte]))
        time.sleep(0.02)


def silence(s):
    while s.recv(65536):
        pass


def after_handshake(data, then=None, forever=False, slowly=False):
    def serve(s):
        if not handshake(s):
            return
        for part in [data[i:i + 1] for i in range(len(data))] if slowly else [data]:
            s.sendall(part)
            time.sleep(0.05 if slowly else 0)
        while forever:
            s.sendall(then or data)
        silence(s)
    return serve


def cut_in_a_frame(s):
    if handshake(s):
        s.recv(4096)
        s.sendall(b"\x82\x7e\x10\x00" + b"half")


def deaf(s):
    """The handshake is answered, and nothing is read or said any more."""
    if handshake(s):
        time.sleep(3)


SILENT = r"not one message came back"
LIES = {  # a server, and what is said of it
    "a head without end": (endless_head, r"head is longer than the limit"),
    "a line without end": (endless_line, r"line of the head is longer than the limit"),
    "a refusal without end": (endless_refusal, r"refused with 403"),
    "no HTTP": (not_http, r"not HTTP"),
    "a wrong accept": (wrong_accept, r"Sec-WebSocket-Accept"),
    "a head byte by byte": (slow_head, r"in time"),
    "garbage": (after_handshake(b"\xff\x00" * 64), r"opcode"),
    "a masked frame": (after_handshake(b"\x82\x84\1\2\3\4abcd"), r"mask"),
    "a huge length": (after_handshake(b"\x82\x7f\x7f" + b"\xff" * 7), r"over the limit"),
    "a length without end": (after_handshake(b"\x82\x7f" + b"\xff" * 8), r"64-bit length"),
    "text that is none": (after_handshake(b"\x81\x02\xc3\x28"), r"UTF-8"),
    "messages without end": (after_handshake(b"\x82\x04oops" * 1000, forever=True),
                             r"came back changed"),
    "a greeting and nothing else": (after_handshake(b"\x82\x05hello"), SILENT),
    "pings without end": (after_handshake(b"\x89\x04ping" * 1000, forever=True), SILENT),
    "a message without end": (after_handshake(b"\x02\x04abcd", b"\x00\x7e\x10\x00" + b"a" * 4096,
                                              forever=True), r"over the limit"),
    "a frame byte by byte": (after_handshake(b"\x82\x7e\x10\x00" + b"a" * 60, slowly=True),
                             SILENT),
    "an end in a frame": (cut_in_a_frame, r"without a close frame"),
    "an end that is a lie": (after_handshake(b"\x88\x02\x03\xee"), r"close code"),
    "deafness": (deaf, SILENT),
}


@contextmanager
def server(serve):
    """@serve has each connection, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threads = []

    def one(s):
        with s:
            s.settimeout(8)
            try:
                serve(s)
            except OSError:
                pass  # it had enough of us

    def accept():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=one, args=[s]))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield "ws://127.0.0.1:%d/" % listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in [acceptor, *threads]:
            thread.join()


def measured(*command):
    """(exit status, what it said, seconds, the most bytes it had)"""
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, text, time.monotonic() - begun, usage.ru_maxrss * 1024


@pytest.mark.parametrize("what,how", [(what, []) for what in LIES] + [
    ("a greeting and nothing else", ["--rate", "100"])])
def test_it_ends_and_says_what_was_wrong(what, how):
    with server(LIES[what][0]) as url:
        status, text, seconds, most = measured(SESAME, "bench", "-q", "--no-proxy", "-c", "3",
                                               "-t", "0.6", "--warm-up", "0.1", *how, url)
    assert status == 1, text
    assert re.search(LIES[what][1], text), text
    assert seconds < 15
    assert most < MOST_BYTES or sanitized(SESAME)
