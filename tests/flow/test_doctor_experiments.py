# SPDX-License-Identifier: MIT
"""The experiments of `sesame doctor` that are no pair of handshakes: HTTP/2,
sessions, pages, backends, configurations, servers that disagree."""
import json
import os
import shutil
import socket
import subprocess
import time

import pytest

from ports import free_port
from doctor_peers import Peer, accept, answer, field

SESAME = os.environ.get("SESAME", "build/sesame")
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}


def doctor(*args, status=None):
    run = subprocess.run([SESAME, "doctor", "--json", *args], capture_output=True,
                         text=True, timeout=60, env=CLEAN)
    if status is not None:
        assert run.returncode == status, run.stderr
    return json.loads(run.stdout)


def cause(diagnosis):
    return diagnosis["verdict"]["cause"]


def evidence(diagnosis):
    return "\n".join(diagnosis["verdict"]["evidence"])


def opens(conn, request):
    if not field(request, b"Upgrade"):
        return conn.sendall(answer(b"426 Upgrade Required"))
    conn.sendall(accept(request))
    while conn.recv(4096):
        pass


def refuses(status, body=b"no\n", fields=()):
    return lambda conn, request: conn.sendall(answer(status, body, fields))


class Turns(Peer):
    """Servers that take turns, by connection."""

    def __init__(self, *plays):
        self.turn = -1

        def play(conn, request):
            self.turn += 1
            plays[self.turn % len(plays)](conn, request)
        super().__init__(play)


# ---- HTTP/2 ----

NODE_H2 = """
const [port, offers] = process.argv.slice(1);
const server = require('http2').createServer(
  {settings: {enableConnectProtocol: offers === 'yes'}});
server.on('stream', (stream, head) => {
  stream.on('error', () => {});
  const ws = head[':protocol'] === 'websocket';
  console.log(JSON.stringify(head));
  stream.respond({':status': ws ? 200 : 404, 'x-by': 'node'});
  if (!ws) stream.end('no WebSocket here');
});
server.on('sessionError', () => {});
server.listen(+port, '127.0.0.1', () => console.log('READY'));
"""


class NodeH2:
    def __init__(self, offers):
        self.offers, self.port = offers, free_port()

    def __enter__(self):
        self.run = subprocess.Popen(["node", "-e", NODE_H2, str(self.port), self.offers],
                                    stdout=subprocess.PIPE, text=True)
        assert self.run.stdout.readline() == "READY\n"
        return self

    def __exit__(self, *_):
        self.run.terminate()
        self.run.wait()
        self.run.stdout.close()

    def heads(self):
        self.run.terminate()
        self.run.wait()
        return [json.loads(line) for line in self.run.stdout]


needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no node")


@needs_node
@pytest.mark.parametrize("offers", ["yes", "no"])
def test_a_port_of_http2_alone_is_asked_in_http2(offers):
    with NodeH2(offers) as server:
        d = doctor("--origin", "https://a.example", "--subprotocol", "chat.v2",
                   f"ws://127.0.0.1:{server.port}/live?room=1", status=1)
        heads = server.heads()
    assert cause(d) == "server.http2"
    assert d["verdict"]["confidence"] > 0.95
    assert heads[0][":path"] == "/live?room=1"
    assert heads[0]["origin"] == "https://a.example"
    if offers == "yes":
        assert heads[0][":method"] == "CONNECT"
        assert heads[0][":protocol"] == "websocket"
        assert heads[0]["sec-websocket-protocol"] == "chat.v2"
        assert "(RFC 8441) is offered" in d["verdict"]["summary"]
        assert d["verdict"]["proof"]["repeated"] >= 1
    else:
        assert heads[0][":method"] == "GET"
        assert "not offered" in d["verdict"]["summary"]
        assert "404" in evidence(d)


def test_http2_is_not_tried_where_http1_answers():
    with Peer(refuses(b"403 Forbidden")) as peer:
        doctor(peer.url())
    assert not any(r.startswith(b"PRI ") for r in peer.seen)


# ---- sessions ----

