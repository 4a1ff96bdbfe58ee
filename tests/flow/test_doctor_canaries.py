# SPDX-License-Identifier: MIT
"""More canaries: short ones under names that say nothing, in a fragment, and
all of them encoded, encoded again and broken up before a server repeats them."""
import html
import json
import re
import subprocess
import urllib.parse

import pytest

from doctor_peers import Peer, accept, answer, close_frame, says
from test_doctor_secrets import (CLEAN, FORMS, PLACES, PLANTED, SESAME, WORDY,
                                 check, look_for_canaries, request_of)

SHORT = ["hunter7", "Sword9fish", "tulips-4", "qU1x"]


def quoted(text, times):
    for _ in range(times):
        text = urllib.parse.quote(text, safe="")
    return text


def as_json(text, times):
    for _ in range(times):
        text = json.dumps(text)
    return text


AGAIN = {
    "percent-encoded twice": lambda s: quoted(s, 2),
    "percent-encoded four times": lambda s: quoted(s.replace("-", "%2d"), 3),
    "in JSON, escaped for HTML": lambda s: html.escape(as_json(s, 1)),
    "in JSON in JSON in JSON": lambda s: as_json(s.replace("/", "\\/"), 3),
    "in JSON, percent-encoded": lambda s: quoted(as_json(s, 2), 2),
    "in HTML in HTML": lambda s: "".join("&amp;#x%x;" % ord(c) for c in s),
    "with names of HTML": lambda s: s.replace("/", "&sol;").replace("+", "&plus;"),
    "with zeros before": lambda s: "".join("&#%05d;" % ord(c) for c in s),
    "with long escapes": lambda s: "".join("\\U%08x" % ord(c) for c in s),
    "in octal": lambda s: "".join("\\%03o" % ord(c) for c in s),
    "in hexadecimal": lambda s: s.encode().hex(),
    "in capitals of hexadecimal": lambda s: s.upper().encode().hex().upper(),
    "split by tags": lambda s: "<wbr>".join(s[i:i + 3] for i in range(0, len(s), 3)),
    "folded": lambda s: "=\r\n".join(s[i:i + 4] for i in range(0, len(s), 4)),
    "wrapped": lambda s: "\n   ".join(s[i:i + 4] for i in range(0, len(s), 4)),
    "as quoted-printable": lambda s: "".join("=%02X" % ord(c) for c in s),
    "as JavaScript escapes": lambda s: "".join("%%u%04x" % ord(c) for c in s),
    "in hexadecimal with colons": lambda s: s.encode().hex(":"),
    "split by a comment": lambda s: s[:2] + "<!-- x -->" + s[2:],
    "in a cookie of JSON": lambda s: quoted(json.dumps({"t": s}), 1),
    "in UTF-16": lambda s: s.encode("utf-16-le").decode(),
}
# What is left of it when only the wrapping is taken away again.
PEELS = [urllib.parse.unquote, html.unescape, lambda t: t.replace("<!-- x -->", ""),
         lambda t: re.sub("(%u00|=)([2-7][0-9A-Fa-f])", lambda m: chr(int(m[2], 16)), t),
         lambda t: t.replace("\\\\", "\\"), lambda t: t.replace("\\/", "/"),
         lambda t: t.replace("<wbr>", ""), lambda t: t.replace("\\x00", "")]


def look_deep(told, planted):
    """As look_for_canaries, in all that the text can be decoded to."""
    for _ in range(6):
        look_for_canaries(told, planted)
        for secret in planted:
            for digits in (secret.encode().hex(), secret.encode().hex(":")):
                assert digits not in told.lower(), secret
            tail = secret.rpartition(".")[2]  # the rest may be a name
            for at in range(0, len(tail) - 9):
                assert tail[at:at + 9] not in told, (secret, told)
        for peel in PEELS:
            told = peel(told)


def check_deep(request, tmp_path, planted, forms=WORDY):
    page = tmp_path / "r.html"
    for form in forms:
        done = subprocess.run(
            [SESAME, "doctor", "--max-probes", "3", "--timeout", "1", "--html",
             page, *form, *request], capture_output=True, text=True,
            timeout=60, env=CLEAN)
        assert done.returncode in (0, 1, 2, 3), done.stderr
        for told in (done.stdout, done.stderr):
            look_deep(told, planted)
        if page.exists():
            look_deep(page.read_text(), planted)
    return done


@pytest.mark.parametrize("how", AGAIN)
def test_no_canary_sings_however_it_is_wrapped(how, tmp_path):
    secrets = [*PLANTED.values()]
    text = b" ".join(AGAIN[how](s).encode() for s in secrets)
    plain = not set(text) & set(b"\0\r\n")
    for place in (PLACES if plain else ["the body"]):
        with Peer(says(PLACES[place](text))) as peer:
            check_deep(request_of(peer), tmp_path, secrets)


def short_request(peer, end=""):
    return [peer.url("/chat?k=%s&room=%s&%s&t=%s%s" % (*SHORT, end))]


@pytest.mark.parametrize("how", ["as it is", "in capitals", "percent-encoded twice",
                                 "in JSON, escaped for HTML", "in hexadecimal",
                                 "as quoted-printable", "in a cookie of JSON"])
def test_short_values_under_any_name_are_hidden(how, tmp_path):
    ways = {**AGAIN, "as it is": str, "in capitals": str.upper}
    text = ", ".join(ways[how](s) for s in SHORT).encode()
    for place in PLACES.values():
        with Peer(says(place(text))) as peer:
            check_deep(short_request(peer), tmp_path, SHORT,
                       FORMS if how == "as it is" else WORDY)


