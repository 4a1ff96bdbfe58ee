# SPDX-License-Identifier: MIT
"""A gateway in traffic of every sort, of whose allocations one in so many fails,
those of the libraries below it too. Whoever is there may be turned away or cut
off; the process lives, and when there is memory again it serves as ever."""
import collections
import json
import os
import random
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from gateways import SESAME, ask, dial, request
from held import sanitized
from ports import free_port
from test_gateway_credentials import SECRET, jwt
from test_gateway_operation import Gateway
from test_gateway_scarce import make_certificate

FAILING = Path(os.environ.get("SESAME_BUILD", "")) / "tests/libfailing.so"
SECONDS = int(os.environ.get("SESAME_SECONDS", 2))
CONFIG = """\
listen:
  - {address: "127.0.0.1:%d"}
  - {address: "127.0.0.1:%d", tls: {certificate: cert.pem, key: key.pem}}
admin: {address: "127.0.0.1:0", socket: none}
workers: 2
journal: {file: journal.db}
log: {file: access.log}
routes:
  - {path: /echo, to: echo, limits: {messages: 1000/second}}
  - {path: /strict, to: echo, allow: {origins: [https://app.example]}}
  - path: /token
    to: echo
    allow: {token: {from: "query:token", jwt: {secret_file: secret}}}
  - {path: /up, to: "ws://127.0.0.1:%d/echo"}
  - {path: /echo/up, to: echo}
  - {path: /chat/*, to: hub, hub: {history: {messages: 20}, presence: true}}
"""
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
V1 = "Sec-WebSocket-Protocol: sesame.v1\r\n"


def frame(text):
    head = struct.pack("!BB", 0x81, 0x80 | len(text)) if len(text) < 126 else \
        struct.pack("!BBH", 0x81, 0xfe, len(text))
    return head + bytes(4) + text


SAID = {
    "/echo": [frame(b"hello"), frame(b"x" * 300)],
    "/up": [frame(b"through" * 100)],
    "/chat/a": [frame(b"to all" * 20)],
    "/chat/b": [frame(json.dumps({"publish": {"n": [1, 2, {"x": "y" * 500}]}, "ref": "1"}).encode())],
    "/token?token=" + jwt({"sub": "alice"}): [frame(b"with a token")],
    "/strict": [],
    "/nowhere": [],
}


def visit(ports, dice, told):
    path = dice.choice(list(SAID))
    port = dice.choice(ports)
    with dial(port) as s:
        s.settimeout(0.5)
        if port == ports[1]:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            s = context.wrap_socket(s)
            s.settimeout(0.5)
        fields = (DEFLATE if dice.random() < .5 else "") + (V1 if path == "/chat/b" else "")
        raw = request(port, path).replace(b"\r\n\r\n", b"\r\n" + fields.encode() + b"\r\n")
        s.sendall(raw)
        told[s.recv(4096)[9:12]] += 1
        for said in SAID[path] * 3:
            s.sendall(said)
            s.recv(4096)
        if dice.random() < .5:
            s.sendall(struct.pack("!BBIH", 0x88, 0x82, 0, 1000))
            s.recv(4096)
        s.close()


def has_met_all(told):
    return told[b"101"] > 10 and told[b"404"] > 2 and told[b"cut"] > 2


def come_and_go(ports, seed, begun, told):
    """For SECONDS; a busy machine may need longer to meet each kind of answer."""
    dice = random.Random(seed)
    while (passed := time.time() - begun) < SECONDS or (
            passed < 10 * SECONDS and not has_met_all(told)):
        try:
            visit(ports, dice, told)
        except (OSError, ValueError):
            told[b"cut"] += 1


def talks(port, path):
    try:
        with dial(port) as s:
            s.settimeout(2)
            s.sendall(request(port, path))
            if not s.recv(4096).startswith(b"HTTP/1.1 101 "):
                return False
            s.sendall(frame(b"still here"))
            return b"still here" in s.recv(4096)
    except OSError:
        return False


@pytest.mark.skipif(not FAILING.exists() or sanitized(SESAME), reason="sanitizers allocate themselves")
@pytest.mark.parametrize("most", [40, 400])
@pytest.mark.parametrize("loop", ["epoll", "io_uring"])
def test_whatever_memory_is_refused_the_gateway_lives_and_serves_on(tmp_path, loop, most):
    make_certificate(tmp_path)
    (tmp_path / "secret").write_bytes(SECRET)
    rate = tmp_path / "rate"
    rate.write_bytes(struct.pack("I", 0))
    ports = [free_port(), free_port()]
    g = Gateway(tmp_path, CONFIG % (*ports, ports[0]), env=dict(
        os.environ, SESAME_LOOP=loop, LD_PRELOAD=str(FAILING), FAILING_RATE=str(rate)))
    try:
        for path in ("/echo", "/up"):
            assert talks(ports[0], path)
        with open(rate, "r+b") as f:
            f.write(struct.pack("I", most))
        told, begun = collections.Counter(), time.time()
        crowd = [threading.Thread(target=come_and_go, args=(ports, seed, begun, told))
                 for seed in range(6)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        with open(rate, "r+b") as f:
            f.write(struct.pack("I", 0))
        assert has_met_all(told), told
        assert g.process.poll() is None, (g.process.returncode, g.errors()[-2000:])
        for path in ("/echo", "/up"):
            g.wait_for(lambda path=path: talks(ports[0], path))
        assert ask(ports[0], "/strict", "Origin: https://evil.example").status == 403
    finally:
        status = g.stop()
    assert status == 0, g.process.returncode
