# SPDX-License-Identifier: MIT
"""What `sesame why` tells an operator: one refusal whole, a search, a count."""
import hashlib
import json
import re
import socket
import sqlite3
import time

import pytest

from gateways import ask, gateway, opens, request, run
from terminals import on_terminal

CONFIG = """listen: [{address: '127.0.0.1:0'}]
trusted_proxies: [127.0.0.1]
routes:
  - path: /chat
    to: echo
    allow:
      origins: ["https://app.example", "https://www.example"]
      user_agents: ["demo/*", "!*badbot*"]
  - {path: /plain, to: echo}
  - {path: /office, to: echo, allow: {addresses: [10.0.0.0/8, "!10.6.6.0/24"]}}
  - {path: /alone, to: echo, allow: {addresses: [10.0.0.0/8, "!10.6.6.7"]}}
  - {path: /but, to: echo, allow: {addresses: ["!192.0.2.1", "!10.6.6.0/24"]}}
  - path: /seen
    to: echo
    mode: observe
    allow: {origins: ["https://app.example"]}
journal: {file: journal.db}
"""
ORIGIN = "Origin: https://app.exmple"


@pytest.fixture(scope="module")
def gate(tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("why"), CONFIG) as g:
        yield g


def told(g, reference, *more):
    r = g.why(reference, *more)
    assert r.returncode == 0, r.stderr
    assert all(len(line) <= 80 for line in r.stdout.splitlines()), r.stdout
    return r.stdout


def test_a_refusal_is_told_whole(gate):
    a = ask(gate.port, "/chat?room=1", ORIGIN, "User-Agent: demo/1",
            "Sec-WebSocket-Protocol: chat.v1")
    text = told(gate, a.reference)
    for words in ("access.origin", "GET /chat?room=1", "sesame.yaml:7", "https://app.exmple",
                  "nearest     https://app.example", "demo/1", "chat.v1", "REFUSE  origin",
                  'origins: [..., "https://app.exmple"]', "Tried on sesame.yaml",
                  "it is let in"):
        assert words in text, (words, text)


def test_the_hops_that_a_client_came_through_are_told(gate):
    a = ask(gate.port, "/chat", ORIGIN, "User-Agent: demo/1", "X-Forwarded-For: 203.0.113.9")
    text = told(gate, a.reference)
    assert "from        203.0.113.9" in text and "127.0.0.1 (connected)" in text


def test_what_would_refuse_next_is_told_and_changed_as_well(gate):
    a = ask(gate.port, "/chat", ORIGIN, "User-Agent: curl/8")
    text = told(gate, a.reference)
    assert re.search(r"REFUSE  origin", text) and re.search(r"then    user-agent", text)
    assert 'origins: [..., "https://app.exmple"]' in text
    assert 'user_agents: [..., "curl/8"]' in text and "it is let in" in text
    o = json.loads(gate.why(a.reference, "--json").stdout)
    assert [c["list"] for c in o["changes"]] == ["origins", "user_agents"]
    assert o["admitted_then"] is True
    assert [t["check"] for t in o["trace"] if not t["passed"]] == ["origin", "user-agent"]


@pytest.mark.parametrize("path,fields", [
    ("/chat", [ORIGIN, "User-Agent: demo/1"]),
    ("/chat", ["User-Agent: demo/1"]),
    ("/chat", [ORIGIN, "User-Agent: demo/badbot"]),
    ("/plain", ["Origin: https://other.example"]),
    ("/office", ["X-Forwarded-For: 192.0.2.1"]),
    ("/office", ["X-Forwarded-For: 10.6.6.7"]),
    ("/alone", ["X-Forwarded-For: 10.6.6.7"]),
    ("/but", ["X-Forwarded-For: 10.6.6.7"]),
    ("/chat", ["Origin: null", "User-Agent: demo/1"])])
