# SPDX-License-Identifier: MIT
"""Publishing to a channel by POST: who may, how often, and what is told of it."""
import asyncio
import hashlib
import json
import socket
import ssl
import subprocess
import time

import pytest
from behind import Behind, saying
from gateways import Answer, ask, dial, gateway, opens, read_all, run, send
from hubs import PUBLISH, TOKEN, config, hear, join, leave, number, post, write_tokens


def test_a_backend_publishes_with_its_token(tmp_path):
    write_tokens(tmp_path)

    async def play(g):
        a, b = [await join(g) for _ in range(2)]
        answer = await asyncio.to_thread(post, g, "grüße".encode())
        assert answer.status == 202 and answer.fields["content-type"] == "application/json"
        told = json.loads(answer.body)
        assert (told["channel"], number(told["id"]), told["members"]) == ("lobby", 1, 2)
        answer = await asyncio.to_thread(post, g, b"\xff\xfe")
        assert number(json.loads(answer.body)["id"]) == 2
        answer = await asyncio.to_thread(
            post, g, b"text", fields=["Content-Type: application/octet-stream"])
        assert number(json.loads(answer.body)["id"]) == 3
        assert await hear(a, 3) == await hear(b, 3) == ["grüße", b"\xff\xfe", b"text"]
        answer = await asyncio.to_thread(post, g, b"", channel="nobody%20there")
        assert json.loads(answer.body) == {"channel": "nobody there", "id": None, "members": 0}
        await leave(a, b)

    with gateway(tmp_path, config(PUBLISH)) as g:
        asyncio.run(play(g))


def test_curl_publishes_a_long_message(tmp_path):
    write_tokens(tmp_path)
    body = tmp_path / "body"
    body.write_bytes(b"x" * 2000000)

    async def play(g):
        a = await join(g, max_size=None)
        r = await asyncio.to_thread(
            subprocess.run, ["curl", "-sS", "--data-binary", "@%s" % body,
                             "-H", "Authorization: Bearer " + TOKEN,
                             "http://127.0.0.1:%d/chat/lobby" % g.port],
            capture_output=True, text=True, timeout=30)
        assert json.loads(r.stdout)["members"] == 1, r.stderr
        assert await hear(a, 1) == ["x" * 2000000]
        await leave(a)

    more = "hub: {queue: 4MiB, publish: {hashes_file: hashes}}\nlimits: {message: 2000000}"
    with gateway(tmp_path, config(more)) as g:
        g.held.allow(8 * 1024)  # room for such a message is kept for the next one
        asyncio.run(play(g))


@pytest.mark.parametrize("host", ["evil.com/.good.com", "a b.good.com", "good.com:@evil.com", ""])
def test_pages_and_messages_are_asked_for_a_host_as_handshakes_are(tmp_path, host):
    write_tokens(tmp_path)
    (tmp_path / "a.txt").write_text("page")
    more = PUBLISH + "\nallow: {hosts: [good.com, '*.good.com']}"
    pages = "  - {path: /p/**, to: files, root: ., allow: {hosts: [good.com, '*.good.com']}}\n"
    with gateway(tmp_path, config(more).replace("refusal:", pages + "refusal:")) as g:
        for form, status in (("GET /p/a.txt HTTP/1.1\r\nHost: %s\r\n\r\n", 200), (
                "POST /chat/lobby HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " + TOKEN +
                "\r\nContent-Length: 2\r\n\r\nhi", 202)):
            assert Answer(send(g.port, (form % "x.good.com").encode())).status == status
            assert Answer(send(g.port, (form % host).encode())).status == 400


def test_a_body_that_is_cut_is_told_as_one(tmp_path):
    write_tokens(tmp_path)
    head = "POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\n\r\n"
    with gateway(tmp_path, config(PUBLISH)) as g, dial(g.port) as s:
        s.sendall((head % TOKEN).encode() + b"hel")
        s.shutdown(socket.SHUT_WR)
        a = Answer(read_all(s))
        assert a.status == 400 and "The message ended before its Content-Length" in a.text
        assert "Content-Length" in g.story(a.reference)["note"]


