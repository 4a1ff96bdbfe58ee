# SPDX-License-Identifier: MIT
"""What has gone wrong in other gateways (docs/hostile.md names the classes): those
tests that stand nowhere else."""
import re
import socket
import string

import pytest

from behind import Behind, opening, saying
from gateways import KEY, UPGRADE, Answer, ask, dial, gateway, opens, read_all, request, send

CONFIG = """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes:
  - path: /app/**
    to: ws://127.0.0.1:%d
%s"""


@pytest.fixture
def behind():
    with Behind(opening()) as b:
        yield b


def reach(g, raw):
    """Whether a handshake is accepted; and what is answered."""
    with dial(g.port) as s:
        s.sendall(raw)
        data = b""
        while b"\r\n\r\n" not in data:
            part = s.recv(65536)
            if not part:
                break
            data += part
        return Answer(data).status


# ---- Heads ----

TOKEN = b"!#$%&'*+-.^_`|~" + (string.ascii_letters + string.digits).encode()


@pytest.mark.parametrize("place", ["value", "name", "target", "subprotocol", "host", "origin"])
def test_no_byte_makes_two_fields_of_one(tmp_path, behind, place):
    """Each byte in each place: refused, or passed on as it came and in one piece."""
    with gateway(tmp_path, CONFIG % (behind.port, '    allow: {origins: ["*"]}\n')) as g:
        for byte in range(256):
            if place == "target" and byte in b" ?#":
                continue
            odd = b"a" + bytes([byte]) + b"Evil: yes"
            raw = request(g.port, "/app/x")
            if place == "target":
                raw = raw.replace(b"/app/x", b"/app/" + odd.replace(b" ", b""), 1)
            elif place == "value":
                raw = raw.replace(b"\r\n\r\n", b"\r\nX-Odd: " + odd + b"\r\n\r\n")
            elif place == "name":
                raw = raw.replace(b"\r\n\r\n", b"\r\n" + odd + b": x\r\n\r\n")
            elif place == "subprotocol":
                raw = raw.replace(b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: " + odd + b"\r\n\r\n")
            elif place == "host":
                raw = raw.replace(b"Host: 127.0.0.1", b"Host: " + odd + b".example", 1)
            else:
                raw = raw.replace(b"\r\n\r\n", b"\r\nOrigin: https://" + odd + b"\r\n\r\n")
            before = len(behind.requests)
            status = reach(g, raw)
            if byte in b"\0\r\n" or (place == "name" and byte not in TOKEN + b":"):
                assert status != 101, byte  # somebody could read it as an end
            assert (status == 101) == (len(behind.requests) == before + 1), byte
            if status != 101:
                assert 400 <= status < 500, (byte, status)
                continue
            fields = behind.requests[-1].fields
            if place == "name" and byte == ord(":"):
                continue  # two parts of one lawful line
            assert "evil" not in fields, byte
            if place == "value":
                assert fields["x-odd"] == [odd.decode("latin-1")], byte
        assert opens(g.port, "/app/x")


def test_nothing_an_authority_says_becomes_a_field_of_its_own(tmp_path, behind):
    with Behind(lambda r: b"HTTP/1.1 200 OK\r\nX-User: a\x0bb\rX-Evil: 1\nX-Evil: 2\r\n\r\n") as auth:
        rule = '    allow: {authority: {url: "http://127.0.0.1:%d/", copy: [X-User]}}\n' % auth.port
        with gateway(tmp_path, CONFIG % (behind.port, rule)) as g:
            assert reach(g, request(g.port, "/app/x")) == 503
            assert not behind.requests


LENGTHS = [
    ["Transfer-Encoding: chunked", "Content-Length: 0"], ["Transfer-Encoding: identity"],
    ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding:\tchunked"],
    ["Transfer-Encoding: xchunked"], ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
    ["Content-Length: 3"], ["Content-Length: +0"], ["Content-Length: 0x0"], ["Content-Length: 0, 0"],
    ["Content-Length: 0", "Content-Length: 1"], ["Content-Length: -1"],
    ["Content-Length: 18446744073709551616"], ["Content-Length : 5"], ["Content_Length: 5"],
    ["Transfer_Encoding: chunked"], [" Content-Length: 5"], ["X: y\r\n Content-Length: 5"],
]


@pytest.mark.parametrize("fields", LENGTHS, ids=lambda f: repr(f))
def test_a_length_that_can_be_read_in_two_ways_is_refused(tmp_path, behind, fields):
    """Or it does not reach the server behind, which then has nothing to read."""
    smuggled = b"GET /app/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
    with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
        raw = send_and_leave(g, request(g.port, "/app/x", *fields) + smuggled)
        status = Answer(raw).status
        if status == 101:
            for name in behind.requests[-1].fields:
                assert name.replace("_", "-") not in ("content-length", "transfer-encoding")
        else:
            assert 400 <= status < 500
            assert not behind.requests and raw.count(b"HTTP/1.1 ") == 1


def send_and_leave(g, raw):
    with dial(g.port) as s:
        s.sendall(raw)
        s.shutdown(socket.SHUT_WR)
        return read_all(s)


def test_after_every_refusal_nothing_more_is_answered(tmp_path, behind):
    """Of every look that can say no, with a second request right behind the first."""
    rules = {
        "origins: [https://app.example]": ["Origin: https://x.example"], "addresses: [10.0.0.0/8]": [],
        "hosts: [other.example]": [], "user_agents: [good]": [], "subprotocols: [a]": [],
        "token: {hashes_file: tokens}": [],
        'certificates: ["subject:CN=a"]': [],
    }
    (tmp_path / "tokens").write_text("a:" + "0" * 64 + "\n")
    config = ('listen: [{address: "127.0.0.1:0"}]\njournal: {file: journal.db}\nroutes:\n'
              + "".join("  - {path: /r%d, to: 'ws://127.0.0.1:%d', allow: {%s}}\n" % (i, behind.port, rule)
                        for i, rule in enumerate(rules))
              + "  - {path: /open, to: 'ws://127.0.0.1:%d'}\n" % behind.port)
    with gateway(tmp_path, config) as g:
        for i, fields in enumerate(rules.values()):
            raw = send(g.port, request(g.port, "/r%d" % i, *fields) + request(g.port, "/open"))
            assert raw.count(b"HTTP/1.1 ") == 1 and 400 <= Answer(raw).status < 500, i
            assert Answer(raw).fields["connection"] == "close"
        assert not behind.requests


def test_http_2_is_not_spoken(tmp_path, behind):
    with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
        raw = send_and_leave(g, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert Answer(raw).status in (400, 505) and raw.count(b"HTTP/1.1 ") == 1
        settings = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        assert reach(g, request(g.port, "/app/x", upgrade=settings)) == 426
        connect = request(g.port, "/app/x").replace(b"GET", b"CONNECT", 1)
        assert reach(g, connect) in (400, 405)
        assert not behind.requests


def test_nothing_in_a_request_chooses_another_server(tmp_path, behind):
    with Behind(opening()) as other:
        evil = "127.0.0.1:%d" % other.port
        with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
            plain = request(g.port, "/app/x")
            tries = [
                plain.replace(b"/app/x", b"http://%s/app/x" % evil.encode(), 1),
                plain.replace(b"/app/x", b"ws://%s/app/x" % evil.encode(), 1),
                plain.replace(b"/app/x", b"//%s/app/x" % evil.encode(), 1),
                plain.replace(b"/app/x", b"@%s/app/x" % evil.encode(), 1),
                plain.replace(b"/app/x", evil.encode(), 1),
                re.sub(rb"Host: [^\r]*", b"Host: " + evil.encode(), plain),
                plain.replace(b"\r\n\r\n", b"\r\nX-Forwarded-Host: %s\r\n\r\n" % evil.encode()),
                plain.replace(b"\r\n\r\n", b"\r\nX-Original-URL: http://%s/\r\n\r\n" % evil.encode()),
                plain.replace(b"\r\n\r\n", b"\r\nForwarded: host=%s\r\n\r\n" % evil.encode()),
            ]
            statuses = [reach(g, raw) for raw in tries]
            hosts = [r.fields["host"] for r in behind.requests]
            assert hosts == [[evil]] + [["127.0.0.1:%d" % g.port]] * 3
            assert not other.requests
            assert statuses[:5] == [400] * 5 or all(400 <= s < 500 for s in statuses[:5])
            assert all(r.target == "/app/x" for r in behind.requests)


# ---- Rules ----

def test_a_foreign_page_is_refused_by_default_whatever_it_brings(tmp_path, behind):
    with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
        here = "http://127.0.0.1:%d" % g.port
        cookie = "Cookie: session=of-the-user"
        for origin in ("https://foreign.example", "null", "http://127.0.0.1.foreign.example",
                       "http://127.0.0.1:1", "http://localhost:%d" % g.port, "file://", "",
                       here + ".foreign.example", here + "@foreign.example"):
            assert reach(g, request(g.port, "/app/x", "Origin: " + origin, cookie)) in (400, 403), origin
        assert not behind.requests
        assert reach(g, request(g.port, "/app/x", "Origin: " + here, cookie)) == 101
        assert reach(g, request(g.port, "/app/x", cookie)) == 101, "no page, no Origin"


@pytest.mark.parametrize("origin, status", [
    ("https://app.example", 101), ("https://APP.example", 101), ("https://app.example:443", 101),
    ("https://a.wild.example", 101),
    ("http://app.example", 403), ("https://app.example:8443", 403), ("https://app.example.evil", 403),
    ("https://evilapp.example", 403), ("https://app.example@evil", 403), ("https://app.example/x", 403),
    ("https://app.example%2eevil", 403), ("https://wild.example", 403), ("https://a.b.wild.example", 403),
    ("http://a.wild.example", 403), ("https://a.wild.example:8443", 403), ("https://a.wild.example.evil", 403),
    ("http://app.example:443", 403), ("wss://app.example", 403), ("https://evil/x.wild.example", 403),
    ("https://evil@x.wild.example", 403), ("https://evil?.wild.example", 403),
    ("https://.wild.example", 403), ("https://evilwild.example", 403), ("https://[::1]", 403),
    ("https://app.example https://evil.example", 403), ("https://app.example,https://evil", 403),
    ("https://\xe4pp.example", 403), ("https://xn--pp-uia.example", 403), ("app.example", 403),
    ("https:app.example", 403), ("https://app.example\\.evil", 403), ("null", 403), ("*", 403),
])
def test_only_the_very_origin_may_enter(tmp_path, behind, origin, status):
    rule = '    allow: {origins: ["https://app.example", "https://*.wild.example"]}\n'
    with gateway(tmp_path, CONFIG % (behind.port, rule)) as g:
        got = reach(g, request(g.port, "/app/x", "Origin: " + origin))
        assert got == status or (status == 403 and got == 400)


ALIASES = ["X-Forwarded-For", "X_Forwarded_For", "x-forwarded_for", "X.Forwarded.For", "Forwarded",
           "X-Real-IP", "X_Real_Ip", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP", "X-Forwarded-Proto",
           "X_Forwarded_Proto", "X-Forwarded-Prefix", "X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL",
           "X-Original-URI", "Proxy-Client-IP", "HTTP_X_FORWARDED_FOR", "X-Auth-Request-User", "X-Cluster-Client-IP", "X-Forwarded-Scheme", "X-Envoy-External-Address",
           "WL-Proxy-Client-IP", "HTTP-Client-IP", "HTTP_CLIENT_IP", "X-Forward-For", "Ali-CDN-Real-IP",
           "Cdn_Src_Ip", "Incap-Client-IP", "X-Sucuri-ClientIP", "X-Vercel-Forwarded-For",
           "Fly-Client-IP", "DO-Connecting-IP", "X-AppEngine-User-IP", "X-NF-Client-Connection-IP",
           "X-Peer-IP"]


@pytest.mark.parametrize("alias", ALIASES)
def test_no_spelling_of_a_forwarding_field_gets_through(tmp_path, behind, alias):
    with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
        hop_by_hop = UPGRADE.replace("Connection: Upgrade",
                                     "Connection: Upgrade, X-Forwarded-For, Host, Origin, %s" % alias)
        for upgrade in (UPGRADE, hop_by_hop):
            assert reach(g, request(g.port, "/app/x", alias + ": 203.0.113.66", upgrade=upgrade)) == 101
            seen = behind.requests[-1]
            assert b"203.0.113.66" not in seen.raw
            assert seen.fields["x-forwarded-for"] == ["127.0.0.1"] and len(seen.fields["host"]) == 1


@pytest.mark.parametrize("target", [
    "/app/%2e%2e/admin", "/app/../admin", "/app/./x", "/app//x", "//app/x", "/app/x;y", "/app/%00",
    "/app/x%2fy", "/app/x%5cy", "/app/x\\y", "/app/%252e%252e/admin", "/app/%25%32%66", "/app/x%zz",
    "/app/x%", "/app/\xc0\xae\xc0\xae/admin", "/app/%c0%ae%c0%ae/admin", "/app/%e0%80%af", "/app/%f0%80%80%af",
    "/APP/x", "/%61pp/x", "/app/x%41", "/app/x#y", "/app/x%3by", "/app/x%3fy", "/app/x%23y",
    "/app/%u002e%u002e/", "/app/x%0d%0aEvil:yes", "/app/..;/admin",
])
def test_the_server_behind_sees_the_path_that_the_rule_saw(tmp_path, behind, target):
    """What somebody could read as another path is not passed on at all."""
    with gateway(tmp_path, CONFIG % (behind.port, "")) as g:
        assert reach(g, request(g.port, target)) == (404 if target == "/APP/x" else 400)
        assert not behind.requests
        # a query is no path, and is passed on as it came
        for target in ("/app/x%40y%C3%A4?a=/../b", "/app/x?%00%2f\\;"):
            assert reach(g, request(g.port, target)) == 101
            assert behind.requests[-1].target == target


@pytest.mark.parametrize("host, status", [
    ("app.example", 101), ("APP.Example", 101), ("app.example.", 101), ("app.example:8080", 101),
    ("a.wild.example", 101), ("app.example.evil", 403), ("evil-app.example", 403), ("wild.example", 403),
    ("evilwild.example", 403), ("a.wild.example.evil", 403), ("appxexample", 403), ("a.b.wild.example", 101), ("app.example@evil", 403), ("app.example, evil", 403), ("app.example:x", 403),
    ("app.example/", 403), ("", 403), ("app.example:", 0), ("[app.example]", 403), ("app.example..", 403),
])
def test_only_the_very_host_may_enter(tmp_path, behind, host, status):
    rule = '    allow: {hosts: [app.example, "*.wild.example"]}\n'
    with gateway(tmp_path, CONFIG % (behind.port, rule)) as g:
        raw = re.sub(rb"Host: [^\r]*", b"Host: " + host.encode(), request(g.port, "/app/x"))
        twice = raw.replace(b"\r\n\r\n", b"\r\nHost: app.example\r\n\r\n")
        assert reach(g, twice) in (400, 403) and not behind.requests
        got = reach(g, raw)
        assert got in ((101, 400, 403) if not status else (101,) if status == 101 else (400, 403))


def test_users_who_are_unknown_take_as_long(tmp_path):
    """The hash of somebody else is checked for who is not there."""
    import base64
    import statistics
    import subprocess
    import time
    subprocess.run(["htpasswd", "-bcB", "-C", "9", str(tmp_path / "users"), "alice", "x"], check=True,
                   capture_output=True)
    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes: [{path: /, to: echo, limits: {failures: 1000/second}, allow: {token: {htpasswd_file: users}}}]
""") as g:
        took = {"alice": [], "nobody": []}
        for _ in range(5):
            for user, times in took.items():
                secret = base64.b64encode((user + ":wrong").encode()).decode()
                begin = time.perf_counter()
                assert ask(g.port, "/", "Authorization: Basic " + secret).status == 401
                times.append(time.perf_counter() - begin)
        known, unknown = (statistics.median(t) for t in took.values())
        assert 0.3 < unknown / known < 3


def test_guessing_many_passwords_at_once_gains_nothing(tmp_path):
    """Each counts as failed while it is being checked, and no longer."""
    import base64
    import subprocess
    subprocess.run(["htpasswd", "-bcB", "-C", "9", str(tmp_path / "users"), "alice", "right"],
                   check=True, capture_output=True)

    def basic(secret):
        return "Authorization: Basic " + base64.b64encode(b"alice:" + secret).decode()

    with gateway(tmp_path, """\
workers: 1
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes: [{path: /, to: echo, limits: {failures: 3/minute}, allow: {token: {htpasswd_file: users}}}]
""") as g:
        # who knows the password is never in the way of himself
        for _ in range(8):
            assert opens(g.port, "/", basic(b"right"))
        clients = [dial(g.port) for _ in range(40)]
        for i, s in enumerate(clients):
            s.sendall(request(g.port, "/", basic(b"guess%d" % i)))
        got = [Answer(read_all(s)).status for s in clients]
        assert got.count(401) == 3 and got.count(429) == 37
        assert ask(g.port, "/", basic(b"other")).status == 429


def test_what_one_client_sent_is_never_told_of_another(tmp_path):
    """A visit that waits keeps its own words, whoever talks meanwhile."""
    import threading
    import time

    def slowly(request):
        time.sleep(0.5)
        return b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"

    authority = Behind(slowly)
    with gateway(tmp_path, """\
workers: 1
listen: [{address: "127.0.0.1:0"}]
trusted_proxies: [192.0.2.1]
journal: {file: journal.db}
routes:
  - {path: /asks, to: echo, allow: {authority: {url: "http://127.0.0.1:%d/"}}}
  - {path: /other, to: echo}
""" % authority.port) as g:
        def talk():
            for i in range(8):
                time.sleep(0.05)
                opens(g.port, "/other?" + "x" * 60, "Authorization: Bearer SECRET%d" % i,
                      "X-Long: " + "SECRET" * 40)

        others = threading.Thread(target=talk)
        others.start()
        refused = ask(g.port, "/asks", "X-Forwarded-For: MINE-0123456789-0123456789")
        others.join()
        assert refused.status == 403
        told = g.why(refused.reference).stdout
        assert "SECRET" not in told and "MINE-0123456789" in told


@pytest.mark.parametrize("name", ["X_Api_Key", "x.api.key", "X_Debug", "X_Token"])
def test_no_spelling_of_a_field_that_the_route_sets_gets_through(tmp_path, behind, name):
    (tmp_path / "hashes").write_text(
        "bob:" + __import__("hashlib").sha256(b"secret").hexdigest() + "\n")
    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes:
  - path: /
    to: ws://127.0.0.1:%d
    headers: {X-Api-Key: ours, X-Debug: }
    allow: {token: {from: "header:X-Token", strip: true, hashes_file: hashes}}
""" % behind.port) as g:
        assert opens(g.port, "/", "X-Token: secret", name + ": theirs")
        raw = behind.requests[-1].raw.lower()
        assert b"theirs" not in raw and raw.count(b"x-api-key") == 1


def test_one_channel_has_one_name_however_its_path_is_written(tmp_path):
    import asyncio
    import websockets

    async def meet(port):
        plain = "ws://127.0.0.1:%d/r@om/cret" % port
        encoded = "ws://127.0.0.1:%d/r%%40om/cret" % port
        async with websockets.connect(plain) as a, websockets.connect(encoded) as b:
            async with websockets.connect("ws://127.0.0.1:%d/r@om/XXcret" % port) as c:
                await a.send("hello")
                assert await asyncio.wait_for(b.recv(), 5) == "hello"
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(c.recv(), 0.3)

    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes: [{path: "/r%40om/**", to: hub, allow: {origins: [none, "*"]}}]
""") as g:
        asyncio.run(meet(g.port))


def test_who_only_connects_to_the_admin_address_shuts_nobody_out(tmp_path):
    import subprocess
    from gateways import SESAME
    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0", socket: control.sock}
journal: {file: journal.db}
routes: [{path: /, to: echo}]
""") as g:
        port = int(g.admin.rsplit(":", 1)[1])
        silent = [dial(port) for _ in range(200)]
        answer = send(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        r = subprocess.run([SESAME, "reload", "-c", "sesame.yaml"], cwd=tmp_path,
                           capture_output=True, text=True, timeout=20)
        assert r.returncode == 0, r.stderr
        for host in (b"[::1]evil.example", b"localhost:1:evil", b"localhost\r\nHost: localhost"):
            assert b" 403 " in send(
                port, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")[:20]
        for s in silent:
            s.close()


@pytest.mark.parametrize("said, status", [
    (saying(431), 503), (saying(404), 503), (saying(302, "Location: /login"), 503),
    (b"HTTP/1.1 103 Early Hints\r\n\r\n" + saying(401), 401), (saying(500), 101)])
def test_a_client_cannot_make_an_authority_fail_open(tmp_path, said, status):
    """on_failure: admit is for an authority that is down, not for its 431."""
    authority = Behind(lambda request: said)
    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes:
  - {path: /, to: echo, allow: {authority: {url: "http://127.0.0.1:%d/", on_failure: admit}}}
""" % authority.port) as g:
        assert reach(g, request(g.port, "/")) == status


def test_a_token_that_is_answered_as_subprotocol_is_in_no_log(tmp_path):
    import hashlib
    (tmp_path / "hashes").write_text("bob:" + hashlib.sha256(b"S3CRETTOKEN").hexdigest() + "\n")
    with gateway(tmp_path, """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
log: {file: access.log}
routes:
  - {path: /, to: echo, allow: {token: {from: subprotocol, hashes_file: hashes}}}
""") as g:
        assert opens(g.port, "/?page=S3CRETTOKEN", "Sec-WebSocket-Protocol: bearer.S3CRETTOKEN")
    log = (tmp_path / "access.log").read_text()
    assert "open" in log and "close" in log and "S3CRET" not in log


def test_guesses_at_a_publishers_token_are_counted_where_the_route_observes(tmp_path):
    import hashlib
    (tmp_path / "hashes").write_text("bob:" + hashlib.sha256(b"right").hexdigest() + "\n")

    def publish(g, token):
        return Answer(send(g.port, ("POST /room HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                                    "Authorization: Bearer %s\r\n\r\nx" % token).encode())).status

    with gateway(tmp_path, """\
workers: 1
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
routes:
  - path: /room
    to: hub
    mode: observe
    limits: {failures: 3/minute}
    hub: {publish: {hashes_file: hashes}}
""") as g:
        assert [publish(g, "guess%d" % i) for i in range(5)] == [401, 401, 401, 429, 429]
        assert publish(g, "right") == 429


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_brings_none(tmp_path, status):
    """What a server sends behind it is no answer to somebody else's question."""
    rude = Behind(lambda request: saying(status, body="HTTP/1.1 200 OK\r\n\r\n"))
    with gateway(tmp_path, CONFIG % (rude.port, "")) as g:
        raw = send(g.port, request(g.port, "/app/x"))
        head, _, body = raw.partition(b"\r\n\r\n")
        assert b" %d " % status in head and not body and b"Content-Length" not in head