def engine(node, cookie=b""):
    """A node of engine.io that knows its own sessions alone."""
    mine = []

    def play(conn, request):
        line = request.split(b"\r\n")[0]
        sid = next((p[4:] for p in line.split(b" ")[1].split(b"&") if p.startswith(b"sid=")), None)
        if b"transport=polling" in line:
            mine.append(b"%s%d" % (node, len(mine)))
            body = b'0{"sid":"%s","upgrades":["websocket"],"pingInterval":25000}' % mine[-1]
            conn.sendall(answer(b"200 OK", body, [b"Set-Cookie: " + cookie] if cookie else ()))
        elif sid and sid not in mine:
            conn.sendall(answer(b"400 Bad Request", b'{"code":1,"message":"Session ID unknown"}'))
        else:
            opens(conn, request)
    return play


IO = "/socket.io/?EIO=4&transport=websocket"


def test_a_session_that_another_node_holds_is_found():
    with Turns(engine(b"a"), engine(b"b")) as peer:
        d = doctor(peer.url(IO), status=1)
    assert cause(d) == "server.sticky-session"
    assert "session" in evidence(d)


def test_a_session_of_one_node_goes_on():
    with Peer(engine(b"a")) as peer:
        d = doctor(peer.url(IO), status=0)
    assert cause(d) == "ok"


def test_the_cookie_of_the_session_goes_back_with_it():
    with Peer(engine(b"a", b"node=n7; Path=/; HttpOnly")) as peer:
        doctor("--cookie", "mine=1", peer.url(IO), status=0)
    taken = [r for r in peer.seen if b"sid=a" in r]
    assert taken and all(field(r, b"Cookie") == b"mine=1; node=n7" for r in taken)


def test_other_paths_are_asked_for_no_session():
    with Peer(opens) as peer:
        doctor("--hold", "0.1", peer.url("/chat"), status=0)
    assert not any(b"polling" in r for r in peer.seen)


# ---- servers that disagree ----

def test_a_change_that_opens_by_turns_is_no_proof():
    """One of two refuses whatever is asked; the Origin has no part in it."""
    with Turns(refuses(b"403 Forbidden"), opens) as peer:
        d = doctor("--origin", "https://a.example", peer.url())
    assert not d["verdict"]["proof"]
    assert cause(d) != "access.origin" or d["verdict"]["confidence"] < 0.6


def test_the_split_is_told():
    with Turns(refuses(b"502 Bad Gateway"), opens) as peer:
        d = doctor(peer.url())
    assert cause(d) == "server.backend-down"
    assert " times" in evidence(d)
    assert len(d["probes"]) <= 20


def test_the_split_is_told_beside_what_opens_each_time():
    """One of two has an old list of origins: the Origin is the cause."""
    def old(conn, request):
        play = refuses(b"403 Forbidden") if field(request, b"Origin") else opens
        play(conn, request)

    with Turns(old, opens) as peer:
        d = doctor("--origin", "https://a.example", peer.url(), status=1)
    assert cause(d) == "access.origin"
    assert d["verdict"]["proof"]["changed"] == "no Origin"
    assert " times" in evidence(d)


def test_a_server_that_recovers_meanwhile_is_no_proof_of_the_change_at_hand():
    """Whatever is asked, the first ones are refused and all later ones let in."""
    def play(conn, request):
        (opens if len(peer.seen) > early else refuses(b"403 Forbidden"))(conn, request)

    for early in (1, 2, 3, 4):
        with Peer(play) as peer:
            d = doctor("--origin", "https://a.example", peer.url())
        assert not d["verdict"]["proof"]
        assert d["verdict"]["confidence"] < 0.6


def test_a_refusal_after_an_open_door_is_not_overlooked():
    with Turns(opens, refuses(b"503 Service Unavailable")) as peer:
        d = doctor(peer.url(), status=1)
    assert d["outcome"] == "refused" and d["status"] == 503
    assert " times" in evidence(d)


