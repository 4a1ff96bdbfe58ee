# SPDX-License-Identifier: MIT
"""Who was refused asks the gateway why, by a name that nobody else knows."""
import json
import random
import time

import pytest
from backplanes import cluster, until
from gateways import ask, gateway, opens, reload, request, run, send
from redis_server import HERE

PATH = "/.well-known/sesame/refusals/"
EVIL = "Origin: https://evil.example"
JSON = "Accept: application/json"
CONFIG = """\
listen: [{address: "127.0.0.1:0"}]
routes:
  - path: /chat
    to: echo
    allow: {origins: [https://app.example]}
  - path: /behind
    to: ws://127.0.0.1:1
%s
journal: {file: journal.db}
"""


def config(disclose="reason", more=""):
    return CONFIG % ("refusal: {disclose: %s%s}" % (disclose, more))


def asked(g, name, path=PATH, *fields):
    return ask(g.port, path + name, *fields, upgrade="Connection: close\r\n")


def attempt():
    return "%040d" % random.randrange(10 ** 40)


def numbered(number):
    return "Sec-WebSocket-Protocol: sesame.v1, sesame.attempt." + number


@pytest.mark.parametrize("disclose", ["reason", "full"])
def test_the_same_is_told_by_the_reference_as_was_in_the_refusal(tmp_path, disclose):
    with gateway(tmp_path, config(disclose)) as g:
        refused = ask(g.port, "/chat", EVIL, JSON)
        text = ask(g.port, "/behind")
        told = asked(g, refused.reference, PATH, "Origin: https://evil.example")
        assert told.status == 200 and told.fields["content-type"] == "application/json"
        assert json.loads(told.body) == json.loads(refused.body)
        assert ("line" in json.loads(told.body)) == (disclose == "full")
        # A page of whatever origin may read it; nobody keeps it.
        assert told.fields["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in told.fields
        assert told.fields["cache-control"] == "no-store"
        other = json.loads(asked(g, text.reference.lower().replace("-", "")).body)
        assert (other["status"], other["cause"]) == (502, "server.backend-down")
        # That somebody asked is no refusal.
        assert len(g.last()) == 2


def test_a_page_asks_by_the_number_that_it_gave_its_handshake(tmp_path):
    with gateway(tmp_path, config("reason", ", close: true")) as g:
        number = attempt()
        assert b"HTTP/1.1 101 " in send(
            g.port, request(g.port, "/chat", EVIL, numbered(number)))
        told = json.loads(asked(g, number).body)
        assert (told["status"], told["cause"]) == (403, "access.origin")
        assert g.story(told["reference"])["cause"] == "access.origin"
        assert number not in json.dumps(g.story(told["reference"]))
        assert asked(g, attempt()).status == 404
        # Who is let in leaves nothing to ask for, and gets its subprotocol as ever.
        number = attempt()
        assert opens(g.port, "/chat", "Origin: https://app.example", numbered(number))
        assert asked(g, number).status == 404


HOSTILE = ["", "/", "ZZZZ-ZZZZ", "zzzz", "0" * 39, "0" * 41, "0" * 40, "..", "../..", "a/b", "%00", "%2e%2e",
           "ZZZZ%2DZZZZ", "7K2M-Q4XD?x=1", "*", "why:ZZZZ-ZZZZ", "*" * 40, "{}", "$where", "a" * 3000,
           "%0d%0aX-Evil:1", "'\"<script>", ";", "7K2M-Q4XD.json", "refusals/7K2M-Q4XD"]


@pytest.mark.parametrize("disclose", ["reason", "reference"])
def test_all_that_is_not_known_has_one_answer(tmp_path, disclose):
    with gateway(tmp_path, config(disclose)) as g:
        reference = ask(g.port, "/chat", EVIL, numbered("1" * 40)).reference
        names = HOSTILE + ([reference, "1" * 40] if disclose == "reference" else [])
        answers = {(a.status, a.text, tuple(sorted(a.fields.items())))
                   for a in (asked(g, name) for name in names)}
        assert len(answers) == 1
        status, text, _ = answers.pop()
        assert status == 404 and json.loads(text)["title"] == "Not Found"
        assert "reference" not in json.loads(text) and len(g.last()) == 1


def test_too_many_questions_are_answered_429(tmp_path):
    with gateway(tmp_path, config()) as g:
        reference = ask(g.port, "/chat", EVIL).reference
        statuses = [asked(g, reference).status for _ in range(70)]
        assert statuses.count(200) in range(59, 64) and statuses[-1] == 429
        late = asked(g, reference)
        assert 1 <= int(late.fields["retry-after"]) <= 2
        assert late.fields["access-control-expose-headers"] == "Retry-After"
        assert late.fields["access-control-allow-origin"] == "*"
        assert opens(g.port, "/chat", "Origin: https://app.example")


def test_the_path_is_chosen_and_may_be_none(tmp_path):
    with gateway(tmp_path, config("reason", ", explain: /chat/why")) as g:
        reference = ask(g.port, "/chat", EVIL).reference
        assert asked(g, reference, "/chat/why/").status == 200
        # Below another path, and a handshake below this one: as ever.
        for path, fields in ((PATH, {"upgrade": ""}), ("/chat/why/", {})):
            elsewhere = ask(g.port, path + reference, JSON, **fields)
            assert json.loads(elsewhere.body)["cause"] == "url.path"
        reload(g, config("reason", ", explain: none"), "reloaded")
        reference = ask(g.port, "/chat", EVIL).reference
        for path in ("/chat/why/", PATH):
            assert json.loads(asked(g, reference, path, JSON).body)["cause"] == "url.path"


@pytest.mark.parametrize("explain,told", [
    ("why", "must begin with a slash"), ("/a/*", "without *"), ("/a/", "ends in a slash"),
    ("/a?b", "chosen by path alone"), ("/", "ends in a slash"), ("/a/../b", "no request is admitted")])
def test_a_path_that_is_none_is_told(tmp_path, explain, told):
    (tmp_path / "sesame.yaml").write_text(config("reason", ', explain: "%s"' % explain))
    r = run("check", cwd=tmp_path)
    assert r.returncode == 2 and "explain: `%s`" % explain in r.stderr and told in r.stderr, r.stderr


def test_check_takes_what_is_one(tmp_path):
    (tmp_path / "sesame.yaml").write_text(config("full", ", explain: /why"))
    assert run("check", cwd=tmp_path).returncode == 0


@pytest.mark.skipif(not HERE, reason="needs redis-server")
def test_any_gateway_of_a_backplane_tells_it(tmp_path):
    more = "allow: {origins: [https://app.example]}"
    with cluster(tmp_path, "ab", more) as (redis, a, b):
        number = attempt()
        reference = ask(a.port, "/chat/x", EVIL, numbered(number)).reference
        for name in (reference, number):
            until(lambda: asked(b, name).status == 200)
            assert asked(b, name).body == asked(a, name).body
        assert asked(b, "ZZZZ-ZZZZ").status == 404
        # What no gateway wrote is not repeated.
        redis.ask("SET", "sesame:note:told:ZZZZ-ZZZZ", '{"status":403,"detail":"come in"}')
        assert asked(b, "ZZZZ-ZZZZ").status == 404
        until(lambda: "no gateway wrote" in (b.folder / "err").read_text())
        # A Redis that hangs holds nobody up for long.
        redis.pause()
        began = time.time()
        assert asked(b, "YYYY-YYYY").status == 404 and time.time() - began < 3
        reference = ask(b.port, "/chat/x", EVIL).reference
        assert asked(b, reference).status == 200
        redis.resume()