def test_a_login_that_leads_to_a_login_tells_nothing(tmp_path):
    def play(conn, request):
        target = (request.split(b" ") + [b"/"])[1].decode("latin-1")
        conn.sendall(answer(b"302 Found", b"", [
            b"Location: /login?next=" + quoted(target, 1).encode()]))
    with Peer(play) as peer:
        check_deep(short_request(peer), tmp_path, SHORT, FORMS)
        check_deep(request_of(peer), tmp_path, [*PLANTED.values()], FORMS)


def test_nothing_of_a_fragment_is_shown(tmp_path):
    for end in ("#Fragment-Canary-1", "#access=Fragment-Canary-1&x=Tailfeather-2",
                "?a=1#/route/Fragment-Canary-1"):
        url = "ws://127.0.0.1:9/chat" + end
        for words in ([url], ["--curl", "curl '%s'" % url], ["--page", url, "ws://127.0.0.1:9/"]):
            check_deep(words, tmp_path, ["Fragment-Canary-1", "Tailfeather-2"], FORMS)
        done = subprocess.run([SESAME, "doctor", url], capture_output=True,
                              text=True, env=CLEAN, timeout=30)
        assert "#***" in done.stdout and "url.syntax" in done.stdout


def test_what_is_plainly_no_secret_is_shown():
    with Peer(says(answer(b"403 Forbidden", b"no room 1"))) as peer:
        done = subprocess.run(
            [SESAME, "doctor", "-v", "--max-probes", "2", peer.url(
                "/socket.io/?EIO=4&transport=websocket&vsn=2.0.0&b64=false&k=abc")],
            capture_output=True, text=True, env=CLEAN, timeout=60)
    assert ("/socket.io/?EIO=4&transport=websocket&vsn=2.0.0&b64=false&k=***"
            in done.stdout)


def test_the_names_of_fields_are_not_taken_for_what_begins_alike(tmp_path):
    with Peer(says(answer(b"403 Forbidden", b"no cookie"))) as peer:
        done = check(["-b", "sid=Cookie-monster-7", "-H", "Authorization: Bearer Author-8x",
                      peer.url()], tmp_path, ["Cookie-monster-7", "Author-8x"],
                     forms=[["--verbose"]])
    assert "> Cookie: sid=***" in done.stdout
    assert "> Authorization: Bearer ***" in done.stdout


def test_after_a_101_no_short_value_is_repeated(tmp_path):
    said = ("no %s for %s" % (SHORT[0], quoted(SHORT[1], 2))).encode()
    for play in (says(accept, close_frame(4001, said), linger=0.05),
                 says(accept, bytes([0x81, len(said)]) + said, close_frame(1008),
                      linger=0.05),
                 says(lambda r: accept(r).replace(
                     b"\r\n\r\n", b"\r\nSec-WebSocket-Protocol: " +
                     SHORT[0].encode() + b"\r\n\r\n"), linger=0.05)):
        with Peer(play) as peer:
            check_deep(short_request(peer), tmp_path, SHORT, FORMS)


# ---- the other commands ----

def told_by(*words):
    done = subprocess.run([SESAME, *words], capture_output=True, text=True,
                          env=CLEAN, timeout=30, stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


@pytest.mark.parametrize("how", ["as it is", "percent-encoded twice", "in JSON in JSON in JSON",
                                 "in hexadecimal"])
def test_connect_tells_no_canary(how):
    ways = {**AGAIN, "as it is": str}
    password = "Canary9-password-3Rd6"
    secrets = [*PLANTED.values(), *SHORT, password]
    text = " ".join(ways[how](s) for s in secrets).encode()
    said = " ".join(ways[how](s) for s in SHORT).encode()[:100]
    for place in [*PLACES.values(), lambda t: accept, None]:
        play = says(accept, close_frame(4001, said), linger=0.05) if place is None else \
            says(place(text), linger=0.05)
        with Peer(play) as peer:
            url = peer.url("/chat?k=%s&room=%s&%s&t=%s" % (*SHORT,), userinfo="ann:%s@" % password)
            words = ["-m", "x", "--wait", "0.2", *request_of(peer)[:-1], url]
            words[words.index("-b")] = "-H"
            words = [w if not w.startswith("sid=") else "Cookie: " + w for w in words]
            given = [s for s in secrets if s in " ".join(words)]
            assert len(given) > 10
            for more in ([], ["-v"]):
                look_deep(told_by("connect", *more, *words), given)
            look_deep(told_by("connect", "-v", "-u", "ann:" + password, peer.url()), [password])


def test_connect_and_lint_tell_no_canary_of_what_is_wrong(tmp_path):
    config = tmp_path / "nginx.conf"
    config.write_text("events {}\nhttp { server { listen 80; location / {\n"
                      "proxy_pass http://127.0.0.1:1; } } }\n")
    for url in ("ws://ann:Sword9fish@127.0.0.1:9/?k=hunter7", "ws://h/?k=hunter7#Sword9fish",
                "xx://ann:Sword9fish@h/?k=hunter7", "ws://ann:Sword9fish@h:x/?k=hunter7",
                "ws://h/ ?k=hunter7&token=Sword9fish"):
        for words in (["connect", url], ["connect", "ws://h/", url],
                      ["connect", "--proxy", url, "ws://127.0.0.1:9/"],
                      ["lint", str(config), "--request", url],
                      ["lint", "--json", str(config), "--request", url]):
            look_deep(told_by(*words), ["Sword9fish", "hunter7"])
    look_deep(told_by("connect", "-H", "Authorization Sword9fish", "ws://h/"), ["Sword9fish"])
