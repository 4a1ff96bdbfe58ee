# SPDX-License-Identifier: MIT
"""Servers that mean ill. Whatever they send, `sesame doctor` ends in the time
that was allowed, in little memory, with a report, and the terminal is safe."""
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import zlib

import pytest

from doctor_peers import Peer, accept, answer, says
from held import sanitized

SESAME = os.environ.get("SESAME", "build/sesame")
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
# An address sanitizer multiplies what a program takes.
MOST_KIB = 400 * 1024 if sanitized(SESAME) else 96 * 1024
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def endless(begin, piece, pause=0.0, at_most=30):
    """A play that goes on until the other side has had enough."""
    def play(conn, request):
        conn.sendall(begin(request) if callable(begin) else begin)
        until = time.monotonic() + at_most
        while time.monotonic() < until:
            conn.sendall(piece)
            time.sleep(pause)
    return play


def bomb(kind):
    """Half a gigabyte of zeros, as small as it gets."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, {"gzip": 31, "deflate": 15}[kind])
    block = bytes(1 << 20)
    body = b"".join(squeeze.compress(block) for _ in range(512)) + squeeze.flush()
    return answer(b"403 Forbidden", body,
                  [b"Content-Encoding: " + kind.encode(), b"Content-Type: text/html"])


def loops(conn, request):
    path = request.split(b" ")[1]
    conn.sendall(answer(b"302 Found", b"", [b"Location: " + path + b"/x"]))


def huge_frame(length):
    return bytes([0x82, 127]) + struct.pack("!Q", length)


OSC = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31m\xc2\x9b"
PLAYS = {
    "a head of endless fields": endless(b"HTTP/1.1 403 No\r\n", b"X-A: " + b"a" * 4000 + b"\r\n"),
    "one endless line": endless(b"HTTP/1.1 403 ", b"a" * 65536),
    "a byte now and then": endless(b"H", b"T", 0.2),
    "a head in drops": endless(b"HTTP/1.1 403 No\r\nX: ", b"x", 0.1),
    "an endless body": endless(b"HTTP/1.1 403 No\r\n\r\n", b"b" * 65536),
    "a body of gigabytes": endless(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n",
                                   b"g" * 65536),
    "a body in drops": endless(b"HTTP/1.1 403 No\r\nContent-Length: 100000\r\n\r\n", b"b", 0.1),
    "endless chunks": endless(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n",
                              b"1\r\na\r\n" * 4000),
    "a chunk of all there is": says(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    b"ffffffffffffffff\r\nabc"),
    "a length of all there is": says(answer(b"403 No")[:17] + b"Content-Length: "
                                     b"18446744073709551615\r\n\r\nabc"),
    "1xx for ever": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
    "redirects for ever": loops,
    "TLS garbage": says(b"\x16\x03\x01\xff\xff" + b"\x01" * 2000),
    "nothing": endless(b"", b"", 0.5),
    "frames that are rubbish": lambda c, r: (c.sendall(accept(r) + os.urandom(4096)),
                                             time.sleep(0.3)),
    "a frame of exabytes": lambda c, r: endless(accept(r) + huge_frame((1 << 63) - 1),
                                                b"z" * 65536)(c, r),
    "a frame of gigabytes": lambda c, r: endless(accept(r) + huge_frame(1 << 33),
                                                 b"z" * 65536)(c, r),
    "frames without end": lambda c, r: endless(accept(r), b"\x81\x05hello" * 4000)(c, r),
    "a message of endless parts": lambda c, r: endless(accept(r) + b"\x01\x01a",
                                                       b"\x00\x05hello" * 4000)(c, r),
    "pings without end": lambda c, r: endless(accept(r), b"\x89\x04ping" * 4000)(c, r),
    "a page of links": says(answer(b"200 OK", b"<html>" + b"".join(
        b"<script src=/s%d.js></script>" % i for i in range(2000)) +
        b"new WebSocket(\"/w\")" * 2000)),
    "SETTINGS for ever": endless(b"\0\0\0\4\0\0\0\0\0", b"\0\0\0\4\0\0\0\0\0" * 4000),
    "half of HTTP/2": endless(b"\0\0\0\4\0\0\0\0\0", b"", 0.2),
    "a gzip bomb": says(bomb("gzip")),
    "a deflate bomb": says(bomb("deflate")),
    "gzip that is none": says(answer(b"403 No", b"\x1f\x8bnot at all" * 9,
                                     [b"Content-Encoding: gzip"])),
    "a reason that drives terminals": says(b"HTTP/1.1 403 " + OSC + b"\r\nServer: nginx" + OSC +
                                           b"\r\nLocation: /" + OSC + b"\r\n\r\n" + OSC),
    "a banner that drives terminals": says(OSC * 20),
    "a close that drives terminals": lambda c, r: c.sendall(
        accept(r) + b"\x81\x0c\x1b]0;owned\x07.." + b"\x88\x0e\x03\xf0\x1b]0;owned\x07.."),
}


def examine(peer, *args, timeout="0.4", limit=25):
    """What it prints (two forms), its status, seconds, and most KiB."""
    begin = time.monotonic()
    run = subprocess.Popen(
        [SESAME, "doctor", "-v", "--timeout", timeout, *args, peer.url()],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=CLEAN)
    try:
        out, err = run.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.communicate()
        pytest.fail("it goes on after %s s" % limit)
    return (out + err).decode("utf-8"), run.returncode, time.monotonic() - begin


def most_kib(peer, *args):
    """The resident set of one run, at its largest."""
    run = subprocess.Popen([SESAME, "doctor", "-q", "--timeout", "0.4", *args, peer.url()],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=CLEAN)
    _, _, used = os.wait4(run.pid, 0)
    run.returncode = 0
    return used.ru_maxrss


@pytest.mark.parametrize("name", sorted(PLAYS))
def test_it_ends_in_time_with_a_report(name):
    with Peer(PLAYS[name]) as peer:
        text, status, seconds = examine(peer, "-H", "Accept-Encoding: gzip, deflate",
                                        "--max-probes", "4")
    assert status in (0, 1, 3), text
    assert seconds < 20
    assert "Handshakes" in text
    assert not RAW.search(text.replace("\n", "")), RAW.search(text.replace("\n", ""))


@pytest.mark.parametrize("name", ["a body of gigabytes", "a frame of gigabytes", "endless chunks",
                                  "a gzip bomb", "one endless line", "frames without end",
                                  "pings without end", "a message of endless parts",
                                  "SETTINGS for ever"])
def test_memory_stays_small(name):
    with Peer(PLAYS[name]) as peer:
        used = most_kib(peer, "-H", "Accept-Encoding: gzip", "--max-probes", "4")
    assert used < MOST_KIB


def test_a_whole_handshake_has_one_deadline():
    """A byte a moment resets no clock."""
    with Peer(endless(b"HTTP/1.1 403 No\r\nX: ", b"x", 0.1)) as peer:
        _, _, seconds = examine(peer, "--max-probes", "1", timeout="1.2")
    assert seconds < 4


def test_a_compressed_body_is_read():
    body = gzip.compress(b"invalid origin\n")
    with Peer(says(answer(b"403 Forbidden", body, [b"Content-Encoding: gzip"]))) as peer:
        run = subprocess.run([SESAME, "doctor", "--json", "-H", "Accept-Encoding: gzip",
                              "--max-probes", "1", "--origin", "https://a.example", peer.url()],
                             capture_output=True, text=True, env=CLEAN, timeout=20)
    assert any("invalid origin" in line
               for line in json.loads(run.stdout)["verdict"]["evidence"]), run.stdout


@pytest.mark.parametrize("form", ["-v", "--json", "-q"])
def test_no_form_of_the_report_drives_a_terminal(form):
    with Peer(PLAYS["a reason that drives terminals"]) as peer:
        run = subprocess.run([SESAME, "doctor", form, "--max-probes", "3", peer.url()],
                             capture_output=True, env=CLEAN, timeout=20)
    text = (run.stdout + run.stderr).decode()
    assert not RAW.search(text.replace("\n", ""))


def test_who_drops_a_connection_has_taken_it():
    """However early the reset comes: nobody refused to connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def drop():
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=drop, daemon=True).start()
        url = "ws://127.0.0.1:%d/chat" % server.getsockname()[1]
        for _ in range(8):
            run = subprocess.run([SESAME, "doctor", "--json", "--max-probes", "1", url],
                                 capture_output=True, text=True, env=CLEAN, timeout=20)
            told = json.loads(run.stdout)
            assert "reset without an answer" in told["probes"][0]["result"], run.stdout
            assert told["verdict"] is None or told["verdict"]["cause"] != "net.timeout"
        server.shutdown(socket.SHUT_RDWR)
