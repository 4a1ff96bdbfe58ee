# SPDX-License-Identifier: MIT
"""Subprotocols, client certificates, an authority that is asked, and refusals
that are told by a close frame."""
import asyncio
import json
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest
import websockets

from behind import Behind, opening, saying
from gateways import Answer, ask, dial, gateway, opens, read_all, reload, request, run
from held import descriptors


def come(g, target, *fields, **more):
    """The answer, and nothing more of an open connection."""
    with dial(g.port) as s:
        s.sendall(request(g.port, target, *fields, **more))
        data = b""
        while b"\r\n\r\n" not in data:
            part = s.recv(65536)
            if not part:
                break
            data += part
        if b" 101 " not in data[:20]:
            data += read_all(s)
        return Answer(data)


def config(to, *lines, more="", refusal="disclose: reason"):
    return ('listen: [{address: "127.0.0.1:0"}]\nrefusal: {%s}\njournal: {file: journal.db}\n'
            "routes:\n  - path: /app/**\n    to: %s\n" % (refusal, to)
            + "".join("    %s\n" % line for line in lines) + more)


# ---- Subprotocols ----

@pytest.mark.parametrize("offer, status, chosen, passed_on", [
    (["Sec-WebSocket-Protocol: chat.v2"], 101, "chat.v2", "chat.v2"),
    (["Sec-WebSocket-Protocol: other, chat.v1"], 101, "chat.v1", "chat.v1"),
    (["Sec-WebSocket-Protocol: other", "Sec-WebSocket-Protocol: chat.v2"], 101, "chat.v2", "chat.v2"),
    (["Sec-WebSocket-Protocol: other"], 400, None, None),
    (["Sec-WebSocket-Protocol: Chat.v2"], 400, None, None),
    (["Sec-WebSocket-Protocol: none"], 400, None, None),
    ([], 101, None, ""),
])
def test_one_of_the_offered_subprotocols_must_be_allowed(tmp_path, offer, status, chosen, passed_on):
    with Behind(opening(lambda o: o[0] if o else "")) as behind:
        rule = "allow: {subprotocols: [chat.v1, chat.v2, none]}"
        with gateway(tmp_path, config("ws://127.0.0.1:%d" % behind.port, rule)) as g:
            a = come(g, "/app/x", *offer)
            assert a.status == status
            assert a.fields.get("sec-websocket-protocol") == chosen
            if status == 101:
                assert behind.requests[-1].get("sec-websocket-protocol") == passed_on
                return
            assert not behind.requests
            assert "Cause: server.subprotocol" in a.text
            story = g.story(a.reference)
            assert story["cause"] == "server.subprotocol" and story["check"] == "subprotocol"
            assert story["line"] == 7


def test_without_none_who_offers_nothing_is_refused_and_the_echo_answers_with_an_allowed_one(tmp_path):
    with gateway(tmp_path, config("echo", "allow: {subprotocols: [b, a]}")) as g:
        assert come(g, "/app/x").status == 400
        a = come(g, "/app/x", "Sec-WebSocket-Protocol: x, a, b")
        assert a.status == 101 and a.fields["sec-websocket-protocol"] == "a"


def test_observed_subprotocols_are_passed_on_as_they_came(tmp_path):
    with Behind(opening()) as behind:
        with gateway(tmp_path, config("ws://127.0.0.1:%d" % behind.port, "mode: observe",
                                      "allow: {subprotocols: [a]}")) as g:
            assert come(g, "/app/x", "Sec-WebSocket-Protocol: x, y").status == 101
            assert behind.requests[-1].get("sec-websocket-protocol") == "x, y"
            assert [s["cause"] for s in g.last()] == ["server.subprotocol"]


# ---- Certificates ----