def test_a_body_in_pieces_is_put_together(tmp_path):
    write_tokens(tmp_path)
    head = ("POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
            "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n" % TOKEN)
    with gateway(tmp_path, config(PUBLISH)) as g, dial(g.port) as s:
        for byte in head.encode():
            s.sendall(bytes([byte]))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for byte in b"hello":
            s.sendall(bytes([byte]))
            time.sleep(0.01)
        assert Answer(read_all(s)).status == 202


@pytest.mark.parametrize("more,status,cause", [
    ({"token": None}, 401, "access.credentials"),
    ({"token": TOKEN + "x"}, 401, "access.credentials"),
    ({"token": None, "fields": ["Authorization: Basic " + TOKEN]}, 401, "access.credentials"),
    ({"fields": ["Authorization: Bearer " + TOKEN]}, 401, "access.credentials"),
    ({"length": ""}, 411, "client.bad-handshake"),
    ({"length": "", "fields": ["Transfer-Encoding: chunked"]}, 411, "client.bad-handshake"),
    ({"fields": ["Transfer-Encoding: chunked"]}, 411, "client.bad-handshake"),
    ({"length": "5x"}, 400, "client.bad-handshake"),
    ({"body": b"x" * 1000}, 202, ""),
    ({"body": b"x" * 1001}, 413, "server.limit"),
    ({"length": "99999999999999999999"}, 400, "client.bad-handshake"),
    ({"channel": "a%0ab"}, 400, "url.path"),
    ({"fields": ["Origin: https://evil.example"]}, 403, "access.origin")])
def test_a_post_that_may_not_be_is_refused_with_a_reference(tmp_path, more, status, cause):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(PUBLISH)) as g:
        answer = post(g, **more)
        assert answer.status == status
        if cause:
            assert "Cause: " + cause in answer.text
            assert g.story(answer.reference)["cause"] == cause
        if status == 401:
            assert answer.fields["www-authenticate"].startswith("Bearer ")


def test_other_paths_and_methods_have_their_answer(tmp_path):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(PUBLISH)) as g:
        assert Answer(send(g.port, b"POST /nowhere HTTP/1.1\r\nHost: h\r\n\r\n")).status == 404
        assert Answer(send(g.port, b"PUT /chat/lobby HTTP/1.1\r\nHost: h\r\n\r\n")).status == 405
        assert ask(g.port, "/chat/lobby", upgrade="").status == 426
    with gateway(tmp_path, config()) as g:
        answer = post(g)
        assert answer.status == 405 and "Nobody may publish" in answer.text
        put = Answer(send(g.port, b"PUT /chat/lobby HTTP/1.1\r\nHost: h\r\n\r\n"))
        for method, word, refused in (("POST", "hub.publish", answer), ("PUT", "GET", put)):
            head = g.headline(refused.reference)
            assert "A %s was refused: " % method in head and word in head, head
            assert "opening request" not in head
        assert "hub: {publish: " in g.why(answer.reference).stdout


def test_a_token_for_members_is_not_asked_of_who_publishes(tmp_path):
    write_tokens(tmp_path)
    (tmp_path / "members").write_text("m:%s\n" % hashlib.sha256(b"member").hexdigest())
    more = PUBLISH + "\nallow: {token: {hashes_file: members}, subprotocols: [chat]}"
    with gateway(tmp_path, config(more)) as g:
        assert post(g).status == 202
        assert post(g, token="member").status == 401
        offer = "Sec-WebSocket-Protocol: chat"
        assert opens(g.port, "/chat/lobby", offer, "Authorization: Bearer member")
        assert not opens(g.port, "/chat/lobby", offer, "Authorization: Bearer " + TOKEN)


# ---- the looks of a member, and its own ----

