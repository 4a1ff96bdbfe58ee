# SPDX-License-Identifier: MIT
"""
Instructions that a message, a handshake, a refusal and the hot functions take.

They are counted by callgrind on fixed scripts, so the machine's mood is not in
them; what is, are the compiler and the C library, hence some headroom. Each
script runs twice, short and long, and the difference is divided: what a process
does once does not count. System calls are the kernel's and do not count either.

Renew the budget, when a figure has grown for a reason or fallen for good:

    SESAME_BUILD=build python3 tests/budget/test_instructions.py
"""
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("SESAME_BUILD", HERE.parents[1] / "build")).resolve()
BUDGET = HERE / "instructions.json"
HEADROOM = 1.10
ORIGIN = "https://app.example"

pytestmark = pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind here")


def port_in(line):
    found = re.search(r"(?:at|on) wss?://\S+:(\d+)", line)
    return int(found.group(1)) if found else None


class Program:
    """Under callgrind; how many instructions it took is known when it has ended."""

    def __init__(self, *command, cwd=None):
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *map(str, command)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd,
            env={**os.environ, "SESAME_LOOP": "epoll"})

    def port(self):
        for line in self.process.stdout:
            found = port_in(line)
            if found:
                return found
        raise AssertionError(self.process.stderr.read())

    def count(self, signal_number=None):
        if signal_number:
            self.process.send_signal(signal_number)
        _, err = self.process.communicate(timeout=100)
        return int(re.search(r"Collected : (\d+)", err).group(1))


# ---- scripts ----

def length(n, bit):
    if n < 126:
        return bytes([bit | n])
    return struct.pack(">BH", bit | 126, n) if n < 65536 else struct.pack(">BQ", bit | 127, n)


def masked(first, payload):
    mask = b"\x11\x22\x33\x44"
    return (bytes([first]) + length(len(payload), 0x80) + mask
            + bytes(c ^ mask[i % 4] for i, c in enumerate(payload)))


def frames(size, kind):
    """A masked frame, and the frame that comes back."""
    payload = bytes(65 + i % 20 for i in range(size))
    return (masked(0x80 | kind, payload),
            bytes([0x80 | kind]) + length(size, 0) + payload)


def dial(port):
    return socket.create_connection(("127.0.0.1", port), 20)


