# SPDX-License-Identifier: MIT
"""Three who read one refusal: the client what it is told, the operator what
`why` says, the user what the doctor finds. They have to say the same."""
import hashlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from behind import Behind, saying
from gateways import REFERENCE, SESAME, UPGRADE, Answer, dial, gateway, read_all, request
from nodes import NGINX, needs_nginx

CONFIG = """\
listen:
  - {address: "127.0.0.1:0"}
  - {address: "127.0.0.1:0", tls: {certificate: s.pem, key: s.key, client_ca: s.pem, client_cert: optional}}
  - {address: "127.0.0.1:0", tls: {certificate: s.pem, key: s.key, min_version: 1.3}}
refusal: {disclose: %(disclose)s%(close)s}
journal: {file: journal.db}
routes:
  - {path: /chat/0, to: echo, allow: {origins: [https://app.example]}}
  - {path: /chat/1, to: echo, allow: {hosts: [other.example]}}
  - {path: /chat/2, to: echo, allow: {addresses: [10.0.0.0/8]}}
  - {path: /chat/3, to: echo, allow: {user_agents: [good*]}}
  - {path: /chat/4, to: echo, limits: {failures: 100000/minute}, allow: {token: {hashes_file: tokens}}}
  - {path: /chat/5, to: echo, allow: {authority: {url: "http://127.0.0.1:%(auth)d/"}}}
  - {path: /chat/6, to: echo, allow: {certificates: ["subject:CN=a"]}}
  - {path: /chat/7, to: echo, allow: {subprotocols: [chat.v9]}}
  - {path: /chat/8, to: echo, limits: {handshakes: 1/day}}
  - {path: /chat/9, to: echo, limits: {connections: 1}}
  - {path: /chat/10, to: echo, limits: {route_connections: 1}}
  - {path: /chat/11, to: "ws://127.0.0.1:%(down)d"}
  - {path: /chat/12, to: "ws://127.0.0.1:%(rude)d"}
  - {path: /chat/13, to: "ws://127.0.0.1:%(no)d", allow: {origins: ["*"]}}
  - {path: /chat/14, to: echo}
  - {path: /pages/**, to: files, root: .}
"""

# What cannot be told from outside: a 502 has no reason in it, and a 403 of an application is
# its own, whatever it means by it.
FROM_OUTSIDE = {
    "a server that answers rubbish": {"server.bad-accept", "server.backend-down", "server.proxy-upgrade"},
    "an application that refuses": {"server.app-rejected", "access.credentials", "access.permission"},
}