def test_the_change_that_is_offered_lets_it_in_when_it_is_made(tmp_path, gate, path, fields):
    """The change is put into a file by hand, as its lines say."""
    a = ask(gate.port, path, *fields)
    o = json.loads(gate.why(a.reference, "--json").stdout)
    assert o["changes"] and o["admitted_then"], o
    lines = CONFIG.splitlines()
    for c in o["changes"]:
        assert c["file"] == "sesame.yaml"
        at = c["line"] - 1
        if c["change"] == "add-entry":
            assert c["list"] in lines[at]
            lines[at] = re.sub(r"(%s: \[[^]]*)" % c["list"],
                               lambda m: '%s, "%s"' % (m.group(1), c["entry"]), lines[at])
        elif c["change"] == "remove-entry":
            assert '"%s"' % c["entry"] in lines[at]
            lines[at] = lines[at].replace(', "%s"' % c["entry"], "")
        else:
            entries = ", ".join('"%s"' % e for e in c["entry"].split(", "))
            lines[at] = lines[at].replace("to: echo", "to: echo, allow: {origins: [%s]}" % entries)
    with gateway(tmp_path, "\n".join(lines) + "\n") as g:
        # a default is about the host that was asked for, port and all
        fixed = [f.replace(str(gate.port), str(g.port)) for f in fields]
        assert opens(g.port, path, *fixed)


def test_a_file_that_lets_it_in_by_now_is_told_as_that(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        a = ask(g.port, "/chat", ORIGIN, "User-Agent: demo/1")
        g.config.write_text(CONFIG.replace("www.example", "app.exmple"))
        assert "as it is now it would be let in" in told(g, a.reference)
        g.config.write_text("nonsense: [")
        r = run("why", a.reference, "--journal", "journal.db", cwd=tmp_path)
        assert r.returncode == 0 and "To let it in, add it to the list" in r.stdout
        g.config.write_text(CONFIG)
    # and after the gateway has stopped
    assert "access.origin" in told(g, a.reference)


def test_a_refusal_of_another_gateway_is_not_laid_to_the_file_that_is_here(tmp_path):
    (tmp_path / "one").mkdir()
    here = tmp_path / "here"
    here.mkdir()
    (here / "sesame.yaml").write_text(CONFIG.replace("journal.db", "../one/journal.db"))
    theirs = str(tmp_path / "one/sesame.yaml")
    with gateway(tmp_path / "one", CONFIG) as g:
        a = ask(g.port, "/chat", ORIGIN, "User-Agent: demo/1")
        said = " ".join(run("why", a.reference, cwd=here).stdout.split())
        assert "by %s; sesame.yaml is another file" % theirs in said
        assert "Tried on %s as it is now" % theirs in said
        o = json.loads(run("why", a.reference, "--json", cwd=here).stdout)
        assert o["whole_file"] == theirs and o["changes"][0]["file"] == theirs
        asked = " ".join(run("why", a.reference, "-c", "sesame.yaml", cwd=here).stdout.split())
        assert "is another file" in asked and "Tried on sesame.yaml as it is now" in asked
        own = told(g, a.reference)
        assert "Tried on sesame.yaml as it is now" in own and "another file" not in own
        g.config.unlink()
        gone = " ".join(run("why", a.reference, cwd=here).stdout.split())
        assert "To let it in, add it" in gone and "Tried on" not in gone, gone


def test_a_search_finds_what_fits_and_nothing_else(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        for n, (path, *fields) in enumerate((
                ("/chat", ORIGIN, "User-Agent: demo/1", "X-Forwarded-For: 203.0.113.9"),
                ("/chat", ORIGIN, "User-Agent: demo/1", "X-Forwarded-For: 203.0.113.10"),
                ("/chat", "User-Agent: demo/1", "X-Forwarded-For: 198.51.100.1"),
                ("/office", "X-Forwarded-For: 2001:db8::1"),
                ("/nowhere",))):
            assert ask(g.port, path, *fields).status in (403, 404)
        time.sleep(0.3)

        def n(*words):
            r = g.why(*words, "--json")
            lines = r.stdout.splitlines()
            assert r.returncode == (0 if lines else 1), r.stderr
            return len([json.loads(line) for line in lines])
        assert n("--last") == 5 and n("--last", "2") == 2
        assert n("--origin", "https://app.exmple") == 2 and n("--origin", "*exmple") == 2
        assert n("--origin", "none") == 3
        assert n("--route", "/chat") == 3 and n("--route", "/o*") == 1
        assert n("--cause", "access") == 4 and n("--cause", "access.origin") == 2
        assert n("--cause", "access.origin-missing") == 1 and n("--cause", "url") == 1
        assert "no cause of that name" in g.why("--cause", "acess").stderr
        assert g.why("--address", "192.0.2.1").stderr == "sesame why: of the refusals kept (5) none fits\n"
        assert "no cause" not in g.why("--cause", "tls").stderr
        assert n("--address", "203.0.113.0/24") == 2 and n("--address", "203.0.113.9") == 1
        assert n("--address", "2001:db8::/32") == 1
        assert n("--since", "10m") == 5 and n("--since", "2100-01-01") == 0
        assert n("--since", time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 120)) + "Z") == 5
        assert n("--cause", "access", "--route", "/chat", "--address", "198.51.100.0/24") == 1
        top = json.loads(g.why("--top", "origin", "--json").stdout)
        assert [(r["value"], r["count"]) for r in top["rows"]] == [("", 3), ("https://app.exmple", 2)]
        for what in ("cause", "origin", "route", "address", "rule"):
            r = g.why("--top", what)
            assert r.returncode == 0 and what in r.stdout


