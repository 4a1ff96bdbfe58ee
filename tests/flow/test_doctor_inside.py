# SPDX-License-Identifier: MIT
"""What `sesame doctor` says first in the protocol inside a WebSocket, and what
it makes of the answer: GraphQL, Socket.IO, STOMP and MQTT by their servers."""
import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from ports import free_port
from doctor_peers import Peer, accept

SESAME = os.environ.get("SESAME", "build/sesame")
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
ZOO = Path(__file__).resolve().parent.parent / "zoo"
GRAPHQL = ("/graphql", "--subprotocol", "graphql-transport-ws")
SOCKETIO = ("/socket.io/?EIO=4&transport=websocket",)
MQTT = ("/mqtt", "--subprotocol", "mqtt")
STOMP = ("/ws", "--subprotocol", "v12.stomp")


def lacks(case):
    needs = json.loads((ZOO / case / "case.json").read_text())["needs"]
    return ("mosquitto" in needs["apt"] and not shutil.which("mosquitto")) or \
        (needs["npm"] and not shutil.which("node")) or \
        any(not (ZOO / "node_modules" / name).exists() for name in needs["npm"])


@contextlib.contextmanager
def server(case):
    """The stack of a case of the zoo, at the port that it gives."""
    if lacks(case):
        pytest.skip("%s is not installed" % case)
    port = free_port()
    with subprocess.Popen([ZOO / case / "up", str(port)],
                          stdout=subprocess.PIPE, text=True) as up:
        try:
            assert up.stdout.readline() == "READY\n"
            yield port
        finally:
            up.terminate()


def doctor(port, path, *args):
    run = subprocess.run([SESAME, "doctor", "--json",
                          "ws://127.0.0.1:%d%s" % (port, path), *args],
                         capture_output=True, text=True, timeout=60, env=CLEAN)
    return json.loads(run.stdout)["verdict"]


@pytest.mark.parametrize("case, args, says", [
    ("graphql-ws-forbidden", GRAPHQL, "4403 (Forbidden)"),
    ("socketio-middleware-refuses", SOCKETIO, "Not authenticated"),
    ("mosquitto-no-anonymous", MQTT, "CONNACK 5: not authorized"),
    ("aedes-bad-password", MQTT, "CONNACK 4: bad user name or password"),
])
def test_who_refuses_inside_is_heard_and_quoted(case, args, says):
    with server(case) as port:
        verdict = doctor(port, *args)
        assert verdict["cause"] in ("access.credentials", "access.permission")
        assert says in verdict["summary"]
        assert "the first message" in verdict["fix"][0]["what"]
        assert doctor(port, *args, "--no-hello", "--hold", "0.5")["cause"] == "ok"


@pytest.mark.parametrize("case, args", [
    ("ok-graphql-ws-init-timeout", GRAPHQL),
    ("ok-socketio-heartbeat", SOCKETIO),
    ("ok-mosquitto", MQTT),
    ("ok-stomp", STOMP),
])
def test_who_lets_in_inside_is_open_and_stays_open(case, args):
    with server(case) as port:
        verdict = doctor(port, *args, "--hold", "2.2")
        evidence = "\n".join(verdict["evidence"])
        assert verdict["cause"] == "ok"
        assert "is answered as its protocol has it" in evidence
        assert "stayed open for 2.2 s" in evidence


def test_who_waits_to_be_spoken_to_cuts_nobody():
    with server("ok-graphql-ws-init-timeout") as port:
        verdict = doctor(port, *GRAPHQL, "--no-hello")
        assert verdict["cause"] == "ok"
        assert "waits for the first message" in "\n".join(verdict["evidence"])


def test_one_message_is_said_and_no_credential_is_in_it():
    heard = []

    def play(conn, request):
        conn.sendall(accept(request).replace(
            b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n"))
        time.sleep(0.2)
        heard.append(conn.recv(4096))

    with Peer(play) as peer:
        doctor(peer.port, "/?token=tok-4711", "--subprotocol", "graphql-ws", "-u",
               "ann:hunter22", "--max-probes", "1")
    frame = heard[0]
    mask, body = frame[2:6], frame[6:6 + (frame[1] & 0x7f)]
    text = bytes(b ^ mask[i % 4] for i, b in enumerate(body))
    assert frame[0] == 0x81
    assert text == b'{"type":"connection_init","payload":{}}'
    assert len(frame) == 6 + len(text)


def text_frame(text):
    body = text.encode()
    assert len(body) < 126
    return bytes([0x81, len(body)]) + body


def test_who_refuses_within_stomp_is_not_opened_by_a_silence():
    """Without the subprotocol no CONNECT is said, and nothing is refused."""
    def play(conn, request):
        head, after = accept(request), b""
        if b"v12.stomp" in request:
            head = head.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n")
            after = text_frame("ERROR\nmessage:too many frames, slow down\n\n\0") + \
                b"\x88\x02\x03\xe8"
        conn.sendall(head)
        if after:
            conn.recv(4096)
            conn.sendall(after)
        time.sleep(1)

    with Peer(play) as peer:
        assert doctor(peer.port, *STOMP)["cause"] == "access.rate"


def test_what_socketio_tells_before_it_disconnects_is_the_reason():
    def play(conn, request):
        conn.sendall(accept(request) + text_frame(
            '0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'))
        conn.recv(4096)
        for packet in ('40{"sid":"b"}', '42["unauthorized","no key was found"]', "41"):
            conn.sendall(text_frame(packet))
        conn.sendall(b"\x88\x00")
        time.sleep(0.2)

    with Peer(play) as peer:
        verdict = doctor(peer.port, *SOCKETIO)
        assert verdict["cause"] == "access.credentials"
        assert "no key was found" in verdict["summary"]