# path, what the user asks with, fields of the client, status, cause
CASES = {
    "a foreign origin": ("/chat/0", ["--origin", "https://foreign.example"],
                         ["Origin: https://foreign.example"], 403, "access.origin"),
    "no origin": ("/chat/0", [], [], 403, "access.origin-missing"),
    "another host": ("/chat/1", [], [], 403, "access.host"),
    "an address": ("/chat/2", [], [], 403, "access.ip"),
    "a user agent": ("/chat/3", ["-A", "bad/1"], ["User-Agent: bad/1"], 403, "access.user-agent"),
    "no token": ("/chat/4", [], [], 401, "access.credentials"),
    "a wrong token": ("/chat/4", ["-H", "Authorization: Bearer x"], ["Authorization: Bearer x"], 401,
                      "access.credentials"),
    "no permission": ("/chat/5", ["-H", "Authorization: Bearer x"], ["Authorization: Bearer x"], 403,
                      "access.permission"),
    "no certificate": ("/chat/6", [], [], 403, "access.client-cert"),
    "no subprotocol": ("/chat/7", [], [], 400, "server.subprotocol"),
    "another subprotocol": ("/chat/7", ["--subprotocol", "x"], ["Sec-WebSocket-Protocol: x"], 400,
                            "server.subprotocol"),
    "too often": ("/chat/8", [], [], 429, "access.rate"),
    "too many of one address": ("/chat/9", [], [], 429, "access.rate"),
    "too many": ("/chat/10", [], [], 503, "server.limit"),
    "a server that is down": ("/chat/11", [], [], 502, "server.backend-down"),
    "a server that answers rubbish": ("/chat/12", [], [], 502, "server.bad-accept"),
    "an application that refuses": ("/chat/13", [], [], 403, "server.app-rejected"),
    "no such path": ("/nowhere", [], [], 404, "url.path"),
    "the wrong scheme": ("/chat/0", None, None, 400, "url.scheme"),
    "another version": ("/chat/4", ["-H", "Sec-WebSocket-Version: 8"], ["Sec-WebSocket-Version: 8"], 426,
                        "server.version"),
    "a key that is none": ("/chat/14", ["-H", "Sec-WebSocket-Key: short"], ["Sec-WebSocket-Key: short"], 400,
                           "client.bad-handshake"),
    "pages alone": ("/pages/", [], [], 404, "server.no-websocket"),
    "a head that is too long": ("/chat/4", ["-H", "Cookie: " + "c" * 12000], ["Cookie: " + "c" * 12000],
                                431, "client.headers-too-large"),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module", params=["reference", "reason"])
def gate(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", "s.key", "-out", "s.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=folder, check=True, capture_output=True)
    (folder / "tokens").write_text("a:%s\n" % hashlib.sha256(b"good").hexdigest())
    with Behind(lambda r: saying(403)) as auth, Behind(lambda r: b"rude\r\n\r\n") as rude, \
            Behind(lambda r: saying(403, body="no")) as no:
        with gateway(folder, CONFIG % {"disclose": request.param, "close": "", "auth": auth.port,
                                       "down": free_port(), "rude": rude.port, "no": no.port}) as g:
            g.disclose = request.param
            g.tls_port, g.new_tls_port = (int(u.rsplit(":", 1)[1]) for u in g.urls[1:])
            # somebody is there already
            held = []
            for path in ("/chat/8", "/chat/9", "/chat/10"):
                s = dial(g.port)
                s.sendall(knock(g, path))
                assert b" 101 " in s.recv(4096)[:20]
                held.append(s)
            yield g
            for s in held:
                s.close()


CLOSING = """\
listen: [{address: "127.0.0.1:0"}]
refusal: {disclose: %(disclose)s, close: true}
journal: {file: journal.db}
routes:
  - {path: /chat/0, to: echo, allow: {origins: [https://app.example]}}
  - {path: /chat/1, to: echo, allow: {hosts: [other.example]}}
  - {path: /chat/2, to: echo, allow: {addresses: [10.0.0.0/8]}}
  - {path: /chat/3, to: echo, allow: {user_agents: [good*]}}
  - {path: /chat/4, to: echo, limits: {failures: 100000/minute}, allow: {token: {hashes_file: tokens}}}
  - {path: /chat/5, to: echo, allow: {authority: {url: "http://127.0.0.1:%(auth)d/"}}}
  - {path: /chat/6, to: echo, allow: {certificates: ["subject:CN=a"]}}
  - {path: /chat/7, to: echo, allow: {subprotocols: [chat.v9]}}
  - {path: /chat/8, to: echo, limits: {handshakes: 1/day}}
  - {path: /chat/10, to: echo, limits: {route_connections: 1}}
  - {path: /chat/11, to: "ws://127.0.0.1:%(down)d"}
"""

# What a close frame alone can be told for: what a browser or program would be served
# otherwise. The others are answers of the port itself.
CLOSED = ["a foreign origin", "no origin", "another host", "an address", "a user agent", "no token",
          "a wrong token", "no permission", "no certificate", "no subprotocol", "another subprotocol",
          "too often", "too many", "a server that is down"]


@pytest.fixture(scope="module", params=["reference", "reason"])
def closing(request, tmp_path_factory):
    """The same with refusal.close."""
    folder = tmp_path_factory.mktemp("close-" + request.param)
    (folder / "tokens").write_text("a:%s\n" % hashlib.sha256(b"good").hexdigest())
    with Behind(lambda r: saying(403)) as auth, \
            gateway(folder, CLOSING % {"disclose": request.param, "auth": auth.port,
                                       "down": free_port()}) as g:
        g.disclose = request.param
        held = []
        for path in ("/chat/8", "/chat/10"):
            s = dial(g.port)
            s.sendall(knock(g, path))
            assert b" 101 " in s.recv(4096)[:20]
            held.append(s)
        yield g
        for s in held:
            s.close()


@pytest.mark.parametrize("name", CLOSED)
def test_a_refusal_by_a_close_frame_is_found_too(closing, name):
    path, args, fields, status, cause = CASES[name]
    with dial(closing.port) as s:
        s.sendall(knock(closing, path, *fields))
        head, _, frame = read_all(s).partition(b"\r\n\r\n")
    assert b" 101 " in head[:20] and frame[0] == 0x88 and frame[1] == len(frame) - 2
    assert int.from_bytes(frame[2:4], "big") == {429: 4429, 503: 1013, 502: 1011}.get(status, 4403)
    reference = frame[4:].decode().split()[0]
    assert closing.story(reference)["cause"] == cause
    report = doctor(*args, "ws://127.0.0.1:%d%s" % (closing.port, path))
    found = report["verdict"]["cause"]
    assert REFERENCE.search(json.dumps(report)), "the operator is to be asked about it"
    if closing.disclose == "reason":
        assert found == cause, report["verdict"]["summary"]
    else:
        # A code and a reference are the same for every cause, so that which it is cannot be
        # known: that it is a refusal can, and that none of the changes undid it.
        assert found != "ok" and report["outcome"] == "refused"
        if cause.startswith("access."):
            assert found.startswith("access."), report["verdict"]["summary"]


# ---- the same causes in other shapes ----

SHAPES = """\
listen: [{address: "127.0.0.1:0"}, {address: "127.0.0.1:0", proxy_protocol: true}]
trusted_proxies: [127.0.0.1]
refusal: {disclose: reason, close: %(close)s}
journal: {file: journal.db}
routes:
  - {path: /host, to: echo, allow: {hosts: [o.example]}}
  - {path: /login, to: echo, allow: {hosts: [o.example]}}
  - {path: /token, to: echo, allow: {addresses: [10.0.0.0/8]}}
  - {path: /rate-limit, to: echo, allow: {user_agents: [good*]}}
  - {path: /origin, to: echo, allow: {addresses: [10.0.0.0/8]}}
  - {path: /upgrade, to: echo, allow: {certificates: ["subject:CN=a"]}}
  - {path: /backend, to: echo, allow: {authority: {url: "http://127.0.0.1:%(no)d/"}}}
  - {path: /rude, to: "ws://127.0.0.1:%(rude)d"}
  - {path: /e/**, to: echo}
  - {path: /app/403, to: "ws://127.0.0.1:%(no)d"}
  - {path: /app/401, to: "ws://127.0.0.1:%(unknown)d"}
  - {path: /app/302, to: "ws://127.0.0.1:%(moved)d"}
"""


@pytest.fixture(scope="module", params=["false", "true"])
def shaped(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes-" + request.param)
    moved = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    with Behind(lambda r: b"rude\r\n\r\n") as rude, Behind(lambda r: saying(403, body="no")) as no, \
            Behind(lambda r: saying(401, body="who?")) as unknown, Behind(lambda r: moved) as to, \
            gateway(folder, SHAPES % {"close": request.param, "rude": rude.port, "no": no.port,
                                      "unknown": unknown.port, "moved": to.port}) as g:
        yield g


@pytest.mark.parametrize("path, cause", [
    ("/host", "access.host"), ("/login", "access.host"), ("/token", "access.ip"),
    ("/rate-limit", "access.user-agent"), ("/origin", "access.ip"), ("/upgrade", "access.client-cert"),
    ("/rude", "server.bad-accept"), ("/e/a%2fx", "url.path"), ("/e/a;x", "url.path"),
    ("/e//x", "url.path"), ("/e/%61", "url.path")])
def test_a_cause_that_is_disclosed_is_believed_whatever_the_path_is_called(shaped, path, cause):
    report = doctor("ws://127.0.0.1:%d%s" % (shaped.port, path))
    verdict = report["verdict"]
    assert verdict["cause"] == cause and verdict["confidence"] > 0.9, verdict["summary"]
    assert shaped.story(report["responder"]["reference"])["cause"] == cause


# What an application answers is passed on as it is, and the operator reads that it was the
# application. What it means by that is read by the doctor: a 401 asks for credentials.
@pytest.mark.parametrize("path, causes", [
    ("/app/403", {"server.app-rejected", "access.credentials", "access.permission"}),
    ("/app/401", {"server.app-rejected", "access.credentials"}),
    ("/app/302", {"server.app-rejected", "server.redirect"})])
def test_what_an_application_answers_is_no_rule_about_the_origin(shaped, path, causes):
    report = doctor("ws://127.0.0.1:%d%s" % (shaped.port, path))
    verdict = report["verdict"]
    assert verdict["cause"] in causes, verdict["summary"]
    assert not verdict.get("proof"), verdict["proof"]
    assert shaped.story(report["responder"]["reference"])["cause"] == "server.app-rejected"


def test_a_missing_proxy_header_is_a_reset_from_outside(shaped):
    port = int(shaped.urls[1].rsplit(":", 1)[1])
    report = doctor("ws://127.0.0.1:%d/e/a" % port)
    story = told_within(shaped, "client.bad-handshake")
    assert story and "PROXY" in story["note"]
    # nothing is answered to who may not even be spoken to: no reason can be read
    assert report["verdict"]["cause"] == "net.reset", report["verdict"]["summary"]


def knock(g, path, *fields):
    raw = request(g.port, path, *fields)
    for f in fields:  # in the place of the usual one
        if f.startswith(("Sec-WebSocket-Version", "Sec-WebSocket-Key")):
            raw = re.sub(f.split(":")[0].encode() + rb": [^\r]*\r\n", b"", raw, count=1)
    return raw


def doctor(*args):
    env = dict(os.environ, NO_COLOR="1")
    r = subprocess.run([SESAME, "doctor", "--json", *args], capture_output=True, text=True, env=env,
                       timeout=120)
    return json.loads(r.stdout)


def test_the_doctor_tells_the_operator_what_to_ask(gate, tmp_path):
    r = subprocess.run([SESAME, "doctor", "--html", str(tmp_path / "r.html"), "--origin",
                        "https://foreign.example", "ws://127.0.0.1:%d/chat/0" % gate.port],
                       capture_output=True, text=True, timeout=120)
    told = re.search(r"reference (\S+)\. The gateway's operator runs: sesame why (\S+)\.",
                     " ".join(r.stdout.split()))
    assert told and told[1] == told[2] and gate.story(told[1])["cause"] == "access.origin"
    assert "<code>sesame why %s</code>" % told[1] in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize("name", sorted(CASES))
def test_client_operator_and_user_read_the_same(gate, name):
    path, args, fields, status, cause = CASES[name]
    scheme = "ws" if args is not None else "wss"
    if name == "no certificate":
        scheme = "wss"
    elif scheme == "ws":
        with dial(gate.port) as s:
            s.sendall(knock(gate, path, *fields, "Accept: application/json"))
            answer = Answer(read_all(s))
        assert answer.status == status
        if name == "an application that refuses":  # its own words, and our reference
            assert answer.text == "no" and REFERENCE.fullmatch(answer.reference)
        elif status == 431:  # what it prefers was not read
            assert "Reference: " + answer.reference in answer.text
        else:
            told = json.loads(answer.text)
            assert told["status"] == status and REFERENCE.fullmatch(told["reference"])
            assert told["detail"].endswith(".") and told["reference"] == answer.reference
            assert told.get("cause") == (cause if gate.disclose == "reason" else None)
        story = gate.story(answer.reference)
        assert (story["cause"], story["status"]) == (cause, status)
        if story.get("check") and cause != "url.path":
            assert story["line"] and story["file"].endswith("sesame.yaml")
    port = gate.tls_port if name == "no certificate" else gate.port
    report = doctor("-k", *(args or []), "%s://127.0.0.1:%d%s" % (scheme, port, path))
    found = report["verdict"]["cause"]
    if name in FROM_OUTSIDE:
        assert found in FROM_OUTSIDE[name], report["verdict"]["summary"]
        return
    if gate.disclose == "reason" or not cause.startswith("access."):
        assert found == cause, report["verdict"]["summary"]
    else:
        # What is not disclosed cannot be known: by the status, which rules about hosts, addresses
        # and programs share, it is one about who may enter. Which one, only the operator reads.
        assert found.startswith("access."), report["verdict"]["summary"]
        assert REFERENCE.search(json.dumps(report)), "the operator is to be asked about it"


# ---- what ends before a request, and what a hop does ----

def told_within(gate, cause, seconds=5):
    """The last refusal with this cause: nobody told the client its reference."""
    end = time.time() + seconds
    while True:
        found = [s for s in gate.last() if s["cause"] == cause]
        if found or time.time() > end:
            return found[0] if found else None
        time.sleep(0.1)


def test_a_client_that_does_not_trust_the_certificate(gate):
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(dial(gate.tls_port), server_hostname="127.0.0.1")
    story = told_within(gate, "tls.untrusted")
    assert story and "unknown_ca" in story["note"] and story["address"] == "127.0.0.1"
    report = doctor("wss://127.0.0.1:%d/chat/14" % gate.tls_port)
    assert report["verdict"]["cause"] == "tls.untrusted", report["verdict"]["summary"]


def test_a_client_whose_certificate_is_not_trusted(gate, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", "o.key", "-out", "o.pem", "-days", "2", "-subj", "/CN=other"],
                   cwd=tmp_path, check=True, capture_output=True)
    report = doctor("-k", "--cert", str(tmp_path / "o.pem"), "--key", str(tmp_path / "o.key"),
                    "wss://127.0.0.1:%d/chat/6" % gate.tls_port)
    assert report["verdict"]["cause"] == "access.client-cert", report["verdict"]["summary"]
    story = told_within(gate, "access.client-cert")
    assert story and "self-signed" in story["note"] and story["listener"].startswith("wss://")


def test_a_client_of_an_older_tls(gate):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError) as told:
        context.wrap_socket(dial(gate.new_tls_port))
    assert "PROTOCOL_VERSION" in str(told.value)
    story = told_within(gate, "tls.version")
    assert story and story["listener"].startswith("wss://")
    # the doctor speaks what is wanted here: the fault is that client's alone
    report = doctor("-k", "wss://127.0.0.1:%d/chat/14" % gate.new_tls_port)
    assert report["verdict"]["cause"] == "ok", report["verdict"]["summary"]


@contextmanager
def proxied(folder, to):
    """nginx, as it is when nobody thought of WebSocket."""
    port = free_port()
    (folder / "nginx.conf").write_text(
        "daemon off; master_process off; pid %(f)s/pid; error_log %(f)s/error;\n"
        "events {}\nhttp { access_log off; client_body_temp_path %(f)s/b; proxy_temp_path %(f)s/p;\n"
        "fastcgi_temp_path %(f)s/f; uwsgi_temp_path %(f)s/u; scgi_temp_path %(f)s/s;\n"
        "server { listen 127.0.0.1:%(port)d; location / { proxy_http_version 1.1;\n"
        "proxy_pass http://127.0.0.1:%(to)d; } } }\n" % {"f": folder, "port": port, "to": to})
    p = subprocess.Popen([NGINX, "-c", folder / "nginx.conf", "-p", folder], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                dial(port).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        p.terminate()
        p.wait(10)


@needs_nginx
def test_a_hop_that_loses_upgrade(gate, tmp_path):
    with proxied(tmp_path, gate.port) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", "/chat/14", headers=dict(
            line.split(": ") for line in UPGRADE.strip().split("\r\n")))
        answer = client.getresponse()
        client.close()
        assert answer.status == 426
        story = gate.story(answer.headers["Sesame-Reference"])
        assert (story["cause"], story["status"]) == ("server.proxy-upgrade", 426)
        report = doctor("ws://127.0.0.1:%d/chat/14" % port)
        assert report["verdict"]["cause"] == "server.proxy-upgrade", report["verdict"]["summary"]


# ---- whether that is all of them ----

ELSEWHERE = {"tls.untrusted", "tls.version", "server.proxy-upgrade"}  # the plays above


def causes_in_the_code():
    """The ids of all causes that the gateway names."""
    top = Path(__file__).resolve().parents[2] / "src"
    ids = dict(re.findall(r'^CAUSE\((\w+), "([^"]+)"', (top / "why/causes.def").read_text(), re.M))
    names = set()
    for file in (top / "gate").iterdir():
        names |= set(re.findall(r"\bWHY_(\w+)\b", file.read_text()))
    faults = (top / "gate/fault.def").read_text()
    names |= set(re.findall(r'^FAULT\(\w+, "[^"]+", (\w+)', faults, re.M))
    return {ids[name] for name in names if name in ids and name != "OK"}


def test_every_cause_that_the_gateway_can_name_is_read_by_all_three():
    assert {row[4] for row in CASES.values()} | ELSEWHERE == causes_in_the_code()
