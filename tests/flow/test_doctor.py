# SPDX-License-Identifier: MIT
"""`sesame doctor` against peers that misbehave in one way each."""
import json
import os
import pathlib
import re
import signal
import socket
import socketserver
import subprocess
import threading
import time

import jsonschema
import pytest

from ports import free_port
from doctor_peers import (Peer, accept, answer, close_frame, field, resets,
                          says, unmask)

SESAME = os.environ.get("SESAME", "build/sesame")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "tests/contracts/diagnosis.schema.json").read_text())
CAUSES = {line.split("\t")[0] for line in
          (ROOT / "tests/contracts/causes.tsv").read_text().splitlines()[1:]}
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}


def run(*args, env=None):
    return subprocess.run([SESAME, "doctor", *args], capture_output=True,
                          text=True, timeout=60, env={**CLEAN, **(env or {})})


def diagnose(*args, env=None):
    """The diagnosis, which is valid against the contract, and the status."""
    done = run("--json", *args, env=env)
    assert done.stderr == ""
    diagnosis = json.loads(done.stdout)
    jsonschema.validate(diagnosis, SCHEMA,
                        cls=jsonschema.Draft202012Validator)
    assert diagnosis["verdict"]["cause"] in CAUSES
    assert [p["n"] for p in diagnosis["probes"]] == \
        list(range(1, len(diagnosis["probes"]) + 1))
    return diagnosis, done.returncode