def test_a_limit_that_is_met_along_the_way_ends_it():
    """The first three are answered, all later ones are told 503."""
    def play(conn, request):
        status = b"401 Unauthorized" if len(peer.seen) <= 3 else b"503 Service Unavailable"
        conn.sendall(answer(status, b"no\n"))

    with Peer(play) as peer:
        d = doctor("--origin", "https://a.example", peer.url(), status=1)
    assert len(peer.seen) <= 6
    assert "503" in d["stopped"]


# ---- the page ----

def page(body=b"<html>", fields=()):
    return refuses(b"200 OK", body, [b"Content-Type: text/html", *fields])


def test_the_origin_is_the_pages_and_no_credentials_go_there():
    with Peer(opens) as peer, Peer(page()) as site:
        doctor("--cookie", "session=s3cr3t", "--hold", "0.1",
               "--page", f"http://localhost:{site.port}/app?x=1", peer.url(), status=0)
    assert field(peer.seen[0], b"Origin") == b"http://localhost:%d" % site.port
    assert site.seen[0].startswith(b"GET /app?x=1 ")
    assert b"s3cr3t" not in b"".join(site.seen)


def test_an_origin_that_was_given_stays():
    with Peer(opens) as peer, Peer(page()) as site:
        doctor("--no-origin", "--hold", "0.1", "--page", site.url("/", "http"), peer.url())
    assert field(peer.seen[0], b"Origin") is None


@pytest.mark.parametrize("where", ["field", "second field", "meta"])
def test_the_policy_of_the_page_is_obeyed(where):
    policy = b"connect-src 'self' https://api.example"
    fields = {"field": [b"Content-Security-Policy: " + policy],
              "second field": [b"Content-Security-Policy: img-src *, " + policy],
              "meta": []}[where]
    body = (b"<html><META content=\"%s\" HTTP-EQUIV='content-security-policy'>" % policy
            if where == "meta" else b"<html>")
    with Peer(opens) as peer, Peer(page(body, fields)) as site:
        d = doctor("--hold", "0.1", "--page", site.url("/", "http"), peer.url(), status=1)
    assert cause(d) == "browser.csp"
    assert "connect-src" in evidence(d)


@pytest.mark.parametrize("option", ["--resolve", "--connect-to"])
def test_the_page_is_asked_where_the_option_sends_its_host(option):
    fields = [b"Content-Security-Policy: connect-src 'self'"]
    with Peer(opens) as peer, Peer(page(b"<html>", fields)) as site:
        name = f"page.invalid:{site.port}"
        to = "127.0.0.1" if option == "--resolve" else f"127.0.0.1:{site.port}"
        d = doctor("--hold", "0.1", option, f"{name}:{to}", "--page", f"http://{name}/",
                   peer.url(), status=1)
    assert cause(d) == "browser.csp"
    assert field(site.seen[0], b"Host").decode() == name


def test_a_policy_that_only_reports_forbids_nothing():
    fields = [b"Content-Security-Policy-Report-Only: connect-src 'none'"]
    with Peer(opens) as peer, Peer(page(b"<html>", fields)) as site:
        d = doctor("--hold", "0.1", "--page", site.url("/", "http"), peer.url(), status=0)
    assert cause(d) == "ok"


def test_mixed_content_is_told_even_when_the_page_cannot_be_read():
    with Peer(refuses(b"403 Forbidden")) as peer:
        d = doctor("--resolve", f"chat.example:{peer.port}:127.0.0.1", "--timeout", "1",
                   "--page", f"https://127.0.0.1:{free_port()}/",
                   f"ws://chat.example:{peer.port}/", status=1)
    assert cause(d) == "browser.mixed-content"


def test_this_machine_is_trusted_without_tls():
    with Peer(opens) as peer:
        d = doctor("--hold", "0.1", "--page", f"https://127.0.0.1:{free_port()}/",
                   f"ws://localhost:{peer.port}/", status=0)
    assert cause(d) == "ok"


@pytest.mark.parametrize("option, value", [
    ("--page", "example.org"), ("--page", "ws://example.org/"), ("--page", "https://"),
    ("--backend", "ftp://h/"), ("--backend", "")])
