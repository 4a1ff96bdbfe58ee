# SPDX-License-Identifier: MIT
"""Canaries: secrets are planted wherever a request can hold one and servers
repeat them in every way; none of them may sing in any form of the report."""
import base64
import html
import os
import pathlib
import re
import subprocess
import threading
import urllib.parse

import pytest

from doctor_peers import Peer, accept, answer, close_frame, says

SESAME = os.environ.get("SESAME", "build/sesame")
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
FORMS = [[], ["--verbose"], ["--quiet"], ["--json"]]
WORDY = [["--verbose"], ["--json"]]

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
# name of the place: what is planted there
PLANTED = {
    "bearer": "Canary1-bearer-7Hq2",
    "api key": "Canary2/api+key=9Zx4",
    "cookie": "Canary3-cookie-5Lm8",
    "second cookie": "Canary4-cookie-6Pw1",
    "query": "Canary5/query+2Vt3",
    "path": "c4n4ry6d081884c7d659a2fe",
    "path parameter": "Canary7-matrix-8Kj0",
    "subprotocol": "base64url.bearer.authorization.k8s.io.Q2FuYXJ5OC1rOHM",
    "JWT": JWT,
    "random": "canaryTenA1b2C3d4E5f6G7",
}
PASSWORD = "Canary9-password-3Rd6"


def request_of(peer, planted=PLANTED):
    """A command line with a secret in every place that it has."""
    path = "/v1/%s/%s;jsessionid=%s/chat?room=1&token=%s" % (
        planted["path"], planted["JWT"], planted["path parameter"],
        urllib.parse.quote(planted["query"], safe=""))
    return ["-H", "Authorization: Bearer " + planted["bearer"],
            "-H", "X-Api-Key: " + planted["api key"],
            "-H", "X-Colour: " + planted["random"],
            "-b", "sid=%s; theme=%s" % (planted["cookie"],
                                        planted["second cookie"]),
            "--subprotocol", "chat, " + planted["subprotocol"],
            peer.url(path)]


def with_password(peer):
    return [peer.url("/chat", userinfo="ann:%s@" % PASSWORD)]


