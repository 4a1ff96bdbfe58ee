# SPDX-License-Identifier: MIT
"""Requests that were copied out of a browser, and pairs of which one works,
examined on real servers: node's ws, alone and behind nginx."""
import base64
import contextlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import textwrap
import time

import pytest

from doctor_peers import Peer, accept, answer, field, says
from held import sanitized

SESAME = os.environ["SESAME"]
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
NODE = {**CLEAN, "NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
ORIGIN, FOREIGN = "https://app.example", "https://evil.example"

# Opens for those that bring what RULES asks for; tells every head it sees.
SERVER = """
    const {WebSocketServer} = require('ws');
    const rules = JSON.parse(process.argv[1]);
    const fits = (request) => Object.entries(rules).every(([name, part]) =>
        (name === 'path' ? request.url : request.headers[name] || '').includes(part));
    const server = new WebSocketServer({
        port: 0, host: '127.0.0.1',
        verifyClient: ({req}, done) => {
            console.log(JSON.stringify(req.rawHeaders));
            done(fits(req), rules.cookie ? 401 : 403);
        }});
    server.on('listening', () => console.log(server.address().port));
"""


class Server:
    def __init__(self, process):
        self.process = process
        self.port = int(process.stdout.readline())

    def heads(self):
        """The heads that came so far; the server ends."""
        self.process.terminate()
        rows = [json.loads(line) for line in self.process.stdout.read().splitlines()]
        return [list(zip(r[::2], r[1::2])) for r in rows]


@contextlib.contextmanager
def node_server(**rules):
    found = shutil.which("node") and subprocess.run(
        ["node", "-e", "require('ws')"], env=NODE, capture_output=True).returncode == 0
    if not found:
        pytest.skip("needs node and ws (node-ws)")
    process = subprocess.Popen(["node", "-e", textwrap.dedent(SERVER), json.dumps(rules)],
                               env=NODE, stdout=subprocess.PIPE, text=True)
    try:
        yield Server(process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def run(*args, stdin=None, limit=None):
    def limits():
        if limit and not sanitized(SESAME):  # which reserves terabytes
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run([SESAME, "doctor", *args], capture_output=True, text=True,
                          input=stdin, timeout=120, env=CLEAN, preexec_fn=limits)


def diagnose(*args, **more):
    done = run("--json", *args, **more)
    assert done.stderr == "", done.stderr
    return json.loads(done.stdout)


# ---- as browsers quote ----

def for_bash(text):
    if re.search(r"[\0-\x1f\x7f-\x9f!]|'", text):
        def code(c):
            return {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}.get(c) or (
                "\\u%04x" % ord(c) if c == "!" or ord(c) < 32 or ord(c) > 126 else c)
        return "$'" + "".join(code(c) for c in text) + "'"
    return "'" + text + "'"


def for_cmd(text):
    text = re.sub(r'(\\*)"', r'\1\1\\"', text)
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", lambda m: "^" + m[0], text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return '^"' + text + '^"'


def for_power(text):
    return "'" + text.replace("'", "''") + "'"


SHELLS = {"bash": ("curl", for_bash, " \\\n  "), "cmd": ("curl", for_cmd, " ^\r\n  "),
          "powershell": ("curl.exe", for_power, " `\r\n  ")}


def copied(shell, url, fields, **options):
    name, quote, glue = SHELLS[shell]
    words = ["%s %s" % (name, quote(url))]
    words += ["-H %s" % quote("%s: %s" % f) for f in fields]
    words += ["--%s %s" % (k, quote(v)) for k, v in options.items()]
    return glue.join(words)


def browser_fields(origin, cookie=None):
    fields = [("Upgrade", "websocket"), ("Origin", origin), ("Cache-Control", "no-cache"),
              ("Accept-Language", "de-DE,de;q=0.9"), ("Pragma", "no-cache"),
              ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
              ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0"),
              ("Sec-WebSocket-Version", "13"),
              ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]
    return fields + ([("Cookie", cookie)] if cookie else [])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_copied_command_is_diagnosed_as_the_page_was_refused(shell):
    with node_server(origin=ORIGIN) as server:
        found = diagnose("--curl", copied(shell, "http://127.0.0.1:%d/chat?a=1&b=%%20c" % server.port,
                                          browser_fields(FOREIGN)))
        heads = server.heads()
    assert found["verdict"]["cause"] == "access.origin"
    assert found["target"]["origin"] == FOREIGN
    first = dict(heads[0])
    assert first["User-Agent"].startswith("Mozilla/5.0 (X11")
    assert first["Accept-Language"] == "de-DE,de;q=0.9"
    assert first["Sec-WebSocket-Key"] != "dGhlIHNhbXBsZSBub25jZQ=="
    assert len({k.lower() for k, _ in heads[0]}) == len(heads[0]), "no field twice"


@pytest.mark.parametrize("shell", SHELLS)
def test_what_browsers_quote_arrives_as_it_was(shell):
    odd = "it's \"q\" \\ %41 ^ & | $x `y` <z> é; (a) *? ~ #!"
    with node_server(origin="nobody") as server:
        run("--max-probes", "1", "--curl",
            copied(shell, "ws://127.0.0.1:%d/" % server.port, [("X-Odd", odd)]))
        heads = server.heads()
    assert dict(heads[0])["X-Odd"].encode("latin-1").decode() == odd


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="needs curl")
def test_the_request_is_the_one_that_curl_itself_makes():
    """The very text, once run by bash and once read by the doctor."""
    def asked(program):
        with node_server(origin="nobody") as server:
            text = copied("bash", "http://127.0.0.1:%d/a?b=c" % server.port,
                          browser_fields(ORIGIN, "a=1; b=it's!") + [("X-Odd", "é 'q' \\ \"!")],
                          user="ann:secret", referer="http://r.example/")
            text += " -s --max-time 5 -H 'X-Empty;' -H \"X-Two: \\\"2\\\"\" -H 'Accept:'"
            if program == "curl":
                subprocess.run(["bash", "-c", text], capture_output=True, timeout=20, check=False)
            else:
                run("--max-probes", "1", "--curl", text)
            time.sleep(0.1)
            head = server.heads()[0]
        return {(k.lower(), v) for k, v in head
                if k.lower() not in ("sec-websocket-key", "host", "connection")}
    assert asked("sesame") == asked("curl")


def test_options_beside_a_copy_replace_what_it_says():
    with node_server(origin="nobody") as server:
        text = copied("bash", "ws://127.0.0.1:%d/" % server.port,
                      browser_fields(FOREIGN, "a=1") + [("X-A", "1"), ("X-B", "1")])
        run("--max-probes", "1", "-H", "X-A: 2", "--curl", text, "-b", "c=3",
            "--origin", ORIGIN, "-A", "mine")
        head = dict(server.heads()[0])
    assert (head["X-A"], head["X-B"], head["Cookie"]) == ("2", "1", "c=3")
    assert (head["Origin"], head["User-Agent"]) == (ORIGIN, "mine")


def test_a_command_comes_from_a_file_and_from_standard_input(tmp_path):
    with node_server(origin=ORIGIN) as server:
        text = copied("bash", "ws://127.0.0.1:%d/" % server.port, browser_fields(FOREIGN))
        (tmp_path / "command").write_text(text + "\n")
        for found in (diagnose("--curl", "@%s" % (tmp_path / "command")),
                      diagnose("--curl", "-", stdin=text)):
            assert found["verdict"]["cause"] == "access.origin"


@pytest.mark.parametrize("trick", ["$(touch %s)", "`touch %s`", "; touch %s", "| tee %s",
                                   "&& touch %s", "<(touch %s)", "> %s", "\ntouch %s"])
def test_nothing_of_a_command_is_run(trick, tmp_path):
    done = run("--curl", "curl ws://127.0.0.1:1/ " + trick % (tmp_path / "x"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "a shell would" in done.stderr and "character" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words, says", [
    (["--curl", "curl ws://h/ --data-raw CANARY"], "--data-raw: it sends a body"),
    (["--curl", "curl ws://h/ -H 'X: CANARY' --frob"], "no option --frob"),
    (["--curl", "curl ws://h/ -H 'X: CANARY"], "this ' has no end"),
    (["--curl", "curl ws://h/ -H $'X: CANARY\\nY: b'"], "control character"),
    (["--curl", "x", "--har", "y"], "give one of them"),
    (["--match", "x", "ws://h/"], "--har FILE"),
    (["--har", "/nowhere"], "No such file"),
    (["--curl", "@/nowhere"], "No such file"),
    (["--works", "curl -d x ws://h/", "ws://h/"], "--works: -d"),
    (["--curl", ""], "it is empty")])
def test_a_copy_that_cannot_be_used_is_told_without_its_values(words, says):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and "CANARY" not in done.stderr


# ---- recordings ----

def entry(url, status, fields=(), **more):
    return {"startedDateTime": "2026-11-22T00:00:00.000Z",
            "request": {"method": "GET", "url": url, "httpVersion": "HTTP/1.1", "cookies": [],
                        "headers": [{"name": n, "value": v} for n, v in fields]},
            "response": {"status": status, "headers": [], "content": {"size": 0}}, **more}


def write_har(path, *entries):
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": list(entries)}}))
    return str(path)


def test_a_recording_without_fields_that_failed_is_not_nobodys_matter(tmp_path):
    with node_server(origin=ORIGIN) as server:
        url = "ws://127.0.0.1:%d/chat" % server.port
        failed = entry(url, 0, _resourceType="websocket")
        failed["response"]["_error"] = "net::ERR_FAILED"
        page = entry(ORIGIN + "/desk?x=1", 200, [("Host", "x")], _resourceType="document")
        found = diagnose("--har", write_har(tmp_path / "a.har", page, failed))
        heads = server.heads()
        bare = diagnose("--har", write_har(tmp_path / "b.har", failed))
    summary = found["verdict"]["summary"]
    assert dict(heads[0])["Origin"] == ORIGIN
    assert found["verdict"]["cause"] == "ok" and found["verdict"]["who"] == "client"
    assert "it failed (net::ERR_FAILED)" in summary and "from here it opens now" in summary
    assert any("neither Origin nor Cookie" in r and ORIGIN in r for r in found["remarks"])
    assert any("give them by --origin" in r for r in bare["remarks"])


def test_a_recording_is_diagnosed_as_the_page_was_refused(tmp_path):
    with node_server(origin=ORIGIN) as server:
        url = "ws://127.0.0.1:%d/chat" % server.port
        har = write_har(tmp_path / "a.har",
                        entry("https://app.example/", 200, [("Cookie", "s=CANARYcookie")]),
                        entry(url, 101, browser_fields(ORIGIN), _resourceType="websocket",
                              _webSocketMessages=[{"type": "receive", "data": "x"}]),
                        entry(url, 403, browser_fields(FOREIGN), _resourceType="websocket",
                              _webSocketMessages=[]))
        found = diagnose("--har", har)
        heads = server.heads()
    assert found["verdict"]["cause"] == "access.origin"
    assert dict(heads[0])["User-Agent"].startswith("Mozilla/5.0 (X11")
    assert any("entry 3" in r and "1 other was left out" in r for r in found["remarks"])
    assert any("neither Cookie nor Authorization" in r for r in found["remarks"])


def test_a_cut_recording_is_used_as_far_as_it_goes(tmp_path):
    with node_server(origin=ORIGIN) as server:
        url = "ws://127.0.0.1:%d/chat" % server.port
        har = write_har(tmp_path / "a.har", entry(url, 403, browser_fields(FOREIGN)),
                        entry("https://app.example/", 200))
        text = (tmp_path / "a.har").read_text()
        (tmp_path / "a.har").write_text(text[:-60])
        found = diagnose("--har", har)
    assert found["verdict"]["cause"] == "access.origin"
    assert any("broken at byte %d" % (len(text) - 60) in r for r in found["remarks"])


def test_a_recording_of_200_megabytes_takes_little_memory_and_time(tmp_path):
    with node_server(origin=ORIGIN) as server:
        body = json.dumps("<p class=\"x\">\n é ﷽ \\ " * 20000)
        last = json.dumps(entry("ws://127.0.0.1:%d/" % server.port, 403, browser_fields(FOREIGN)))
        with open(tmp_path / "big.har", "w", encoding="utf-8") as f:
            f.write('{"log":{"entries":[')
            while f.tell() < 200 * 1000 * 1000:
                f.write('{"request":{"url":"https://a/","headers":[]},"response":{"status":200,'
                        '"content":{"text":%s}}},' % body)
            f.write(last + "]}}")
        began = time.monotonic()
        found = diagnose("--har", str(tmp_path / "big.har"), "--max-probes", "4",
                         limit=None if "san" in SESAME or os.environ.get("ASAN_OPTIONS") else 96 << 20)
        took = time.monotonic() - began
    (tmp_path / "big.har").unlink()
    assert found["target"]["origin"] == FOREIGN
    assert took < 20


@pytest.mark.parametrize("key", ["AAAA", "dGhlIHNhbXBsZSBub25jZQ=="])
def test_no_key_of_a_copy_is_sent_again(key, tmp_path):
    with Peer(says(answer(b"403 Forbidden"))) as peer:
        url, fields = peer.url(), [("Sec-WebSocket-Key", key)]
        har = write_har(tmp_path / "a.har", entry(url, 403, fields))
        for words in (["--har", har], ["--curl", copied("bash", url, fields)],
                      ["--works", copied("bash", url, fields), url]):
            run("--max-probes", "4", *words)
    keys = [field(request, b"Sec-WebSocket-Key") for request in peer.seen]
    keys = [k for k in keys if k]
    assert len(keys) >= 6 and len(set(keys)) == len(keys)
    assert all(len(base64.b64decode(k)) == 16 for k in keys)
    assert key.encode() not in keys


def test_a_name_that_is_only_led_here_keeps_its_credentials_to_itself():
    """What a proxy on this machine has as localhost may be another's."""
    with Peer(says(answer(b"403 Forbidden", b"Host not allowed"))) as peer:
        for words in (["--resolve", "far.example:%d:127.0.0.1" % peer.port,
                       "ws://far.example:%d/chat" % peer.port],
                      ["--connect-to", "far.example:80:127.0.0.1:%d" % peer.port,
                       "ws://far.example/chat"],
                      ["-H", "Host: far.example", peer.url()]):
            run("-H", "Authorization: Bearer CANARY-far-1", *words)
    others = [r for r in peer.seen
              if field(r, b"Host").split(b":")[0] != b"far.example"]
    assert b"localhost" in {field(r, b"Host").split(b":")[0] for r in others}
    assert all(b"CANARY" not in request for request in others)


# ---- one that works ----

def twelve_fields(cookie):
    return browser_fields(ORIGIN, cookie) + [("X-Trace", "1"), ("DNT", "1"), ("X-Locale", "de")]


def compare(server, mine, works):
    url = "ws://127.0.0.1:%d/chat" % server.port
    return diagnose("--works", copied("bash", url, works), "--curl", copied("cmd", url, mine))


def test_the_one_cookie_among_twelve_fields_is_found():
    with node_server(cookie="sid=CANARYright") as server:
        found = compare(server, browser_fields(ORIGIN)[:2],
                        twelve_fields("a=1; sid=CANARYright; theme=dark"))
    assert found["verdict"]["cause"] == "access.credentials"
    assert "the cookie \"sid\"" in found["verdict"]["proof"]["changed"]
    assert found["verdict"]["fix"][0]["what"].startswith("Send the cookie \"sid\"")
    assert found["verdict"]["proof"]["repeated"] >= 1
    assert len(found["probes"]) <= 12
    assert "CANARY" not in json.dumps(found)


@pytest.mark.parametrize("rules, mine, works, cause", [
    ({"origin": ORIGIN}, [("Origin", FOREIGN), ("X-B", "2")], [("Origin", ORIGIN), ("X-A", "1")],
     "access.origin"),
    ({"origin": ORIGIN}, [("X-B", "2")], [("Origin", ORIGIN), ("X-A", "1")],
     "access.origin-missing"),
    ({"user-agent": "Mozilla"}, [("User-Agent", "bot"), ("Origin", FOREIGN)],
     [("User-Agent", "Mozilla/5.0"), ("Origin", ORIGIN)], "access.user-agent"),
    ({"authorization": "Bearer CANARYgood"}, [("Authorization", "Bearer CANARYbad")],
     [("Authorization", "Bearer CANARYgood"), ("X-A", "1")], "access.credentials"),
    ({"sec-websocket-protocol": "chat.v2"}, [("Sec-WebSocket-Protocol", "chat.v1")],
     [("Sec-WebSocket-Protocol", "chat.v2"), ("X-A", "1")], "server.subprotocol"),
    ({"host": "inner.example"}, [("X-A", "1")], [("Host", "inner.example"), ("X-B", "1")],
     "access.host")])
def test_a_difference_is_mapped_to_its_cause(rules, mine, works, cause):
    with node_server(**rules) as server:
        found = compare(server, mine, works)
    assert found["verdict"]["cause"] == cause, found["verdict"]
    assert any("the smallest difference that matters" in r for r in found["remarks"])
    assert "CANARY" not in json.dumps(found)


@pytest.mark.parametrize("mine, works, cause", [
    ("/chat", "/feed?x=1", "url.path"), ("/chat?v=1", "/chat?v=2", "url.query"),
    ("/chat", "/chat?access_token=CANARYquery1", "access.credentials")])
def test_a_difference_of_the_url_is_mapped_to_its_cause(mine, works, cause):
    part = works.split("?")[1] if cause != "url.path" else "/feed"
    with node_server(path=part) as server:
        base = "ws://127.0.0.1:%d" % server.port
        found = diagnose("--works", base + works, base + mine)
    assert found["verdict"]["cause"] == cause
    assert "CANARY" not in json.dumps(found)


def test_two_that_open_or_fail_alike_are_told_so():
    with node_server(origin=ORIGIN) as server:
        url = "ws://127.0.0.1:%d/" % server.port
        found = diagnose("--works", "curl '%s' -H 'X: 1'" % url, "--origin", FOREIGN, url)
        assert any("does not open from here either: 403" in r for r in found["remarks"])
        assert found["verdict"]["cause"].startswith("access.origin")
        found = diagnose("--works", "curl '%s' -H 'Origin: %s'" % (url, ORIGIN),
                         "--origin", ORIGIN, "-H", "X: 1", url)
        assert found["outcome"] == "open"
        assert any("both requests open" in r for r in found["remarks"])


def test_a_field_that_spoils_it_is_not_taken_for_the_host():
    """Another Host is asked for without the user's own fields."""
    def play(conn, request):
        spoilt = field(request, b"X-Large") or field(request, b"Sec-WebSocket-Version") != b"13"
        conn.sendall(answer(b"400 Bad Request", b"no") if spoilt else accept(request))
        time.sleep(0 if spoilt else 1)

    with Peer(play) as peer:
        works = "curl %s -H 'X-A: 1'" % peer.url()
        found = diagnose("--works", works, "-H", "X-Large: " + "a" * 3000, peer.url())
        assert found["verdict"]["cause"] == "client.headers-too-large"
        found = diagnose("--works", works, "-H", "Sec-WebSocket-Version: 8", peer.url())
        assert found["verdict"]["cause"] == "client.bad-handshake"


def test_a_server_that_asks_for_a_pause_ends_the_search():
    asked = []

    def play(conn, request):
        asked.append(request)
        ok = field(request, b"Origin") == ORIGIN.encode()
        conn.sendall(answer(b"429 Too Many Requests") if len(asked) > 3 else
                     accept(request) if ok else answer(b"403 Forbidden", b"no"))
        time.sleep(1 if ok else 0)

    with Peer(play) as peer:
        found = diagnose("--works", copied("bash", peer.url(), twelve_fields("a=1")), peer.url())
    assert len(asked) == 4
    assert any("among" in r and "429" in r for r in found["remarks"])
    assert found["verdict"]["confidence"] < 0.9


def test_a_credential_goes_to_no_other_port():
    """The one that works is elsewhere: neither learns the other's secrets."""
    with node_server(cookie="s=CANARYtheirs") as good, node_server(cookie="nothing") as bad:
        diagnose("--works", "curl ws://127.0.0.1:%d/ -b s=CANARYtheirs -H 'X-Any: CANARYx'"
                 % good.port, "-b", "s=CANARYmine", "-H", "X-Any: CANARYy",
                 "ws://127.0.0.1:%d/" % bad.port)
        there, here = json.dumps(good.heads()), json.dumps(bad.heads())
    assert "CANARYtheirs" in there and "CANARYmine" in here
    assert not re.search("CANARY(mine|y)", there)
    assert not re.search("CANARY(theirs|x)", here)


@pytest.mark.skipif(not os.path.exists(NGINX), reason="nginx is not installed")
def test_what_a_proxy_refuses_is_found_from_a_copy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    with node_server() as server:
        (tmp_path / "nginx.conf").write_text(textwrap.dedent("""
            daemon off; pid nginx.pid; error_log stderr; events {}
            http {
              access_log off; client_body_temp_path t; proxy_temp_path t;
              fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
              map $http_origin $bad { default 1; "%s" 0; }
              server { listen 127.0.0.1:%d; location / {
                if ($bad) { return 403; }
                proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1;
                proxy_set_header Upgrade $http_upgrade;
                proxy_set_header Connection upgrade; } } }
            """ % (ORIGIN, port, server.port)))
        nginx = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", "nginx.conf"],
                                 stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                with socket.socket() as s:
                    if s.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            url = "ws://127.0.0.1:%d/chat" % port
            found = diagnose("--curl", copied("bash", url, browser_fields(FOREIGN)),
                             "--works", copied("bash", url, browser_fields(ORIGIN, "s=CANARY12")))
        finally:
            nginx.terminate()
            nginx.wait()
    assert found["verdict"]["cause"] == "access.origin"
    assert found["verdict"]["who"] == "proxy"
    assert found["verdict"]["proof"]["changed"] == "Origin: " + ORIGIN


# ---- secrets ----

@pytest.mark.parametrize("form", [["-v"], ["-q"], ["--json"], []])
def test_no_secret_of_a_copy_is_in_any_form_of_the_report(form, tmp_path):
    with node_server(origin="nobody") as server:
        url = "ws://127.0.0.1:%d/a?access_token=CANARYq1&x=2" % server.port
        fields = browser_fields(FOREIGN, "sid=CANARYc1; b=CANARYc2") + [
            ("Authorization", "Bearer CANARYa1"), ("X-Api-Key", "CANARYk1"),
            ("Sec-WebSocket-Protocol", "v1, eyJhbGciOiJ9.CANARYp1.CANARYp2x9")]
        other = [(n, v.replace("CANARY", "CANARYother")) for n, v in fields]
        har = write_har(tmp_path / "a.har", entry(url, 403, fields))
        for words in (["--curl", copied("bash", url, fields)],
                      ["--curl", copied("cmd", url, fields)], ["--har", har],
                      ["--curl", copied("bash", url, fields), "--works",
                       copied("bash", url.replace("CANARY", "CANARYother"), other)]):
            done = run("--max-probes", "8", *form, *words)
            assert done.returncode in (1, 3) and done.stdout
            assert "CANARY" not in done.stdout + done.stderr