@pytest.mark.parametrize("allow,fields,status,cause", [
    ("addresses: ['!127.0.0.0/8']", [], 403, "access.ip"),
    ("hosts: [other.example]", [], 403, "access.host"),
    ("user_agents: ['good*']", ["User-Agent: bad/1"], 403, "access.user-agent"),
    ("certificates: ['subject:CN=a']", [], 403, "access.client-cert"),
])
def test_lists_are_for_who_publishes_as_well(tmp_path, allow, fields, status, cause):
    write_tokens(tmp_path)
    more = PUBLISH + "\nallow: {%s}" % allow
    with gateway(tmp_path, config(more).replace(
            "  - address: 127.0.0.1:0", "  - address: 127.0.0.1:0\n"
            "    tls: {certificate: s.pem, key: s.key, client_ca: s.pem, client_cert: optional}")
            if "certificates" in allow and make_certificate(tmp_path) else config(more)) as g:
        answer = post(g, fields=fields) if "certificates" not in allow else post_tls(g)
        assert (answer.status, "Cause: " + cause in answer.text) == (status, True)
        story = g.story(answer.reference)
        assert (story["cause"], story["method"]) == (cause, "POST") and story["line"]


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", "s.key", "-out", "s.pem", "-days", "2", "-subj", "/CN=h"],
                   cwd=folder, check=True, capture_output=True)
    return True


def post_tls(g):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(dial(g.port)) as s:
        s.sendall(b"POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + TOKEN.encode() +
                  b"\r\nContent-Length: 2\r\n\r\nhi")
        return Answer(read_all(s))


def test_a_token_publishes_as_often_as_the_route_says(tmp_path):
    write_tokens(tmp_path)
    (tmp_path / "hashes").open("a").write("other:%s\n" % hashlib.sha256(b"another").hexdigest())
    more = PUBLISH.replace("message: 1000", "message: 1000, publishes: 3/hour, handshakes: 1/hour")
    with gateway(tmp_path, config(more)) as g:
        assert [post(g).status for _ in range(4)] == [202, 202, 202, 429]
        answer = post(g)
        assert 1000 < int(answer.fields["retry-after"]) <= 1200
        story = g.story(answer.reference)
        assert (story["cause"], story["check"]) == ("access.rate", "limits")
        assert story["rule"] == "publishes: 3/hour" and story["compared"] == "backend: none left of 3"
        assert story["subject"] == "backend" and story["line"]
        # it is each token's own, and not that of members
        assert post(g, token="another").status == 202
        assert opens(g.port, "/chat/lobby")


def test_who_guesses_tokens_is_stopped_and_members_are_with_it(tmp_path):
    write_tokens(tmp_path)
    more = PUBLISH.replace("message: 1000", "message: 1000, failures: 3/hour")
    with gateway(tmp_path, config(more)) as g:
        assert [post(g, token="guess%d" % i).status for i in range(3)] == [401] * 3
        answer = post(g)
        assert answer.status == 429 and "retry-after" in answer.fields
        assert g.story(answer.reference)["rule"] == "failures: 3/hour"
        # a token that is missing was no guess
    with gateway(tmp_path, config(more).replace("/chat/", "/more/")) as g:
        raw = b"POST /more/lobby HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        assert [Answer(send(g.port, raw)).status for _ in range(5)] == [401] * 5


def test_a_wrong_token_is_told_to_the_operator_and_never_written(tmp_path):
    write_tokens(tmp_path)
    with gateway(tmp_path, config(PUBLISH)) as g:
        story = g.story(post(g, token="wrong-and-secret").reference)
        assert story["check"] == "token" and story["fault"] == "token" and story["line"] == 7
        assert "wrong-and-secret" not in json.dumps(story)
        assert [t["check"] for t in story["trace"]][-2:] == ["limits", "token"]