def test_a_list_of_refusals_is_cut_at_the_end_of_a_terminal_and_whole_elsewhere(tmp_path):
    path, origin, agent = "/nowhere/" + "x" * 90, "https://%s.example" % ("y" * 60), "z" * 90
    config = CONFIG.replace('"!*badbot*"', '"!%s"' % agent)
    with gateway(tmp_path, config) as g:
        assert ask(g.port, path, "Origin: " + origin).status == 404
        assert ask(g.port, "/chat", "Origin: https://app.example", "User-Agent: " + agent).status == 403
        time.sleep(0.3)
        lasts = g.why("--last").stdout
        assert path in lasts and origin in lasts and agent in lasts and "..." not in lasts
        for what, whole in (("origin", origin), ("rule", agent)):
            top = g.why("--top", what).stdout.splitlines()
            assert len(top) == 3 and whole in "".join(top), top
        for words in (["--last"], *(["--top", w] for w in ("cause", "origin", "route", "address", "rule"))):
            shown, status = on_terminal(["why", *words, "-c", "sesame.yaml"], cwd=g.folder)
            lines = shown.decode().splitlines()
            assert status == 0 and max(map(len, lines)) <= 80, lines
            assert ("..." in shown.decode()) == (words[-1] in ("--last", "origin", "rule")), lines


