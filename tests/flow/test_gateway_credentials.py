# SPDX-License-Identifier: MIT
"""Who a client says it is: tokens and passwords, from where they are taken and
from nowhere else, and what of them is seen by whom."""
import base64
import hashlib
import hmac
import json
import re
import subprocess
import time

import pytest

from behind import Behind, opening
from gateways import Answer, ask, dial, gateway, read_all, request, run

SECRET = b"0123456789abcdef0123456789abcdef"
STATIC = "a-static-token-that-nobody-guesses"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(claims, secret=SECRET, header=None):
    header = header or {"alg": "HS256", "typ": "JWT"}
    text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())


def config(behind, from_="[header]", more="", strip=""):
    return """\
listen: [{address: "127.0.0.1:0"}]
refusal: {disclose: reason}
journal: {file: journal.db}
routes:
  - path: /app/**
    to: ws://127.0.0.1:%d
    allow:
      token:
        from: %s
        jwt: {secret_file: secret, issuer: https://issuer.example, claims: {scope: chat}}
        hashes_file: tokens
%s%s""" % (behind, from_, strip, more)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)
    (tmp_path / "tokens").write_text("robot:%s\n" % hashlib.sha256(STATIC.encode()).hexdigest())
    return tmp_path


@pytest.fixture
def behind():
    with Behind(opening(lambda offers: offers[0] if offers else "")) as b:
        yield b


def good(**more):
    return jwt(dict({"sub": "alice", "iss": "https://issuer.example", "scope": "mail chat"}, **more))


def come(g, target, *fields):
    """The answer, and nothing more of an open connection."""
    with dial(g.port) as s:
        s.sendall(request(g.port, target, *fields))
        data = b""
        while b"\r\n\r\n" not in data:
            more = s.recv(65536)
            if not more:
                break
            data += more
        if b" 101 " not in data[:20]:
            data += read_all(s)
        return Answer(data)


def nobody_wrote(folder, *secrets):
    for name in ("err", "journal.db", "journal.db-wal"):
        if (folder / name).exists():
            data = (folder / name).read_bytes()
            for secret in secrets:
                assert secret.encode() not in data, "%s is in %s" % (secret, name)


# ---- From where ----

PLACES = {
    "header": ("header", lambda t: ("/app/x", ["Authorization: Bearer " + t])),
    "a field": ("header:X-Token", lambda t: ("/app/x", ["X-Token: " + t])),
    "a cookie": ("cookie:session", lambda t: ("/app/x", ["Cookie: a=b; session=%s; c=d" % t])),
    "the query": ("query:token", lambda t: ("/app/x?a=1&token=%s&b=2" % t, [])),
    "a subprotocol": ("subprotocol", lambda t: (
        "/app/x", ["Sec-WebSocket-Protocol: chat.v1, bearer, " + t])),
    "a subprotocol with a dot": ("subprotocol:auth", lambda t: (
        "/app/x", ["Sec-WebSocket-Protocol: auth.%s, chat.v1" % t])),
}


@pytest.mark.parametrize("place", sorted(PLACES))
@pytest.mark.parametrize("token", ["jwt", "static"])
def test_a_token_counts_where_it_is_taken_from_and_nowhere_else(folder, behind, place, token):
    from_, make = PLACES[place]
    text = good() if token == "jwt" else STATIC
    with gateway(folder, config(behind.port, "[%s]" % from_)) as g:
        target, fields = make(text)
        assert come(g, target, *fields).status == 101
        for other in PLACES.values():
            # Under a name that means nothing here nobody can tell what a secret is.
            target, fields = other[1](text if other[0] != "subprotocol:auth" else "wrong")
            if other[0] != from_:
                a = come(g, target, *fields)
                assert a.status == 401, other[0]
                assert "bearer realm=" in a.fields["www-authenticate"].lower()
                assert "Cause: access.credentials" in a.text
                story = g.story(a.reference)
                assert story["cause"] == "access.credentials" and story["check"] == "token"
        target, fields = make("wrong")
        assert come(g, target, *fields).status == 401
        target, fields = make(text)
        assert come(g, target, *(fields + ["Origin: https://foreign.example"])).status == 403
    nobody_wrote(folder, text)


# ---- What it must be ----