def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA, a certificate for the server, and one for each client."""
    folder = tmp_path_factory.mktemp("ca")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(folder, "req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/O=Devices/CN=ca")
    openssl(folder, "req", "-x509", *new, "-keyout", "server.key", "-out", "server.pem", "-days",
            "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    for name, subject, san in (
            ("alice", "/O=Example/CN=alice", "DNS:alice.devices.example,IP:192.0.2.7"),
            ("mallory", "/O=Example/CN=mallory\\,CN=alice", "DNS:a.b.devices.example"),
            ("bare", "/CN=bare", "DNS:devices.example"),
            ("web", "/", "URI:spiffe://devices.example/fleet/" + "w" * 180),
            ("mail", "/CN=mail", "email:mail@devices.example"),
            # issued as names of a host, and told apart from what they look like
            ("false", "/CN=false", "DNS:spiffe://devices.example/fleet/" + "w" * 180
             + ",DNS:mail@devices.example")):
        openssl(folder, "req", *new, "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject)
        (folder / "ext").write_text("subjectAltName=" + san)
        openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", name + ".pem", "-days", "2", "-extfile", "ext")
    return folder


def tls_config(ca, rule):
    return """\
listen:
  - address: "127.0.0.1:0"
    tls: {certificate: %s/server.pem, key: %s/server.key, client_ca: %s/ca.pem, client_cert: optional}