def shake(s, *fields, path="/"):
    request = ("GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" % path)
    s.sendall((request + "".join(field + "\r\n" for field in fields) + "\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        data = s.recv(65536)
        assert data, answer
        answer += data
    return answer


def receive(s, n):
    got = bytearray()
    while len(got) < n:
        data = s.recv(min(1 << 20, n - len(got)))
        assert data
        got += data
    return bytes(got)


def converse(s, out, back, rounds, *fields):
    assert b" 101 " in shake(s, *fields)
    for _ in range(rounds):
        s.sendall(out)
        assert receive(s, len(back)) == back


def echo_server(*words):
    return Program(BUILD / "examples/echo_server", "--port", "0", *words)


def echoes(size, depth, kind, rounds):
    program = echo_server()
    with dial(program.port()) as s:
        converse(s, *(frame * depth for frame in frames(size, kind)), rounds)
    return program.count(signal.SIGTERM)


def encrypted_echoes(size, depth, rounds):
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    with tempfile.TemporaryDirectory() as folder:
        cert, key = folder + "/cert.pem", folder + "/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        program = echo_server("--cert", cert, "--key", key)
        with dial(program.port()) as plain, client.wrap_socket(plain) as s:
            converse(s, *(frame * depth for frame in frames(size, 2)), rounds)
        return program.count(signal.SIGTERM)


def rows(size):
    """JSON of some variety, as a feed has it."""
    text = json.dumps([{"id": i * 7919 % 1000, "name": "item %d" % i, "price": i * i % 97}
                       for i in range(size // 40)])
    return text[:size].encode()


def compressed_echoes(size, depth, rounds):
    """What comes back is read, not compared: the server compresses as it likes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = (packer.compress(rows(size)) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
    program = echo_server("--deflate")
    with dial(program.port()) as s:
        assert b"permessage-deflate" in shake(s, "Sec-WebSocket-Extensions: permessage-deflate; "
                                              "client_no_context_takeover; "
                                              "server_no_context_takeover")
        for _ in range(rounds):
            s.sendall(masked(0xC1, packed) * depth)
            for _ in range(depth):
                assert zlib.decompressobj(-15).decompress(read_payload(s)) == rows(size)
    return program.count(signal.SIGTERM)


def read_payload(s):
    n = receive(s, 2)[1]
    if n == 126:
        n = int.from_bytes(receive(s, 2), "big")
    return receive(s, n)


GATEWAY = """listen:
  - address: 127.0.0.1:0
workers: 1
journal: {file: none}
log: {file: none}
routes:
  - path: /**
    to: %s
"""
ALLOW = '    allow: {origins: ["https://www.example", "%s"]}\n' % ORIGIN


@contextmanager
def gateway(to, more=""):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sesame.yaml").write_text(GATEWAY % to + more)
        yield Program(BUILD / "sesame", "serve", "-c", "sesame.yaml", cwd=folder)


def handshakes(origin, status, times):
    with gateway("echo", ALLOW) as program:
        port = program.port()
        for _ in range(times):
            with dial(port) as s:
                assert status in shake(s, "Origin: " + origin)
        return program.count(signal.SIGTERM)


def deliveries(size, members, times):
    with gateway("hub") as program, ExitStack() as open_sockets:
        port = program.port()
        speaker, *others = (open_sockets.enter_context(dial(port)) for _ in range(members + 1))
        for s in [speaker, *others]:
            assert b" 101 " in shake(s, path="/room")
        out, back = frames(size, 1)
        for _ in range(times // members):
            speaker.sendall(out)
            assert all(receive(s, len(back)) == back for s in others)
        return program.count(signal.SIGTERM)


def relayed(size, depth, rounds):
    with subprocess.Popen([BUILD / "examples/echo_server", "--port", "0"],
                          stdout=subprocess.PIPE, text=True) as behind:
        try:
            with gateway("ws://127.0.0.1:%d" % port_in(behind.stdout.readline())) as program:
                with dial(program.port()) as s:
                    converse(s, *(frame * depth for frame in frames(size, 2)), rounds)
                return program.count(signal.SIGTERM)
        finally:
            behind.terminate()


def calls(name, times):
    return Program(BUILD / "bench/micro", "--times", times, name).count()


# ---- what is counted: the script, and how often in the short run and the long ----

def message(size, depth, kind):
    return lambda n: echoes(size, depth, kind, n // depth)


# (Not a message of 1 MiB: what comes of it with its header is copied, and how much
# that is, the kernel decides.)
SCRIPTS = {
    "message, 20 B x 1, binary": (message(20, 1, 2), 20, 120),
    "message, 20 B x 50, binary": (message(20, 50, 2), 1000, 6000),
    "message, 20 B x 50, text": (message(20, 50, 1), 1000, 6000),
    "message, 1 KiB x 20, binary": (message(1024, 20, 2), 400, 2400),
    "message, 1 KiB x 20, text": (message(1024, 20, 1), 400, 2400),
    "message, 16 KiB x 4, binary": (message(16384, 4, 2), 80, 480),
    "message over TLS, 1 KiB x 20": (lambda n: encrypted_echoes(1024, 20, n // 20), 400, 2400),
    "message compressed, 1 KiB of JSON x 4":
        (lambda n: compressed_echoes(1024, 4, n // 4), 40, 240),
    "delivery to one of 100, 64 B": (lambda n: deliveries(64, 100, n), 500, 3000),
    "message passed on and back, 1 KiB x 20": (lambda n: relayed(1024, 20, n // 20), 400, 2400),
    "handshake": (lambda n: handshakes(ORIGIN, b" 101 ", n), 20, 120),
    "refused handshake": (lambda n: handshakes("https://evil.example", b" 403 ", n), 20, 120),
    "admission, one of 1,000 origins": (lambda n: calls("admit", n), 0, 2000),
    "admission, none of 1,000 origins": (lambda n: calls("refuse", n), 0, 2000),
    "reading a request": (lambda n: calls("head", n), 0, 2000),
    "checking and answering an upgrade": (lambda n: calls("upgrade-answer", n), 0, 2000),
    "unmasking 1 KiB": (lambda n: calls("unmask-1K", n), 0, 20000),
    "1 KiB of mixed UTF-8": (lambda n: calls("utf8-mixed-1K", n), 0, 5000),
}


def measure(name):
    script, few, many = SCRIPTS[name]
    return (script(many) - script(few)) / (many - few)


@pytest.mark.parametrize("name", SCRIPTS)
def test_instructions_stay_within_the_budget(name):
    budget, got = json.loads(BUDGET.read_text())[name], measure(name)
    assert got <= budget * HEADROOM, \
        "%s: %.0f instructions, where %d are budgeted" % (name, got, budget)
    # A budget far above what is needed guards nothing.
    if got < budget / HEADROOM ** 2:
        print("%s takes %.0f instructions now: the budget of %d may be renewed"
              % (name, got, budget))


if __name__ == "__main__":
    old = json.loads(BUDGET.read_text()) if BUDGET.exists() else {}
    new = {}
    for script_name in SCRIPTS:
        new[script_name] = round(measure(script_name))
        print("%-36s %7d (was %s)" % (script_name, new[script_name],
                                      old.get(script_name, "none")), file=sys.stderr)
    BUDGET.write_text(json.dumps(new, indent=1) + "\n")