def test_a_list_of_refusals_cuts_no_character_in_two(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        for n in range(4):
            ask(g.port, "/chat", "Origin: https://" + ("x" * n + "\u20ac" * 40).encode().decode("latin-1"))
        time.sleep(0.3)
        shown, _ = on_terminal(["why", "--last", "-c", "sesame.yaml"], cwd=g.folder)
        lines = [x for x in shown.decode().splitlines() if " Origin " in x]
        assert len(lines) == 4 and all(line.endswith("\u20ac...") for line in lines), lines


@pytest.mark.parametrize("words,complaint", [
    (["--since", "yesterday"], "wants a time like"), (["--since", "5"], "wants a time like"),
    (["--top", "orign"], "Did you mean origin?"), (["--top"], "not -c"),
    (["--address", "nowhere"], "wants an address"),
    (["7K2M-Q4XD", "--cause", "access"], "or a search"), (["--last", "0"], "wants a number")])
def test_a_search_that_cannot_be_is_wrong_usage(gate, words, complaint):
    r = gate.why(*words)
    assert r.returncode == 2 and complaint in r.stderr


def test_what_an_observing_route_lets_in_is_told_as_that(gate):
    assert opens(gate.port, "/seen", "Origin: https://evil.example")
    text = told(gate, gate.last(1)[0]["reference"])
    assert "would have been refused" in text and 'origins: [..., "https://evil.example"]' in text


def test_who_it_was_is_told_as_far_as_credentials_do_and_no_secret_is(tmp_path):
    token = "open-sesame-0123456789"
    (tmp_path / "hashes").write_text(
        "ann:%s\n" % hashlib.sha256(token.encode()).hexdigest())
    config = CONFIG.replace("  - {path: /plain, to: echo}", """  - path: /plain
    to: echo
    allow:
      user_agents: ["demo/*"]
      token: {from: [query:pass, header], hashes_file: hashes}""")
    with gateway(tmp_path, config) as g:
        demo = "User-Agent: demo/1"
        text = told(g, ask(g.port, "/plain?pass=wrong-9876543210", demo).reference)
        assert "/plain?pass=***" in text and "REFUSE  token" in text and "its fault" in text
        assert "credential" in told(g, ask(g.port, "/plain", demo).reference)
        o = g.story(ask(g.port, "/plain?pass=wrong-9876543210", "User-Agent: x").reference)
        # who knows whether the token would do: that is not tried
        assert [c["list"] for c in o["changes"]] == ["user_agents"] and o["admitted_then"]
        assert opens(g.port, "/plain?pass=" + token, demo)
        time.sleep(0.3)
        r = run("check", "--replay", "journal.db", "--json", cwd=tmp_path)
        assert r.returncode == 0, r.stdout
    with sqlite3.connect(tmp_path / "journal.db") as db:
        rows = db.execute("SELECT target, credential, subject FROM admitted").fetchall()
    db.close()
    assert rows == [("/plain?pass=***", "token", "ann")]
    raw = b"".join(f.read_bytes() for f in tmp_path.glob("journal.db*"))
    assert b"9876543210" not in raw and token.encode() not in raw


def test_who_brought_no_credentials_is_told_that_a_change_of_lists_does_not_do(tmp_path):
    (tmp_path / "hashes").write_text("ann:%s\n" % hashlib.sha256(b"good").hexdigest())
    config = CONFIG.replace("  - {path: /plain, to: echo}", """  - path: /plain
    to: echo
    limits: {connections: 1}
    allow:
      origins: ["https://a.example"]
      token: {from: [query:pass, header], hashes_file: hashes}""")
    with gateway(tmp_path, config) as g:
        bare = ask(g.port, "/plain", "Origin: https://b.example").reference
        o = g.story(bare)
        assert [t["check"] for t in o["trace"] if not t["passed"]] == ["origin", "token"]
        assert [c["list"] for c in o["changes"]] == ["origins"]
        assert not o["admitted_then"] and o["then_refused_by"] == "token"
        text = told(g, bare)
        assert re.search("then    token", text) and "token would still refuse" in " ".join(text.split())
        # of one that came nothing is known, as the first look ended it
        o = g.story(ask(g.port, "/plain?pass=x", "Origin: https://b.example").reference)
        assert o["admitted_then"] and [t["check"] for t in o["trace"] if not t["passed"]] == ["origin"]
        # behind a limit, too
        with socket.create_connection(("127.0.0.1", g.port)) as s:
            s.sendall(request(g.port, "/plain?pass=good", "Origin: https://a.example"))
            assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
            a = ask(g.port, "/plain", "Origin: https://a.example")
            assert a.status == 429
            o = g.story(a.reference)
            assert [t["check"] for t in o["trace"] if not t["passed"]] == ["limits", "token"]
    r = run("check", "sesame.yaml", "--url", "/plain", "--origin", "https://b.example", "--token",
            "none", cwd=tmp_path)
    assert r.returncode == 1 and "then    token" in r.stdout and "still refuse" in r.stdout


def test_an_address_is_let_out_of_an_exclusion_alone(gate):
    o = gate.story(ask(gate.port, "/office", "X-Forwarded-For: 10.6.6.7").reference)
    assert [(c["change"], c["entry"]) for c in o["changes"]] == [("add-entry", "10.6.6.7")]
    # where all entries exclude, one that admits would keep all others out
    o = gate.story(ask(gate.port, "/but", "X-Forwarded-For: 10.6.6.7").reference)
    assert [(c["change"], c["entry"]) for c in o["changes"]] == [("remove-entry", "!10.6.6.0/24")]


def test_what_no_list_changes_is_told_by_its_setting(tmp_path):
    (tmp_path / "hashes").write_text("ann:%s\n" % hashlib.sha256(b"good").hexdigest())
    config = CONFIG.replace("  - {path: /plain, to: echo}", """  - path: /once
    to: echo
    limits: {handshakes: 1/day}
  - path: /known
    to: echo
    limits: {failures: 2/hour}
    allow: {token: {hashes_file: hashes}}""")
    with gateway(tmp_path, config) as g:
        assert opens(g.port, "/once")
        a = ask(g.port, "/once")
        o = g.story(a.reference)
        assert a.status == 429 and o["changes"] == [{
            "change": "raise-limit", "list": "limits", "file": "sesame.yaml", "line": o["line"],
            "route": "/once", "entry": "handshakes: 1/day"}]
        text = told(g, a.reference)
        assert "allows no more (handshakes: 1/day)" in text and "Raise that" in text
        a = ask(g.port, "/known")
        assert "`token.from` looks: header." in " ".join(told(g, a.reference).split())
        assert "no good" not in told(g, a.reference) and g.story(a.reference)["changes"] == []
        a = ask(g.port, "/known", "Authorization: Bearer bad")
        assert "`hashes_file`" in told(g, a.reference)
        assert re.search(r"the token is none of those .* has 1 token$", g.why("--last", "1").stdout, re.M)