BAD = {
    "expired": (lambda: good(exp=int(time.time()) - 100), 401, "access.credentials", "expired",
                r"exp: 2\S+Z", r"exp: later than 2\S+Z"),
    "too early": (lambda: good(nbf=int(time.time()) + 1000), 401, "access.credentials",
                  "not valid yet", r"nbf: 2\S+Z", r"nbf: 2\S+Z or before"),
    "another issuer": (lambda: good(iss="https://evil.example"), 401, "access.credentials", "issued",
                       'iss: "https://evil.example"', 'iss: "https://issuer.example"'),
    "for somebody": (lambda: good(aud="other"), 401, "access.credentials", "audience",
                     'aud: "other"', None),
    "without its scope": (lambda: good(scope="mail"), 403, "access.permission", "claim",
                          'scope: "mail"', 'scope: "chat"'),
    "another secret": (lambda: jwt({"sub": "alice"}, b"x" * 32), 401, "access.credentials",
                       "signature", "header", None),
    "alg none": (lambda: b64(b'{"alg":"none"}') + "." + b64(b'{"sub":"alice"}') + ".",
                 401, "access.credentials", "algorithm", "alg: none", "alg: HS256"),
    "another alg": (lambda: jwt({"sub": "a"}, header={"alg": "HS512"}), 401, "access.credentials",
                    "algorithm", "alg: HS512", "alg: HS256"),
    "no token at all": (lambda: "x", 401, "access.credentials", "none of those", "header", None),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_token_is_told_to_the_operator_and_not_to_the_client(folder, behind, name):
    make, status, cause, words, compared, nearest = BAD[name]
    with gateway(folder, config(behind.port)) as g:
        a = come(g, "/app/x", "Authorization: Bearer " + make())
        assert a.status == status
        assert words not in a.text
        story = g.story(a.reference)
        assert story["cause"] == cause and story["status"] == status
        assert words in story["rule"], story["rule"]
        assert story["file"].endswith("sesame.yaml") and story["line"] > 5
        assert re.fullmatch(compared, story["compared"]), story["compared"]
        assert re.fullmatch(nearest or "", story.get("nearest", "")), story["nearest"]
        human = g.why(a.reference).stdout
        assert words in human and "server behind it" not in human
        assert not behind.requests


def test_who_brings_none_or_another_scheme_is_told_what_is_wanted(folder, behind):
    with gateway(folder, config(behind.port)) as g:
        story = g.story(come(g, "/app/x").reference)
        assert "compared" not in story and story["nearest"] == "header"
        a = come(g, "/app/x", "Authorization: Basic YWxpY2U6c2VjcmV0")
        story = g.story(a.reference)
        assert story["compared"] == "Authorization: Basic ..."
        assert story["nearest"] == "Authorization: Bearer ..."
        assert "YWxp" not in json.dumps(story)


def test_a_refusal_for_credentials_says_which_are_wanted(folder, behind):
    subprocess.run(["htpasswd", "-bcB", "-C", "5", str(folder / "users"), "alice", "wonderland"],
                   check=True, capture_output=True)
    more = "        htpasswd_file: users\n"
    with gateway(folder, config(behind.port, strip=more)) as g:
        with dial(g.port) as s:
            s.sendall(request(g.port, "/app/x"))
            head = read_all(s).decode().lower()
        assert head.count("www-authenticate:") == 2
        assert 'basic realm="sesame"' in head and 'bearer realm="sesame"' in head
        a = come(g, "/app/x", "Authorization: Bearer " + good(scope="mail"))
        assert a.status == 403 and "insufficient_scope" in a.fields["www-authenticate"]


# ---- Passwords ----

def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()


@pytest.mark.parametrize("how", [["-B", "-C", "5"], ["-m"], ["-s"]])
def test_names_and_passwords(folder, how):
    subprocess.run(["htpasswd", "-bc", *how, str(folder / "users"), "alice", "wonderland"], check=True,
                   capture_output=True)
    with gateway(folder, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes: [{path: /, to: echo, allow: {token: {htpasswd_file: users}}}]
""") as g:
        for _ in range(3):
            assert come(g, "/", basic("alice", "wonderland")).status == 101
        for user, password in (("alice", "x"), ("bob", "wonderland"), ("alice", "")):
            a = come(g, "/", basic(user, password))
            assert a.status == 401 and a.fields["www-authenticate"].startswith("Basic")
            assert g.story(a.reference)["cause"] == "access.credentials"
        assert come(g, "/").status == 401
    nobody_wrote(folder, "wonderland", basic("alice", "x").split()[-1])


def test_slow_passwords_hold_nobody_up(folder):
    """A dozen guesses at bcrypt wait in a line; echoes come back in the meantime."""
    subprocess.run(["htpasswd", "-bcB", "-C", "10", str(folder / "users"), "alice", "wonderland"],
                   check=True, capture_output=True)
    with gateway(folder, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes:
  - {path: /, to: echo}
  - {path: /in, to: echo, limits: {failures: 1000/minute}, allow: {token: {htpasswd_file: users}}}
""") as g:
        waiting = []
        for i in range(12):
            s = dial(g.port)
            s.sendall(request(g.port, "/in", basic("alice", "guess%d" % i)) + b"early")
            waiting.append(s)
        begin = time.time()
        for _ in range(20):
            assert come(g, "/").status == 101
        assert time.time() - begin < 2
        for s in waiting[:3]:
            s.close()  # gives up; nobody waits for it
        for s in waiting[3:]:
            s.settimeout(20)
            assert Answer(read_all(s)).status == 401
            s.close()
        with dial(g.port) as s:
            # what is sent with the handshake is read once it is let in
            s.settimeout(20)
            s.sendall(request(g.port, "/in", basic("alice", "wonderland"))
                      + b"\x81\x85\0\0\0\0hello")
            data = b""
            while b"hello" not in data:
                more = s.recv(4096)
                assert more, data
                data += more
            assert data.startswith(b"HTTP/1.1 101")


def test_a_stop_does_not_wait_for_passwords(folder):
    subprocess.run(["htpasswd", "-bcB", "-C", "12", str(folder / "users"), "alice", "wonderland"],
                   check=True, capture_output=True)
    with gateway(folder, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
stop: {spread: 0s}
routes: [{path: /, to: echo, allow: {token: {htpasswd_file: users}}}]
""") as g:
        sockets = [dial(g.port) for _ in range(30)]
        for i, s in enumerate(sockets):
            s.sendall(request(g.port, "/", basic("alice", "guess%d" % i)))
        begin = time.time()
        assert g.stop() == 0
        assert time.time() - begin < 3
        for s in sockets:
            s.close()


# ---- What is passed on ----

def test_the_server_behind_is_not_offered_the_token(folder, behind):
    with gateway(folder, config(behind.port, "[subprotocol]")) as g:
        a = come(g, "/app/x", "Sec-WebSocket-Protocol: bearer, %s, chat.v2, chat.v1" % STATIC)
        assert a.fields["sec-websocket-protocol"] == "chat.v2"
        assert behind.requests[-1].get("sec-websocket-protocol") == "chat.v2, chat.v1"
        a = come(g, "/app/x", "Sec-WebSocket-Protocol: bearer, " + STATIC)
        assert a.fields["sec-websocket-protocol"] == "bearer", "a browser needs one that it offered"
        assert STATIC not in behind.requests[-1].raw.decode()
        assert "sec-websocket-protocol" not in behind.requests[-1].fields


def test_our_own_answer_takes_the_first_that_is_no_token(folder):
    with gateway(folder, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes: [{path: /, to: echo, allow: {token: {from: [subprotocol], hashes_file: tokens}}}]
""") as g:
        a = come(g, "/", "Sec-WebSocket-Protocol: bearer, %s, b, a" % STATIC)
        assert a.status == 101 and a.fields["sec-websocket-protocol"] == "b"


@pytest.mark.parametrize("from_, target, fields, behind_target", [
    ("query:token", "/app/x?a=1&token=%s&b=%%20" % STATIC, [], "/app/x?a=1&b=%20"),
    ("query:token", "/app/x?token=%s" % STATIC, [], "/app/x"),
    ("query:token", "/app/x?t%%6fken=%s&z" % STATIC, [], "/app/x?z"),
    ("header", "/app/x?a", ["Authorization: Bearer " + STATIC], "/app/x?a"),
    ("header:X-Token", "/app/x", ["X-Token: " + STATIC], "/app/x"),
])
def test_strip_takes_the_token_away(folder, behind, from_, target, fields, behind_target):
    with gateway(folder, config(behind.port, "[%s]" % from_, strip="        strip: true\n")) as g:
        assert come(g, target, *fields).status == 101
        assert behind.requests[-1].target == behind_target
        assert STATIC not in behind.requests[-1].raw.decode()
    with gateway(folder, config(behind.port, "[%s]" % from_)) as g:
        assert come(g, target, *fields).status == 101
        assert STATIC in behind.requests[-1].raw.decode()


# ---- Watching only ----

def test_observed_credentials_let_everybody_in_and_are_journalled(folder, behind):
    with gateway(folder, config(behind.port).replace("    allow:\n", "    mode: observe\n    allow:\n")) as g:
        assert come(g, "/app/x").status == 101
        story = g.last()[-1]
        assert story["observed"] and story["cause"] == "access.credentials" and story["status"] == 401


def test_a_missing_file_is_told_with_its_place(folder):
    (folder / "sesame.yaml").write_text(
        "routes:\n  - path: /\n    to: echo\n    allow:\n      token:\n        hashes_file: gone\n")
    r = run("check", "sesame.yaml", cwd=folder)
    assert r.returncode == 2 and "sesame.yaml:6:" in r.stdout + r.stderr