def test_the_authority_is_asked_about_who_publishes(tmp_path):
    write_tokens(tmp_path)
    says = [200]
    with Behind(lambda r: saying(says[0])) as authority:
        more = PUBLISH + '\nallow: {authority: {url: "http://127.0.0.1:%d/auth"}}' % authority.port
        with gateway(tmp_path, config(more)) as g:
            assert post(g).status == 202
            assert authority.requests[0].get("x-original-method") == "POST"
            assert authority.requests[0].get("x-original-uri") == "/chat/lobby"
            # who has no token is not worth the question
            assert post(g, token="wrong").status == 401 and len(authority.requests) == 1
            says[0] = 403
            answer = post(g)
            assert answer.status == 403
            story = g.story(answer.reference)
            assert (story["cause"], story["check"]) == ("access.permission", "authority")
            looks = {t["check"]: t["rule"] for t in story["trace"]}
            assert looks["token"] == "header, by token"
            assert looks["authority"] == "the authority answered 403"


def test_a_body_that_comes_while_the_authority_thinks_is_kept(tmp_path):
    write_tokens(tmp_path)

    def slow(request):
        time.sleep(0.3)
        return saying(204)

    async def play(g):
        a = await join(g)
        s = dial(g.port)
        s.sendall(b"POST /chat/lobby HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + TOKEN.encode() +
                  b"\r\nContent-Length: 5\r\n\r\nhe")
        time.sleep(0.1)
        s.sendall(b"llo")
        assert Answer(await asyncio.to_thread(read_all, s)).status == 202
        assert await hear(a, 1) == ["hello"]
        await leave(a)

    with Behind(slow) as authority:
        more = PUBLISH + '\nallow: {authority: {url: "http://127.0.0.1:%d/auth"}}' % authority.port
        with gateway(tmp_path, config(more)) as g:
            asyncio.run(play(g))


def test_observing_lets_lists_pass_and_never_a_wrong_token(tmp_path):
    write_tokens(tmp_path)
    more = PUBLISH + "\nallow: {addresses: [10.0.0.0/8]}\nmode: observe"
    with gateway(tmp_path, config(more)) as g:
        assert post(g).status == 202
        answer = post(g, token="wrong")
        assert answer.status == 401
        assert g.story(answer.reference)["cause"] == "access.credentials"
        assert {s["cause"] for s in g.last() if s["observed"]} == {"access.ip"}
    with gateway(tmp_path, config("mode: observe")) as g:
        assert post(g).status == 405


def test_the_log_has_a_line_for_each_message_and_each_page(tmp_path):
    write_tokens(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("hello")
    text = config(PUBLISH).replace("refusal:", "  - {path: /site/**, to: files, root: site}\nrefusal:")
    with gateway(tmp_path, text + "log: {file: log, format: json}\n") as g:
        assert post(g, b"hello").status == 202
        assert post(g, token="wrong").status == 401
        for path, status in (("/site/?token=secret", 200), ("/site", 404), ("/site/none", 404)):
            assert ask(g.port, path, upgrade="").status == status
        assert Answer(send(g.port, b"HEAD /site/ HTTP/1.1\r\nHost: h\r\n\r\n")).status == 200
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    told = [(x["event"], x["status"], x.get("method"), x["target"]) for x in lines]
    assert told == [("answer", 202, "POST", "/chat/lobby"), ("refused", 401, None, "/chat/lobby"),
                    ("answer", 200, "GET", "/site/?token=***"), ("refused", 404, None, "/site"),
                    ("answer", 404, "GET", "/site/none"), ("answer", 200, "HEAD", "/site/")]
    assert (lines[0]["bytes_in"], lines[0]["subject"]) == (5, "backend")
    assert (lines[2]["bytes_out"], lines[5]["bytes_out"]) == (5, 0)
    assert TOKEN not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("more,words", [
    ("limits: {publishes: 3/hour}", "publishes: 3/hour needs `hub.publish`"),
    ("limits: {failures: 3/hour}", "needs `allow.token`"),
])
def test_a_limit_of_nobody_is_a_fault(tmp_path, more, words):
    (tmp_path / "sesame.yaml").write_text(config(more))
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stderr