def test_what_is_no_url_is_told(option, value):
    run = subprocess.run([SESAME, "doctor", option, value, "ws://127.0.0.1:9/"],
                         capture_output=True, text=True, timeout=20, env=CLEAN)
    assert run.returncode == 2 and option in run.stderr


# ---- the backend ----

def test_the_backend_is_asked_with_both_hosts():
    def wants_public(conn, request):
        if field(request, b"Host") == public:
            return opens(conn, request)
        conn.sendall(answer(b"403 Forbidden"))

    with Peer(refuses(b"403 Forbidden")) as proxy, Peer(wants_public) as app:
        public = b"127.0.0.1:%d" % proxy.port
        d = doctor("--origin", f"http://127.0.0.1:{proxy.port}", "--cookie", "a=b",
                   "--backend", f"http://127.0.0.1:{app.port}", proxy.url("/live?x=1"))
    assert cause(d) == "server.proxy-host"
    assert [field(r, b"Host") for r in app.seen] == [public, b"127.0.0.1:%d" % app.port]
    assert all(r.startswith(b"GET /live?x=1 ") and field(r, b"Cookie") == b"a=b"
               for r in app.seen)


def test_a_backend_that_opens_accuses_the_proxy():
    with Peer(refuses(b"400 Bad Request")) as proxy, Peer(opens) as app:
        d = doctor("--backend", app.url("/"), proxy.url())
    assert cause(d) == "server.proxy-upgrade"
    assert "backend" in evidence(d)


# ---- configurations ----

APACHE = """
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
Listen 127.0.0.1:%d
ProxyPass /chat http://127.0.0.1:3000/chat
"""


def test_a_configuration_is_evidence_and_its_line_the_fix(tmp_path):
    with Peer(refuses(b"404 Not Found", b"", [b"Server: Apache/2.4.62"])) as peer:
        file = tmp_path / "site.conf"
        file.write_text(APACHE % peer.port)
        d = doctor("--config", str(file), peer.url())
    assert cause(d) == "server.proxy-upgrade"
    assert "site.conf:" in evidence(d)
    assert str(file) + ":" in d["verdict"]["fix"][0]["where"]


def test_a_file_that_cannot_be_read_is_wrong_usage(tmp_path):
    run = subprocess.run([SESAME, "doctor", "--config", str(tmp_path / "none"),
                          "ws://127.0.0.1:9/"], capture_output=True, text=True, timeout=20,
                         env=CLEAN)
    assert run.returncode == 2 and "none" in run.stderr and run.stdout == ""


# ---- CORS ----

def test_an_origin_that_cors_names_is_tried():
    def cors(conn, request):
        origin = field(request, b"Origin")
        if request.startswith(b"OPTIONS "):
            conn.sendall(answer(b"204 No Content", b"",
                                [b"Access-Control-Allow-Origin: https://app.example"]))
        elif origin == b"https://app.example" and b"Upgrade" in request:
            opens(conn, request)
        else:
            conn.sendall(answer(b"403 Forbidden"))

    with Peer(cors) as peer:
        d = doctor("--origin", "https://foreign.example", peer.url())
    asked = next(r for r in peer.seen if r.startswith(b"OPTIONS "))
    assert field(asked, b"Origin") == b"https://foreign.example"
    assert field(asked, b"Access-Control-Request-Method") == b"GET"
    assert cause(d) == "access.origin"
    assert d["verdict"]["proof"]["changed"] == "Origin: https://app.example"


def test_the_path_that_works_is_named_where_any_name_below_opens():
    def play(conn, request):
        path = request.split(b" ")[1]
        (opens if path.startswith(b"/ws/") else refuses(b"404 Not Found"))(conn, request)

    with Peer(play) as peer:
        d = doctor("--works", peer.url("/ws/chat"), peer.url("/wss/chat"), status=1)
    assert cause(d) == "url.path"
    told = d["verdict"]["summary"] + d["verdict"]["fix"][0]["what"]
    assert "/ws/chat" in json.dumps(d["verdict"]) and "any name" not in told and "NAME" not in told