journal: {file: journal.db}
routes: [{path: /, to: echo, allow: {certificates: %s}}]
""" % (ca, ca, ca, rule)


def tls_ask(g, ca, client, session=None):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if client:
        context.load_cert_chain(ca / (client + ".pem"), ca / (client + ".key"))
    with context.wrap_socket(dial(g.port), server_hostname="localhost") as s:
        s.sendall(request(g.port, "/"))
        data = s.recv(4096)
        while b" 101 " not in data[:20]:
            more = s.recv(4096)
            if not more:
                break
            data += more
        return Answer(data)


NAMES = {"alice": "CN=alice", "mallory": "CN=mallory", "bare": "CN=bare", "mail": "CN=mail",
         "false": "CN=false", "web": "san:uri:spiffe://devices.example/fleet/www"}


@pytest.mark.parametrize("rule, who", [
    ('["subject:CN=alice"]', {"alice"}),
    ('["subject:CN=ali*"]', {"alice"}),
    ('["subject:O=Example", "!subject:CN=alice"]', {"mallory"}),
    ('["issuer:CN=ca"]', set(NAMES)),
    ('["issuer:O=Other"]', set()),
    ('["san:dns:*.devices.example"]', {"alice"}),
    ('["san:dns:DEVICES.example"]', {"bare"}),
    ('["san:ip:192.0.2.7"]', {"alice"}),
    ('["subject:CN=bare", "san:ip:192.0.2.7"]', {"alice", "bare"}),
    ('["san:uri:spiffe://devices.example/fleet/%s"]' % ("w" * 180), {"web"}),
    ('["san:uri:spiffe://devices.example/fleet/*"]', {"web"}),
    ('["san:uri:spiffe://devices.example/fleet/%s"]' % ("w" * 179), set()),
    ('["san:email:mail@devices.example"]', {"mail"}),
    ('["issuer:CN=ca", "!san:uri:spiffe://devices.example/**"]',
     {"alice", "mallory", "bare", "mail", "false"}),
])
def test_the_certificates_of_the_list_may_enter(tmp_path, authority, rule, who):
    with gateway(tmp_path, tls_config(authority, rule)) as g:
        for client in (None, "alice", "mallory", "bare", "web", "mail", "false"):
            a = tls_ask(g, authority, client)
            assert (a.status == 101) == (client in who), client
            if a.status == 101:
                continue
            assert a.status == 403
            story = g.story(a.reference)
            assert story["cause"] == "access.client-cert" and story["check"] == "certificate"
            if client:
                assert story["compared"].startswith(("subject:", "issuer:", "san:"))
                assert NAMES[client] in story["certificate"]


def test_why_compares_the_name_that_the_list_is_about(tmp_path, authority):
    wanted = "san:uri:spiffe://devices.example/fleet/" + "w" * 179
    with gateway(tmp_path, tls_config(authority, '["subject:CN=nobody", "%s"]' % wanted)) as g:
        a = tls_ask(g, authority, "web")
        assert a.status == 403
        story = g.story(a.reference)
        assert story["compared"] == wanted + "w" and story["nearest"] == wanted
        assert story["certificate"] == wanted + "w"
        assert 'certificates: [..., "%sw"]' % wanted in story["advice"]
        # what it says to add is an entry that lets it in
        rule = '["subject:CN=nobody", "%s"]' % story["compared"]
        (tmp_path / "sesame.yaml").write_text(tls_config(authority, rule))
        r = run("check", "sesame.yaml", "--url", "wss://localhost/", "--certificate",
                story["compared"], cwd=tmp_path)
        assert r.returncode == 0, r.stdout + r.stderr
        reload(g, tls_config(authority, rule), "reloaded")
        assert tls_ask(g, authority, "web").status == 101


def test_a_port_without_tls_has_no_certificates(tmp_path):
    with gateway(tmp_path, config("echo", 'allow: {certificates: ["subject:CN=alice"]}')) as g:
        a = come(g, "/app/x", "X-Client-Cert: alice", "X-SSL-Client-S-DN: CN=alice")
        assert a.status == 403 and g.story(a.reference)["cause"] == "access.client-cert"


@pytest.mark.parametrize("entry, words", [
    ("alice", "begins with none of subject:"), ("subject:alice", "needs the part of the name"),
    ("san:dns:a*.example", "wildcard"), ("san:ip:x", "needs an address"),
    ("san:uri:spiffe", "needs a URI"), ("san:uri:spiffe://*.example/web", "last segment"),
    ("san:email:alice", "needs an address of mail"), ("san:email:a*@b.example", "before the @"),
])
def test_entries_that_mean_nothing_are_faults(tmp_path, entry, words):
    (tmp_path / "sesame.yaml").write_text(config("echo", 'allow: {certificates: ["%s"]}' % entry))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stdout + r.stderr and "sesame.yaml:7:" in r.stdout + r.stderr


# ---- The authority ----

def authority_line(port, more=""):
    return "allow: {authority: {url: http://127.0.0.1:%d/auth?v=1, timeout: 500ms%s}}" % (port, more)


def test_the_authority_is_asked_and_may_tell_who_it_is(tmp_path):
    with Behind(opening()) as behind, Behind(
            lambda r: saying(204, "X-User: alice", "X-Roles: a, b", "X-Other: no")) as auth:
        with gateway(tmp_path, config("ws://127.0.0.1:%d" % behind.port,
                                      authority_line(auth.port, ", copy: [X-User, X-Roles, X-None]"))) as g:
            a = come(g, "/app/x?room=1", "Cookie: session=s3", "Authorization: Bearer t",
                     "X-User: root", "X_User: root", "X-None: root", "Accept-Language: en")
            assert a.status == 101
        asked = auth.requests[-1]
        assert asked.line == "GET /auth?v=1 HTTP/1.1"
        assert asked.get("x-original-uri") == "/app/x?room=1" and asked.get("x-original-method") == "GET"
        assert asked.get("cookie") == "session=s3" and asked.get("authorization") == "Bearer t"
        assert asked.get("x-forwarded-for") == "127.0.0.1"
        for absent in ("upgrade", "sec-websocket-key", "accept-language", "x-user"):
            assert absent not in asked.fields
        told = behind.requests[-1]
        assert told.get("x-user") == "alice" and told.get("x-roles") == "a, b"
        assert "root" not in told.raw.decode() and "x-other" not in told.fields


@pytest.mark.parametrize("answer, status, cause", [
    (saying(403, body="our own words"), 403, "access.permission"),
    (saying(401, 'WWW-Authenticate: Bearer realm="x"', body="our own words"), 401, "access.credentials"),
    (saying(500), 503, "server.backend-down"),
    (saying(302, "Location: /login"), 503, "server.backend-down"),
    (saying(101, "Upgrade: websocket", "Connection: Upgrade"), 503, "server.backend-down"),
    (b"", 503, "server.backend-down"),
    (b"SSH-2.0-x\r\n\r\n", 503, "server.backend-down"),
    (None, 503, "server.backend-down"),
])
def test_what_the_authority_says_decides(tmp_path, answer, status, cause):
    with Behind(opening()) as behind, Behind(lambda r: answer) as auth:
        to = "ws://127.0.0.1:%d" % behind.port
        with gateway(tmp_path, config(to, authority_line(auth.port))) as g:
            a = come(g, "/app/x")
            assert a.status == status and "our own words" not in a.text
            story = g.story(a.reference)
            assert story["cause"] == cause and story["check"] == "authority" and story["line"] == 7
            if status == 401:
                assert a.fields["www-authenticate"] == 'Bearer realm="x"'
            assert "server behind it" not in g.why(a.reference).stdout
            assert not behind.requests


def test_when_it_is_silent_the_operator_decides(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with gateway(tmp_path, config("echo", authority_line(port, ", on_failure: admit"))) as g:
        assert come(g, "/app/x").status == 101
        story = g.last()[-1]
        assert story["observed"] and story["cause"] == "server.backend-down"


def test_the_authority_is_not_asked_for_what_is_refused_already_or_is_no_handshake(tmp_path):
    with Behind(lambda r: saying(200)) as auth:
        with gateway(tmp_path, config("echo", authority_line(auth.port))) as g:
            assert come(g, "/app/x", "Origin: https://foreign.example").status == 403
            assert come(g, "/app/x", upgrade="").status == 426
            assert not auth.requests
            assert come(g, "/app/x").status == 101


def test_who_leaves_while_the_authority_thinks_is_forgotten(tmp_path):
    with Behind(lambda r: None) as auth:
        patient = authority_line(auth.port).replace("500ms", "30s")
        with gateway(tmp_path, config("echo", patient)) as g:
            for _ in range(20):
                with dial(g.port) as s:
                    s.sendall(request(g.port, "/app/x"))
                    time.sleep(0.01)
            end = time.monotonic() + 10
            while descriptors(g.process.pid)[0]:
                assert time.monotonic() < end, descriptors(g.process.pid)
                time.sleep(0.02)
            assert auth.requests
        with gateway(tmp_path, config("echo", authority_line(auth.port))) as g:
            for _ in range(20):
                with dial(g.port) as s:
                    s.sendall(request(g.port, "/app/x") + b"\x81\x80")
            assert opens(g.port, "/nowhere") is False


def test_observing_asks_it_all_the_same(tmp_path):
    with Behind(lambda r: saying(403)) as auth:
        with gateway(tmp_path, config("echo", "mode: observe", authority_line(auth.port))) as g:
            assert come(g, "/app/x").status == 101
            assert [s["cause"] for s in g.last()] == ["access.permission"]


# ---- Refusals that are told by a close frame ----

def closed_with(g, path, **more):
    async def play():
        async with websockets.connect(g.url + path, **more) as ws:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(ws.recv(), 5)
            return closed.value.code, closed.value.reason
    return asyncio.run(play())


def test_a_page_can_read_the_reference_in_the_close_frame(tmp_path):
    rule = "allow: {origins: [https://app.example], subprotocols: [a, none]}"
    with gateway(tmp_path, config("echo", rule, refusal="close: true")) as g:
        code, reason = closed_with(g, "/app/x", origin="https://foreign.example")
        assert code == 4403
        assert g.story(reason)["cause"] == "access.origin"
        assert g.story(reason)["status"] == 403
        code, reason = closed_with(g, "/app/x", subprotocols=["b"], origin="https://app.example")
        assert code == 4403 and g.story(reason)["cause"] == "server.subprotocol"
        # what is no valid handshake, or has no route, is told by a status as before
        assert come(g, "/app/x", "Origin: https://foreign.example",
                    upgrade="Connection: Upgrade\r\nUpgrade: websocket\r\n").status in (400, 403, 426)
        assert come(g, "/nowhere").status == 404


def test_the_cause_is_in_it_where_that_is_disclosed(tmp_path):
    rule = "allow: {origins: [https://app.example]}"
    with gateway(tmp_path, config("echo", rule, refusal="close: true, disclose: reason")) as g:
        code, reason = closed_with(g, "/app/x", origin="https://foreign.example")
        reference, cause = reason.split()[:2]
        assert code == 4403 and cause == "access.origin" and g.story(reference)["cause"] == cause


BROWSER = Path(__file__).resolve().parents[1] / "browser"


@pytest.mark.skipif(not (BROWSER / "node_modules").exists(), reason="npm ci in tests/browser")
def test_chromium_shows_a_page_the_reference(tmp_path):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>a page</title>")

        def log_message(self, *_):
            pass

    site = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    where = "http://127.0.0.1:%d/" % site.server_port
    seen = {}
    try:
        for close in ("false", "true"):
            folder = tmp_path / close
            folder.mkdir()
            with gateway(folder, config("echo", refusal="close: " + close)) as g:
                r = subprocess.run(["node", str(BROWSER / "close.mjs"), where, g.url + "/app/x"],
                                   capture_output=True, text=True, timeout=60)
                assert r.returncode == 0, r.stderr
                seen[close] = json.loads(r.stdout)
                if close == "true":
                    assert g.story(seen[close]["reason"])["cause"] == "access.origin"
    finally:
        site.shutdown()
        site.server_close()
    assert seen["false"] == {"opened": False, "code": 1006, "reason": ""}
    assert seen["true"]["opened"] and seen["true"]["code"] == 4403


# ---- Plain HTTP ----

def test_plain_http_is_told_what_is_here_and_leaves_no_line(tmp_path):
    with gateway(tmp_path, config("echo")) as g:
        for fields in ([], ["Accept: application/json"]):
            a = come(g, "/app/x", *fields, upgrade="")
            assert a.status == 426 and a.fields["upgrade"] == "websocket"
            assert "/app/x on this server is a WebSocket" in a.text
        a = come(g, "/app/x", "Upgrade: h2c", "Connection: Upgrade", upgrade="")
        assert a.status == 426
        assert not g.last()
    assert "refused" not in (tmp_path / "err").read_text()


def test_a_route_may_list_a_hundred_thousand_addresses_and_origins(tmp_path):
    networks = ["%d.%d.%d.%d" % (n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255)
                for n in range(0x0b000000, 0x0b000000 + 100000 * 37, 37)]
    config = ("listen: [{address: 127.0.0.1:0}]\ntrusted_proxies: [127.0.0.1]\n"
              "journal: {file: journal.db}\nroutes:\n- path: /a\n  to: echo\n  allow:\n"
              "    addresses:\n%s    origins:\n%s" % (
                  "".join("    - %s\n" % n for n in networks),
                  "".join("    - https://shop-%d.example.org\n" % n for n in range(100000))))
    with gateway(tmp_path, config) as g:
        g.held.allow(128 * 1024)  # lists of which only the first visit touches all

        def comes(address, shop):
            return opens(g.port, "/a", "X-Forwarded-For: " + address,
                         "Origin: https://shop-%d.example.org" % shop)
        assert comes(networks[0], 0) and comes(networks[-1], 99999)
        assert not comes("11.0.0.1", 0) and not comes(networks[7], 100000)
        begin = time.time()
        assert run("check", "sesame.yaml", cwd=tmp_path).returncode == 0
        assert time.time() - begin < 20
        # An entry that is wrong is told at its line, and a reload keeps what is.
        bad = config.replace("    - %s\n" % networks[50000], "    - %s/33\n" % networks[50000])
        reload(g, bad, "sesame.yaml:50009:7: addresses")
        assert comes(networks[50000], 5)
        reload(g, config.replace("    - %s\n" % networks[0], ""), "reload")
        assert not comes(networks[0], 0) and comes(networks[1], 0)


def test_a_configuration_beyond_its_bound_is_refused_by_name(tmp_path):
    (tmp_path / "sesame.yaml").write_text("# %s\n" % ("x" * (16 << 20)))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and "sesame.yaml: cannot be read: it is longer than 16 MiB" in r.stderr