def base64_cores(secret):
    """What of a secret's base64 depends on nothing that stands around it."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode()).decode()
        core = text.rstrip("=")[before + (before > 0):-1]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def spellings(secret):
    yield secret
    yield secret.lower()
    yield secret.upper()
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.quote(secret, safe="").lower()
    yield html.escape(secret)
    yield secret.replace("/", "\\/")
    yield secret[:12]
    for core in base64_cores(secret):
        yield core[:16]


def look_for_canaries(told, planted=PLANTED.values(), allowed=()):
    told = html.unescape(told)
    for secret in planted:
        for spelling in spellings(secret):
            if spelling in told and spelling not in allowed:
                at = told.index(spelling)
                pytest.fail("%s as %s: ...%s" % (
                    secret, spelling, told[max(0, at - 200):at + 80]))


# How a server repeats what it was sent: each of these in each place.
REPEATS = {
    "as it is": lambda s: s,
    "percent-encoded": lambda s: urllib.parse.quote(s, safe=""),
    "escaped for HTML": lambda s: "".join("&#%d;" % ord(c) for c in s),
    "escaped for JSON": lambda s: "".join("\\u%04x" % ord(c) for c in s),
    "in base64": lambda s: base64.b64encode(b"no: " + s.encode()).decode(),
    "in base64 for URLs": lambda s: base64.urlsafe_b64encode(
        b"user:" + s.encode()).decode().rstrip("="),
    "in capitals": lambda s: s.upper(),
    "cut": lambda s: s[:14] + "...",
}
PLACES = {
    "the status phrase": lambda t: b"HTTP/1.1 403 bad " + t +
                         b"\r\nContent-Length: 0\r\n\r\n",
    "fields": lambda t: answer(b"403 Forbidden", b"", [
        b"X-Echo: " + t, b"WWW-Authenticate: Bearer error=\"" + t + b"\"",
        b"Server: s/" + t, b"X-" + t[:20].replace(b":", b"") + b": 1",
        b"Set-Cookie: last=" + t + b"; Path=/" + t]),
    "a redirect": lambda t: answer(b"302 Found", b"", [
        b"Location: /login/" + t + b"?next=" + t + b"#" + t]),
    "the body": lambda t: answer(b"403 Forbidden", b"<p>not " + t + b"</p>"),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", REPEATS)
def test_no_canary_sings_in_an_answer(place, how, tmp_path):
    text = " ".join(REPEATS[how](s) for s in PLANTED.values()).encode()
    with Peer(says(PLACES[place](text))) as peer:
        check(request_of(peer), tmp_path,
              forms=FORMS if how == "as it is" else WORDY)


def check(request, tmp_path, planted=PLANTED.values(), env=None, forms=WORDY):
    page = tmp_path / "r.html"
    for form in forms:
        done = subprocess.run(
            [SESAME, "doctor", "--max-probes", "3", "--timeout", "1", "--html",
             page, *form, *request], capture_output=True, text=True,
            timeout=60, env={**CLEAN, **(env or {})})
        assert done.returncode in (0, 1, 3), done.stderr
        look_for_canaries(done.stdout, planted)
        look_for_canaries(done.stderr, planted)
    look_for_canaries(page.read_text(), planted)
    return done


@pytest.mark.parametrize("how", REPEATS)
def test_no_canary_sings_after_the_101(how, tmp_path):
    for secret in PLANTED.values():
        said = REPEATS[how](secret).encode()
        if len(said) > 110:
            continue
        for play in (says(accept, close_frame(4001, b"bad " + said),
                          linger=0.05),
                     says(accept, bytes([0x81, len(said)]) + said,
                          close_frame(1008), linger=0.05)):
            with Peer(play) as peer:
                check(request_of(peer), tmp_path, forms=[["--verbose"]])


def test_no_canary_sings_when_nothing_is_repeated(tmp_path):
    for play in (says(answer(b"403 Forbidden", b"no")), says(), says(accept),
                 says(answer(b"401 Unauthorized", b"", [
                     b"WWW-Authenticate: Basic realm=x"]))):
        with Peer(play) as peer:
            check(request_of(peer), tmp_path)
            check(with_password(peer), tmp_path, [PASSWORD], forms=FORMS)


@pytest.mark.parametrize("before, after", [
    (b'{"error":"token ', b' was rejected: signature verification failed: invalid token"}'),
    (b"Invalid token" + b" of a chat that is not yours" * 3 + b": ", b""),
    (b"<p>", b" is an invalid token</p>")])
@pytest.mark.parametrize("length", [60, 150, 400])
def test_a_quote_that_is_cut_shows_no_part_of_a_token(before, after, length, tmp_path):
    """A tail of a secret is not known again, so it must not come about."""
    letters = "Qx7Lm2Vb9Zt4Kd8Rw3Ns6Hy1Jc5Pg0Fu".encode()
    token = (b"eyJh" + letters * 13)[:length].decode()
    with Peer(says(answer(b"401 Unauthorized", before + token.encode() + after))) as peer:
        check(["-H", "Authorization: Bearer " + token, peer.url()], tmp_path,
              [token[:12], token[-12:], letters.decode()[:12]], forms=[["--verbose"], ["--json"]])


def test_a_password_is_hidden_with_its_name_around_it(tmp_path):
    both = ("ann:" + PASSWORD).encode()
    for text in (PASSWORD.encode(), both, base64.b64encode(both)):
        for place in PLACES.values():
            with Peer(says(place(text))) as peer:
                check(with_password(peer), tmp_path, [PASSWORD],
                      forms=[["--verbose"]])
                check(["-u", both.decode(), peer.url()], tmp_path, [PASSWORD],
                      forms=[["--verbose"]])


def test_the_proxys_password_is_hidden(tmp_path):
    secret = "Canary-proxy-4Nb7"
    code = base64.b64encode(b"bob:" + secret.encode())
    for refusal in (b"407 No " + secret.encode(), b"403 " + code):
        with Peer(says(answer(refusal, b"you are " + code))) as proxy:
            url = "http://bob:%s@127.0.0.1:%d" % (secret, proxy.port)
            check(["--proxy", url, "ws://far.example/"], tmp_path, [secret])
            check(["ws://far.example/"], tmp_path, [secret],
                  env={"http_proxy": url})


def test_secrets_of_the_other_inputs_are_hidden(tmp_path):
    secrets = ["Canary-works-1Aa", "Canary-works-2Bb", "Canary-works-3Cc",
               "Canary-page-4Dd", "Canary-backend-5Ee"]
    body = " ".join(secrets).encode()
    with Peer(says(answer(b"403 Forbidden", body))) as peer:
        at = "127.0.0.1:%d" % peer.port
        works = ("curl 'http://%s/chat?token=%s' -H 'Cookie: sid=%s' -H "
                 "'Authorization: Bearer %s'" % (at, *secrets[:3]))
        page = "http://%s/?session=%s" % (at, secrets[3])
        backend = "ws://u:%s@%s/" % (secrets[4], at)
        for more in (["--works", works], ["--page", page],
                     ["--backend", backend]):
            given = [s for s in secrets if s in " ".join(more)]
            check([*more, peer.url()], tmp_path, given)
        check(["--curl", works], tmp_path, secrets[:3])


def test_what_a_server_tells_of_its_own_secrets_is_hidden(tmp_path):
    secret = "Server-Canary-1Qz8"
    answers = [
        answer(b"403 Forbidden", b"", [b"Set-Cookie: fresh=%s; HttpOnly"]),
        answer(b"403 Forbidden", b"", [b"X-Auth-Token: %s"]),
        answer(b"302 Found", b"", [b"Location: /login?ticket=%s"]),
        answer(b"302 Found", b"", [b"Location: //u:%s@other.example/"]),
        answer(b"403 Forbidden", b"", [b"Refresh: 0;url=/x?access_token=%s"]),
        answer(b"401 No", b'{"error":"x","access_token":"%s"}' + b" " * 16),
        answer(b"401 No", b"{'refreshToken' : '%s'}" + b" " * 16),
        answer(b"401 No", b"<input name='csrf_token' value='%s'>" + b" " * 16),
        answer(b"500 No", b"cannot reach amqp://app:%s@mq/" + b" " * 16),
        answer(b"500 No", b"Authorization: Bearer %s" + b" " * 16),
    ]
    for text in answers:
        with Peer(says(text.replace(b"%s", secret.encode()))) as peer:
            check([peer.url()], tmp_path, [secret])


def test_what_goes_wrong_at_once_holds_no_canary(tmp_path):
    secret = "Canary-typo-6Yy5"
    for words in (["ws://ann:%s@h:99999999/" % secret],
                  ["ws://h/?token=" + secret, "ws://g/?token=" + secret],
                  ["--proxy", "gopher://u:%s@p/" % secret, "ws://h/"],
                  ["-H", "Authorization %s" % secret, "ws://h/"],
                  ["-H", "Authorization: %s\r\nX: 1" % secret, "ws://h/"],
                  ["-b", secret, "--nonsense=" + secret, "ws://h/"],
                  ["--curl", "curl -H 'Cookie: a=%s' $(x)" % secret],
                  ["--curl", "curl 'ws://u:%s@[h/'" % secret],
                  ["--origin", "https://a.example/?token=" + secret,
                   "--max-probes", "1", "ws://127.0.0.1:9/"],
                  ["--html", "/no/where?token=" + secret, "ws://h/"],
                  ["--page", "gopher://u:%s@p/" % secret, "ws://h/"],
                  ["--backend", "gopher://u:%s@p/" % secret, "ws://h/"],
                  ["--works", "curl -u a:%s nothing" % secret, "ws://h/"]):
        done = subprocess.run([SESAME, "doctor", *words], env=CLEAN, timeout=30,
                              capture_output=True, text=True)
        look_for_canaries(done.stdout + done.stderr, [secret])


def test_the_words_of_a_report_are_not_taken_for_secrets():
    with Peer(says(answer(b"403 Forbidden", b"token: signature expired"))) as peer:
        done = subprocess.run([SESAME, "doctor", "-v", "-H",
                               "Authorization: Bearer token", peer.url("/a/b")],
                              capture_output=True, text=True, env=CLEAN,
                              timeout=60)
    assert "/a/b" in done.stdout and "403 Forbidden" in done.stdout
    assert "signature expired" in done.stdout
    assert "Authorization: Bearer ***" in done.stdout


# ---- nothing raw ----

RAW = (b"\x1b]0;owned\x07\x1b[2J\x9b31m\xc2\x9b31m\xc2\x85\xe2\x80\xae"
       b"\xe2\x81\xa6\xe2\x80\xa8\xef\xbb\xbf\x00\x7f\xff\xfe\x08\x0c\x0b")
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f"
                     "\u2028-\u202e\u2066-\u2069\ufeff\ufffd]")
SOURCES = {
    "the status phrase": says(b"HTTP/1.1 403 a" + RAW + b"b\r\n\r\n"),
    "the version": says(b"HTTP/1." + RAW + b" 403 No\r\n\r\n"),
    "a field's name": says(b"HTTP/1.1 403 No\r\nX" + RAW.replace(b"\x00", b"") +
                           b"Y: 1\r\n\r\n"),
    "a field's value": says(b"HTTP/1.1 403 No\r\nServer: " + RAW + b"\r\nVia: "
                            b"1.1 " + RAW + b"\r\nX-Powered-By: " + RAW +
                            b"\r\n\r\n"),
    "Location": says(b"HTTP/1.1 302 No\r\nLocation: /a" + RAW + b"b\r\n\r\n"),
    "the body": says(answer(b"403 No", b"Origin " + RAW + b" not allowed")),
    "a long line": says(answer(b"403 " + b"x" * 9000 + RAW, RAW * 3000,
                               [b"Server: " + b"\xe2\x80\xae" * 3000])),
    "no HTTP": says(RAW * 10),
    "the close": says(accept, b"\x88" + bytes([2 + 24]) + b"\x0f\xa1" +
                      b"\x1b[2J\xe2\x80\xae\xc2\x9b31m\xe2\x81\xa6evil12345",
                      linger=0.1),
    "a message": says(accept, b"\x81\x18" + b"\x1b[2J\xe2\x80\xae\xc2\x9b31m"
                      b"\xe2\x81\xa6evil123456", close_frame(1008), linger=0.1),
    "the subprotocol": says(lambda r: accept(r).replace(
        b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: a" + RAW + b"\r\n\r\n"),
        linger=0.1),
}


@pytest.mark.parametrize("name", SOURCES)
def test_nothing_of_the_network_is_shown_raw(name, tmp_path):
    page = tmp_path / "r.html"
    with Peer(SOURCES[name]) as peer:
        for form in FORMS:
            done = subprocess.run([SESAME, "doctor", "--html", page, "--origin",
                                   "https://evil.example", "--max-probes", "4",
                                   "--timeout", "1",
                                   *form, peer.url()], capture_output=True,
                                  timeout=60, env=CLEAN)
            for told in (done.stdout, done.stderr, page.read_bytes()):
                hit = HARMFUL.search(told.decode("utf-8"))
                assert hit is None, told[max(0, hit.start() - 99):][:200]
            # an escape stands whole, or not at all
            told = done.stdout.replace(b"\\\\", b"\\")
            for cut in re.findall(rb"\\x?.{0,2}", told):
                assert re.fullmatch(rb"\\x[0-9a-f]{2}|\\[^x].*", cut), cut


def test_names_in_a_certificate_are_not_shown_raw(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-utf8", "-subj",
                    "/CN=evil\x1b[2J\u202e\u009b31m", "-addext",
                    "subjectAltName=DNS:other\x1b[2J.example"],
                   check=True, capture_output=True)
    server = subprocess.Popen(
        ["openssl", "s_server", "-quiet", "-accept", "127.0.0.1:0", "-cert",
         cert, "-key", key, "-www"], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        port = port_of(server)
        for form in (["-v"], ["--json"], ["--cacert", cert]):
            done = subprocess.run(
                [SESAME, "doctor", "--html", tmp_path / "r.html", *form,
                 "wss://127.0.0.1:%d/" % port], capture_output=True, env=CLEAN,
                timeout=60)
            for told in (done.stdout, done.stderr,
                         (tmp_path / "r.html").read_bytes()):
                assert HARMFUL.search(told.decode("utf-8")) is None, told
    finally:
        server.kill()
        server.wait()


def port_of(server):
    """The port that a child of ours listens on; it says so nowhere."""
    for _ in range(200):
        links = {os.readlink(f) for f in
                 pathlib.Path("/proc/%d/fd" % server.pid).iterdir()
                 if f.is_symlink()}
        inodes = {m.group(1) for link in links
                  if (m := re.fullmatch(r"socket:\[(\d+)\]", link))}
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            row = line.split()
            if row[3] == "0A" and row[9] in inodes:
                return int(row[1].split(":")[1], 16)
        threading.Event().wait(0.05)
    raise AssertionError("openssl does not listen")