# what the play does, outcome, status, what the first probe saw
ENDS = {
    "403": (says(answer(b"403 Forbidden", b"no\n")),
            "refused", 403, r"403 Forbidden"),
    "no headers": (says(b"HTTP/1.1 403 Forbidden\r\n\r\n"),
                   "refused", 403, r"403 Forbidden"),
    "answers and hangs": (says(b"HTTP/1.1 401 Unauthorized\r\n\r\nwait",
                               linger=10), "refused", 401, r"401 "),
    "head in pieces": (says(b"HTT", b"P/1.1 404 Not", b" Found\r", b"\n\r\n",
                            pause=0.05), "refused", 404, r"404 Not Found"),
    "head cut": (says(b"HTTP/1.1 500 Oops\r\nServer: x\r\n"),
                 "refused", 500, r"500 Oops"),
    "bare line feeds": (says(b"HTTP/1.1 400 Bad\nX: y\n\nbody"),
                        "refused", 400, r"400 Bad"),
    "100 first": (says(b"HTTP/1.1 100 Continue\r\n\r\n",
                       answer(b"403 Forbidden")),
                  "refused", 403, r"403 Forbidden"),
    "redirect": (says(answer(b"301 Moved Permanently", b"",
                             [b"Location: /chat/?token=sEcr3tvalue"])),
                 "refused", 301, r"301 Moved Permanently to /chat/\?token=\*"),
    "close 4004": (says(accept, close_frame(4004, b"no such room"),
                        linger=0.3),
                   "refused", 101, r"101, then close 4004 \(no such room\)"),
    "cut": (says(accept, pause=0.2), "broken", 101, r"101, then cut after 0\."),
    "broken frame": (says(accept, b"\xf3\x00", linger=0.3),
                     "broken", 101, r"101, then a broken frame"),
    "bad accept": (says(b"HTTP/1.1 101 Switching Protocols\r\n"
                        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="
                        b"\r\n\r\n", linger=0.2),
                   "broken", 101, r"invalid 101"),
    "reset": (resets, "unreachable", None, r"reset"),
    "closed": (says(), "unreachable", None, r"closed without an answer"),
    "mute": (says(linger=20), "unreachable", None, r"silence for 1 s"),
    "long head": (says(b"HTTP/1.1 403 No\r\nX: " + b"y" * 30000 +
                       b"\r\n\r\n"), "refused", 403, r"403 No"),
    "endless head": (says(b"HTTP/1.1 403 No\r\n", *[b"X: " + b"y" * 9000 +
                                                    b"\r\n"] * 40),
                     "unreachable", None, r"broken HTTP: "),
    "endless 100s": (says(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 100,
                          pause=0.02),
                     "unreachable", None,
                     r"only 32 interim answers \(100 Continue\), and no final one"),
    "100 alone": (says(b"HTTP/1.1 100 Continue\r\n\r\n", linger=20), "unreachable", None,
                  r"only 1 interim answer \(100 Continue\), and no final one"),
    "not HTTP": (says(b"-ERR unknown command\r\n"),
                 "unreachable", None, r'not HTTP: "-ERR unknown'),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_of_a_handshake_is_told_apart(name):
    play, outcome, status, result = ENDS[name]
    with Peer(play) as peer:
        diagnosis, code = diagnose("--timeout", "1", "--max-probes", "3",
                                   peer.url())
    assert re.search(result, diagnosis["probes"][0]["result"])
    assert diagnosis["probes"][0]["changed"] == "nothing"
    assert diagnosis["status"] == status
    assert diagnosis["outcome"] == outcome
    assert code == (3 if diagnosis["verdict"]["confidence"] < 0.25 else 1)


def test_a_refused_port():
    diagnosis, code = diagnose(f"ws://127.0.0.1:{free_port()}/")
    assert diagnosis["probes"][0]["result"] == "connection refused"
    assert diagnosis["outcome"] == "unreachable"
    assert diagnosis["status"] is None
    assert code == 1


def test_a_name_that_does_not_resolve():
    diagnosis, code = diagnose("ws://nothing.invalid/")
    assert diagnosis["probes"][0]["result"] in (
        "the name does not exist",
        "the resolver did not answer")  # where there is none
    assert code == 1


def test_an_open_door():
    def play(conn, request):
        conn.sendall(accept(request) + b"\x81\x05hello")
        peer.read_rest(conn)

    with Peer(play) as peer:
        diagnosis, code = diagnose(peer.url())
        time.sleep(0.2)
        assert code == 0
        assert diagnosis["outcome"] == "open"
        assert diagnosis["verdict"]["cause"] == "ok"
        assert len(diagnosis["probes"]) <= 2
        # it sends nothing but a polite good-bye
        assert unmask(peer.after[0]) == (8, b"\x03\xe8")
        assert len(peer.after[0]) == 8


def test_a_flood_of_pings_is_borne():
    flood = [b"\x89\x7d" + b"p" * 125] * 4000
    with Peer(says(accept, *flood, linger=2)) as peer:
        diagnosis, code = diagnose("--hold", "0.5", peer.url())
    assert diagnosis["probes"][0]["result"] == "101"
    assert code == 0


def test_a_chunked_body_is_read_and_ends_the_wait():
    play = says(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"6\r\nOrigin\r\n", b"c\r\n not allowed\r\n", b"0\r\n\r\n",
                pause=0.02, linger=5)
    with Peer(play) as peer:
        began = time.monotonic()
        done = run("--verbose", "--max-probes", "1", peer.url())
        assert time.monotonic() - began < 0.9
    assert "< Origin not allowed\n" in done.stdout


def test_an_announced_body_is_not_waited_for_longer_than_it_is():
    with Peer(says(answer(b"403 Forbidden", b"no\n"), linger=5)) as peer:
        began = time.monotonic()
        run("--max-probes", "1", peer.url())
        assert time.monotonic() - began < 0.9


def test_an_answer_that_never_ends_is_not_waited_for():
    with Peer(says(b"HTTP/1.1 403 Forbidden\r\n\r\nwait", linger=10)) as peer:
        began = time.monotonic()
        done = run("-v", "--max-probes", "1", peer.url())
        assert time.monotonic() - began < 2.5
    assert "< wait\n" in done.stdout


def test_a_held_connection_that_is_cut_shows_when():
    def play(conn, request):
        conn.sendall(accept(request))
        time.sleep(1.0)

    with Peer(play) as peer:
        short, _ = diagnose("--max-probes", "1", peer.url())
        assert short["outcome"] == "open"
        held, code = diagnose("--hold", "3", "--max-probes", "1", peer.url())
    assert re.fullmatch(r"101, then cut after (0\.9|1\.[0-3]) s",
                        held["probes"][0]["result"])
    assert code in (1, 3)


SECRETS = ["hunter22", "tok-4711", "c00kie-value", "bearer-abc", "k3y-value",
           "YW5uOmh1bnRlcjIy"]


def secretive(peer):
    return ["-b", "sid=c00kie-value", "-H", "X-Api-Key: k3y-value",
            "--subprotocol", "eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            peer.url("/chat?token=tok-4711", userinfo="ann:hunter22@")]


@pytest.mark.parametrize("form", ["--json", "--verbose", "--quiet"])
def test_no_secret_leaves_in_any_report(form):
    def play(conn, request):
        # a server that quotes everything it was sent, in head and body
        target = request.split(b" ")[1]
        quoted = b"; ".join(request.split(b"\r\n")[:-2])
        conn.sendall(answer(b"403 Bad " + target, quoted + b" hunter22",
                            [b"X-Echo: " + quoted,
                             b"Set-Cookie: fresh=s3cret-of-the-server",
                             b"Location: /login?ticket=tick3t"]))

    with Peer(play) as peer:
        done = run(form, *secretive(peer))
        assert any(b"c00kie-value" in r for r in peer.seen)
        assert any(b"YW5uOmh1bnRlcjIy" in r for r in peer.seen)
    told = done.stdout + done.stderr
    for secret in [*SECRETS, "eyJhbGci", "s3cret-of-the-server", "tick3t"]:
        if form == "--verbose" or secret in SECRETS:
            assert secret not in told, secret
    assert form == "--quiet" or "***" in told


def run_on_terminal(*args):
    """What is shown on a terminal while the doctor works."""
    ours, theirs = os.openpty()
    with subprocess.Popen([SESAME, "doctor", *args], stderr=theirs,
                          stdout=subprocess.DEVNULL, env=CLEAN) as doctor:
        os.close(theirs)
        told = b""
        try:
            while more := os.read(ours, 4096):
                told += more
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        doctor.wait(60)
    return told.decode()


def test_what_is_told_meanwhile_holds_no_secret():
    secret = b"SuperSecretValue"
    refusals = [answer(b"403 Bad token " + secret),
                answer(b"403 " + b"x" * 68 + b" " + secret),
                lambda request: accept(request) + close_frame(
                    4001, b"y" * 90 + b" bad token " + secret)]
    for refusal in refusals:
        def play(conn, request):
            conn.sendall(refusal(request) if callable(refusal) else refusal)

        with Peer(play) as peer:
            said = run_on_terminal("-H", "X-Token: " + secret.decode(),
                                   peer.url())
            done = run("--verbose", "-H", "X-Token: " + secret.decode(),
                       peer.url())
        assert "handshake 1 of at most 20: as asked" in said
        assert said.split("\r")[-2].strip() == ""  # and it is gone
        assert "Sup" not in said and "Sup" not in done.stdout


def test_only_what_was_given_is_said_to_be_withheld():
    with Peer(says(answer(b"404 Not Found"))) as peer:
        assert "without your credentials" not in \
            run("--verbose", peer.url("/chat")).stdout
        assert "without your credentials" in \
            run("--verbose", "-b", "sid=c00kie", peer.url("/chat")).stdout


def test_credentials_stay_with_the_place_they_are_for():
    with Peer(says(answer(b"404 Not Found"))) as peer:
        diagnose(*secretive(peer))
        for request in peer.seen:
            path = request.split(b" ")[1].split(b"?")[0]
            host = field(request, b"Host")
            if path == b"/chat" and host.split(b":")[0] in (
                    b"127.0.0.1", b"localhost"):
                continue  # one and the same program
            for secret in SECRETS:
                assert secret.encode() not in request, request


@pytest.mark.parametrize("target", [b"/chat/", b"/evil/chat", b"/login"])
def test_credentials_do_not_follow_a_redirect(target):
    with Peer(says(answer(b"302 Found", b"", [b"Location: " + target]))) as peer:
        diagnose(*secretive(peer))
        assert len(peer.seen) > 1
        for request in peer.seen:
            if request.split(b" ")[1].split(b"?")[0] != b"/chat":
                for secret in SECRETS:
                    assert secret.encode() not in request, request


@pytest.mark.parametrize("refusal", [
    answer(b"429 Too Many Requests"),
    answer(b"503 Service Unavailable", b"", [b"Retry-After: 30"]),
    answer(b"403 Forbidden", b"", [b"Retry-After: 30"]),
    answer(b"302 Found", b"", [b"Location: /later", b"Retry-After: 30"]),
    answer(b"403 Forbidden", b"", [b"cf-mitigated: challenge"]),
    answer(b"405 Not Allowed", b"", [b"x-amzn-waf-action: captcha"]),
    answer(b"403 Forbidden", b"<script src='/cdn-cgi/challenge-platform/x.js'>"),
])
def test_it_stops_when_asked_to(refusal):
    with Peer(says(refusal)) as peer:
        diagnosis, _ = diagnose(peer.url())
        assert len(peer.seen) == 1
    assert len(diagnosis["probes"]) == 1
    with Peer(says(refusal)) as peer:
        assert "No more was tried" in run(peer.url()).stdout


def test_a_429_that_counts_nothing_is_asked_about_once():
    came = []

    def play(conn, _request):
        came.append(time.monotonic())
        conn.sendall(answer(b"429 Too Many Requests"))

    with Peer(play) as peer:
        diagnosis, _ = diagnose("--user-agent", "Feed/2.0", peer.url())
        agents = [field(request, b"User-Agent") for request in peer.seen]
    assert agents[0] == b"Feed/2.0" and agents[1].startswith(b"Mozilla/")
    assert len(agents) == 2 and came[1] - came[0] >= 1
    assert diagnosis["verdict"]["cause"] == "access.rate" and "429" in diagnosis["stopped"]


def test_a_429_that_counts_is_obeyed():
    refusal = answer(b"429 Too Many Requests", b"", [b"Retry-After: 1"])
    with Peer(says(refusal)) as peer:
        diagnose("--user-agent", "Feed/2.0", peer.url())
        assert len(peer.seen) == 1


def test_the_budget_is_kept():
    for budget in (1, 2, 5):
        with Peer(says(answer(b"403 Forbidden"))) as peer:
            diagnosis, _ = diagnose("--max-probes", str(budget), peer.url())
            assert len(peer.seen) <= budget
            assert len(diagnosis["probes"]) == len(peer.seen)
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        diagnose(peer.url())
        assert len(peer.seen) <= 20


def test_one_handshake_at_a_time():
    busy = []

    def play(conn, _request):
        busy.append(1)
        overlapping = len(busy) > 1
        time.sleep(0.05)
        busy.pop()
        conn.sendall(answer(b"500 Overlap" if overlapping else b"403 No"))

    with Peer(play) as peer:
        diagnosis, _ = diagnose(peer.url())
    assert not any("500" in p["result"] for p in diagnosis["probes"])


def test_the_request_is_the_users_own():
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        run("--origin", "https://app.example", "-A", "Thing/1", "-H",
            "X-Colour: blue", "-H", "Host: inner", "--subprotocol", "a,b",
            "-b", "s=1", "--max-probes", "1", peer.url("/chat?x=1"))
        request = peer.seen[0]
    assert request.startswith(b"GET /chat?x=1 HTTP/1.1\r\n")
    for name, value in [(b"Origin", b"https://app.example"),
                        (b"User-Agent", b"Thing/1"), (b"X-Colour", b"blue"),
                        (b"Host", b"inner"), (b"Cookie", b"s=1"),
                        (b"Sec-WebSocket-Protocol", b"a, b"),
                        (b"Sec-WebSocket-Version", b"13"),
                        (b"Upgrade", b"websocket")]:
        assert field(request, name) == value
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        run("--max-probes", "1", peer.url())
        assert field(peer.seen[0], b"Origin") is None
        assert re.fullmatch(rb"sesame/[0-9.]+ \(doctor\)",
                            field(peer.seen[0], b"User-Agent"))


def test_the_ways_to_the_server():
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        run("--resolve", f"far.example:{peer.port}:127.0.0.1",
            "--max-probes", "1", f"ws://far.example:{peer.port}/")
        run("--connect-to", f"far.example:80:127.0.0.1:{peer.port}",
            "--max-probes", "1", "ws://far.example/")
        hosts = [field(r, b"Host") for r in peer.seen]
    assert hosts == [b"far.example:%d" % peer.port, b"far.example"]


def test_the_source_address_is_used():
    peers = []

    def play(conn, _request):
        peers.append(conn.getpeername()[0])
        conn.sendall(answer(b"403 Forbidden"))

    with Peer(play) as peer:
        run("--source", "127.0.0.9", "--max-probes", "1", peer.url())
    assert peers == ["127.0.0.9"]


def families(name):
    return {a[0] for a in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}


def test_a_name_of_the_other_family_is_no_unknown_name():
    name = socket.gethostname()
    try:
        if families(name) != {socket.AF_INET}:
            pytest.skip("this machine's name has not only IPv4 addresses")
    except socket.gaierror:
        pytest.skip("this machine's name has no address")
    diagnosis, status = diagnose("-6", f"ws://{name}:{free_port()}/")
    assert status == 1
    assert diagnosis["verdict"]["cause"] == "net.address-family"
    assert "has no IPv6 address, but " in diagnosis["verdict"]["summary"]


def test_an_address_that_is_refused_is_told_by_the_one_of_the_system():
    def play(conn, request):
        own = conn.getpeername()[0] == "127.0.0.1"
        conn.sendall(accept(request) if own else answer(b"403 Forbidden"))
        conn.recv(64)

    with Peer(play) as peer:
        diagnosis, _ = diagnose("--source", "127.0.0.9", peer.url())
    assert diagnosis["verdict"]["cause"] == "access.ip"
    assert diagnosis["verdict"]["confidence"] > 0.9


def test_a_firewall_is_told_by_the_query():
    def play(conn, request):
        bad = b"../" in request.split(b" ")[1]
        conn.sendall(answer(b"403 Forbidden") if bad else accept(request))
        conn.recv(64)

    with Peer(play) as peer:
        diagnosis, _ = diagnose(peer.url("/chat?file=../a"))
    assert diagnosis["verdict"]["cause"] == "access.waf"
    assert not any(b"../" in r for r in peer.seen if b"no-such-path" in r)


def test_a_field_that_is_too_long_is_cut_short_and_no_secret_is_guessed():
    def play(conn, request):
        long = len(field(request, b"Cookie") or b"") > 1000
        conn.sendall(answer(b"400 Bad Request") if long else accept(request))
        conn.recv(64)

    with Peer(play) as peer:
        diagnosis, _ = diagnose("-b", "sid=" + 5000 * "s", peer.url())
        cookies = {field(r, b"Cookie") for r in peer.seen}
    assert diagnosis["verdict"]["cause"] == "client.headers-too-large"
    assert diagnosis["verdict"]["confidence"] > 0.9
    assert cookies <= {None, b"sid=x", b"sid=" + 5000 * b"s"}


def test_subprotocols_are_offered_one_by_one_to_who_takes_the_first():
    def play(conn, request):
        offered = (field(request, b"Sec-WebSocket-Protocol") or b"").split(b",")
        head = accept(request)
        if offered[0]:
            head = head[:-2] + b"Sec-WebSocket-Protocol: " + offered[0] + b"\r\n\r\n"
        conn.sendall(head)
        if offered[0] != b"graphql-ws":
            conn.sendall(close_frame(1002))
        conn.recv(64)

    with Peer(play) as peer:
        diagnosis, _ = diagnose(peer.url("/live"))
    assert diagnosis["verdict"]["cause"] == "server.subprotocol"
    assert diagnosis["verdict"]["confidence"] > 0.9


def test_a_proxy_from_the_environment_is_used_unless_excepted():
    with Peer(says(answer(b"407 Proxy Authentication Required"))) as proxy:
        env = {"http_proxy": f"http://bob:pr0xypass@127.0.0.1:{proxy.port}"}
        diagnosis, code = diagnose("--max-probes", "1",
                                   "ws://far.example:81/", env=env)
        assert proxy.seen[0].startswith(b"CONNECT far.example:81 HTTP/1.1\r\n")
        assert diagnosis["probes"][0]["result"].startswith("407 ")
        assert "pr0xypass" not in json.dumps(diagnosis)
        assert "pr0xypass" not in run("-v", "ws://far.example:81/",
                                      env=env).stdout
        proxy.seen.clear()
        run(f"ws://127.0.0.1:{free_port()}/",
            env={**env, "no_proxy": "127.0.0.0/8"})
        run("--no-proxy", f"ws://127.0.0.1:{free_port()}/", env=env)
        assert proxy.seen == []


@pytest.mark.parametrize("user, summary, first", [
    ("", "asks for a user name", "Give the proxy's user name"),
    ("bob:pr0xypass@", "refuses the user name and password that it is given",
     "those that are there are refused")])
def test_a_proxy_that_refuses_a_password_is_not_one_that_asks_for_it(user, summary, first):
    with Peer(says(answer(b"407 Proxy Authentication Required"))) as proxy:
        diagnosis, code = diagnose("--proxy", f"http://{user}127.0.0.1:{proxy.port}",
                                   "ws://far.example:81/")
    verdict = diagnosis["verdict"]
    assert code == 1 and verdict["cause"] == "net.proxy-auth"
    assert summary in verdict["summary"] and first in verdict["fix"][0]["what"]


@pytest.mark.parametrize("value", ["http://[bad", "http://:", "http://x:99999", "x:y"])
@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_a_proxy_that_cannot_be_read_is_wrong_usage_of_its_variable(variable, value):
    done = run("ws://h.example/", env={variable: value})
    assert done.returncode == 2 and variable + ": the proxy" in done.stderr


def test_a_socks_proxy_that_fails_for_a_name_that_nobody_knows():
    class GeneralFailure(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(300)
            self.request.sendall(b"\5\0")
            self.request.recv(300)
            self.request.sendall(b"\5\1\0\1" + bytes(6))
            self.request.recv(64)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), GeneralFailure) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        diagnosis, _ = diagnose("--proxy", "socks5h://127.0.0.1:%d" % proxy.server_address[1],
                                "ws://no-such.invalid/")
        proxy.shutdown()
    assert diagnosis["verdict"]["cause"] == "net.dns"


@pytest.mark.parametrize("variable", [None, "http_proxy", "all_proxy"])
def test_a_proxy_that_is_not_there_is_named_and_where_it_comes_from(variable):
    proxy = f"http://127.0.0.1:{free_port()}"
    option = [] if variable else ["--proxy", proxy]
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        done = run(*option, peer.url("/"),
                   env={variable: proxy} if variable else None)
    words = " ".join(done.stdout.split())
    source = f"from the environment variable {variable}" if variable \
        else "given by --proxy"
    assert "✗ net.refused" in words
    assert f"The forward proxy {proxy}, {source}, cannot be reached: " \
        "connection refused." in words
    assert "--no-proxy" in words
    if variable:
        assert f"unset {variable}" in words
        assert 'export no_proxy="$no_proxy,127.0.0.1"' in words


def test_a_url_with_a_fault_is_a_diagnosis_without_a_handshake():
    diagnosis, code = diagnose("wss:/example.org/chat")
    assert diagnosis["probes"] == []
    assert diagnosis["status"] is None
    assert diagnosis["verdict"]["category"] == "url"
    assert code == 1


def test_what_was_typed_wrong_is_told_without_its_secrets():
    def typed(*words):
        done = subprocess.run([SESAME, *words], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 2
        return done.stderr

    for command in ("doctor", "connect"):
        told = typed(command, "ws://h/",
                     "ws://ann:hunter22@g/\x1b[2J?token=t0ken")
        assert "one URL, please; what is 'ws://ann:***@g/\\x1b[2J?token=***'?" \
            in told
        assert "hunter22" not in told and "t0ken" not in told
        assert typed(command, "--orgin=t0ken", "ws://h/") == (
            f"sesame {command}: there is no option --orgin; did you mean "
            f"--origin?\n`sesame {command} --help` lists them.\n")


def test_wrong_usage_is_2():
    for args in ([], ["--frob", "ws://h/"], ["ws://h/", "ws://g/"],
                 ["--cacert", "/nowhere.pem", "wss://h/"]):
        done = run(*args)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("sesame doctor: ")


def test_help_names_every_option():
    done = run("--help")
    assert done.returncode == 0
    rows = re.findall(r'^OPTION\("([a-z0-9-]+)"',
                      (ROOT / "src/doctor/options.def").read_text(), re.M)
    page = (ROOT / "docs/doctor.md").read_text()
    assert len(rows) > 20
    for name in rows:
        assert f"--{name}" in done.stdout
        assert f"`--{name}" in page, f"docs/doctor.md lacks --{name}"


def test_quiet_is_one_line_and_colour_only_when_wanted():
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        done = run("--quiet", peer.url())
        assert done.stdout.count("\n") == 1
        assert "\x1b" not in run(peer.url()).stdout
        forced = run(peer.url(), env={"CLICOLOR_FORCE": "1"}).stdout
        assert "\x1b[" in forced
        plain = re.sub(r"\x1b\[[0-9;]*m", "", forced)
        assert "✗" in plain or "no verdict" in plain


def test_what_a_server_sends_cannot_drive_the_terminal():
    evil = b"\x1b]0;owned\x07\x1b[2J"
    play = says(b"HTTP/1.1 403 " + evil + b"\r\nServer: " + evil +
                b"\r\nX: " + evil + b"\r\n\r\n" + evil)
    with Peer(play) as peer:
        for form in ("--verbose", "--quiet", "--json"):
            out = run(form, peer.url()).stdout
            assert "\x1b" not in out and "\x07" not in out


def interrupt(*options):
    """What the doctor says of a peer that has not answered yet."""
    with Peer(says(linger=30)) as peer:
        child = subprocess.Popen([SESAME, "doctor", "--timeout", "20", *options,
                                  peer.url()], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=CLEAN)
        while not peer.seen:
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=5)
    assert child.returncode == 130
    assert err == ""
    return out


def test_before_the_first_answer_an_interruption_says_that_nothing_is_known(tmp_path):
    page = tmp_path / "page.html"
    for out in (interrupt(), interrupt("--quiet"), interrupt("--html", str(page)),
                page.read_text()):
        assert "no verdict" in out and "Nothing is known yet" in out
        assert "interrupted" in out
        for word in ("likeliest", "door is open", "explain ok", "be something else"):
            assert word not in out
    diagnosis = json.loads(interrupt("--json"))
    assert diagnosis["verdict"]["confidence"] == 0 and diagnosis["alternatives"] == []
    assert diagnosis["verdict"]["summary"].startswith("Nothing is known yet")


def test_an_origin_that_no_browser_sends_is_told_and_sent():
    port = free_port()
    for wrong in ("https://app.example/", "app.example"):
        said = run("--origin", wrong, "--max-probes", "1", "ws://127.0.0.1:%d/" % port).stderr
        assert "no browser sends the Origin %s:" % wrong in said
    for right in ("https://app.example", "null", "http://[::1]:8080"):
        assert run("--origin", right, "--max-probes", "1", "ws://127.0.0.1:%d/" % port).stderr == ""


def test_the_default_report_quotes_the_message_that_refuses():
    text = b'{"error":"unauthorized for \\u001b[31m K7x9Qz2m","a":"\x1b[31m"}'

    def play(conn, request):
        conn.sendall(accept(request) + bytes([0x81, len(text)]) + text +
                     close_frame(1008, b"go away"))
        conn.recv(64)

    with Peer(play) as peer:
        done = run(peer.url("/chat?token=K7x9Qz2m"))
    assert "✗ access.credentials" in done.stdout
    flat = " ".join(done.stdout.split())
    assert 'told "{"error":"unauthorized for' in flat
    assert "then close 1008 (go away)" in flat
    assert "K7x9Qz2m" not in done.stdout and "\x1b[31m" not in done.stdout


# the proxy's scheme, what listens there, what is said of it, what to try
OTHER_KINDS = {
    "https, no TLS": ("https", b"HTTP/1.1 400 Bad Request\r\n\r\n", "it speaks no TLS", "http"),
    "https, SOCKS": ("https", b"\x05\xff", "it answers TLS as a SOCKS proxy does", "socks5"),
    "socks5, HTTP": ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n",
                     "it does not speak SOCKS 5", "http"),
    "http, SOCKS": ("http", b"\x05\xff", "it answers as a SOCKS proxy does", "socks5"),
    "http, a web server": ("http", b"HTTP/1.1 501 Unsupported method\r\n\r\n",
                           "a web server and no forward proxy", None),
    "http, SSH": ("http", b"SSH-2.0-OpenSSH_9.2\r\n", "it speaks no HTTP, and says", None),
}


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_a_proxy_of_another_kind_is_told_as_that(name):
    scheme, text, says_of_it, instead = OTHER_KINDS[name]
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]

    def serve():
        while True:
            try:
                conn, _ = sock.accept()
                conn.recv(4096)
                conn.sendall(text)
                conn.close()
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    diagnosis, status = diagnose("-x", f"{scheme}://127.0.0.1:{port}", "ws://chat.example/")
    sock.close()
    verdict = diagnosis["verdict"]
    assert (verdict["cause"], verdict["who"], status) == ("net.proxy-denied", "client", 1)
    assert says_of_it in verdict["summary"]
    assert (f"Try {instead}://127.0.0.1:{port}." in verdict["summary"]) == bool(instead)
    assert "refuses to connect" not in verdict["summary"]


def test_a_proxy_that_refuses_is_still_one_that_refuses():
    refusal = answer(b"405 Method Not Allowed", b"", [b"Via: 1.1 gate.example"])
    with Peer(says(refusal)) as peer:
        diagnosis, _ = diagnose("-x", f"http://127.0.0.1:{peer.port}", "ws://chat.example/")
    assert "refuses to connect to chat.example" in diagnosis["verdict"]["summary"]
