# SPDX-License-Identifier: MIT
"""What `sesame check` tells of a file before it serves anybody."""
import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import time

import pytest

from gateways import ask, gateway, opens, run, SESAME

CONFIG = """listen: [{address: '127.0.0.1:0'}]
trusted_proxies: [10.0.0.0/8]
routes:
  - path: /chat
    to: echo
    allow:
      origins: ["https://app.example"]
      addresses: [127.0.0.0/8, 203.0.113.0/24]
      hosts: [localhost, "127.0.0.1"]
  - {path: /seen, to: echo, mode: observe, allow: {origins: ["https://app.example"]}}
  - {path: /open/**, to: echo}
  - {path: /behind/**, to: "ws://127.0.0.1:9/ws/"}
journal: {file: journal.db}
"""
APP = ["--origin", "https://app.example"]


def check(folder, *words, config=CONFIG):
    (folder / "sesame.yaml").write_text(config)
    r = run("check", *words, cwd=folder)
    assert all(len(line) <= 80 for line in r.stdout.splitlines()), r.stdout
    return r


def verdict(folder, *words):
    r = run("check", *words, "--json", cwd=folder)
    return json.loads(r.stdout)


@pytest.mark.parametrize("words,status,told", [
    (["--url", "/chat", *APP], 0, "admitted: to the echo"),
    (["--url", "/behind/a?b=c"], 0, "admitted: to ws://127.0.0.1:9/ws/behind/a\n"),
    (["--url", "/chat", *APP, "--host", "other.example"], 1, "access.host"),
    (["--url", "/chat", *APP, "--from", "203.0.113.9", "--via", "10.1.1.1"], 0, "admitted"),
    (["--url", "/chat", *APP, "--from", "203.0.113.9", "--via", "10.1.1.1", "--via", "10.2.2.2"],
     0, "10.2.2.2 (connected)"),
    # a hop that nobody trusts is the client
    (["--url", "/chat", *APP, "--from", "203.0.113.9", "--via", "192.0.2.1"], 1, "access.ip"),
    (["--url", "/chat", *APP, "--header", "X-Forwarded-For: 192.0.2.1"], 0, "admitted"),
    (["--url", "/chat", *APP, "--header", "nonsense"], 2, "is no field"),
    (["--url", "/chat", *APP, "--via", "nowhere"], 2, "no IPv4 or IPv6 address"),
    (["--url", "/nowhere"], 1, "url.path"),
    (["--url", "/open/a%2fb"], 1, "400"),
    (["--subprotocol", "a, b"], 2, "--url"),
    (["--url", "/open/1", "--subprotocol", "a, b"], 0, "admitted")])
def test_one_request_is_traced(tmp_path, words, status, told):
    r = check(tmp_path, *words)
    assert r.returncode == status and told in r.stdout + r.stderr, r.stdout + r.stderr


def test_all_that_stands_in_the_way_is_told_in_one_run(tmp_path):
    r = check(tmp_path, "--url", "/chat", "--host", "x.example", "--from", "192.0.2.1")
    assert r.returncode == 1
    assert r.stdout.count("REFUSE") == 1 and r.stdout.count("  then ") == 2
    assert "it is let in" in r.stdout
    for entry in ('hosts: [..., "x.example"]', 'addresses: [..., "192.0.2.1"]',
                  'origins: [..., "none"]'):
        assert entry in r.stdout


TESTS = """tests:
  - {url: /chat, origin: "https://app.example", expect: admit}
  - {url: /chat, origin: "https://evil.example", expect: access.origin}
  - {url: /chat, origin: "https://evil.example", expect: "403"}
  - {url: /nowhere, expect: "404"}
  - {url: "ws://other.example/chat", expect: access.host}
  - {url: /chat, host: other.example, expect: access.host}
  - {url: /chat, origin: "https://app.example", from: 192.0.2.1, expect: access.ip}
  - {url: /seen, origin: "https://evil.example", expect: admit}
  - {url: /seen, origin: "https://evil.example", expect: access.origin}
"""


def test_expectations_that_are_met_are_counted(tmp_path):
    r = check(tmp_path, config=CONFIG + TESTS)
    assert r.returncode == 0 and "tests: 9 of 9 pass" in r.stdout, r.stdout


def test_an_expectation_that_is_not_met_is_told_at_its_line(tmp_path):
    text = CONFIG + TESTS.replace("expect: access.ip", "expect: admit")
    line = text[:text.index("from: 192.0.2.1")].count("\n") + 1
    r = check(tmp_path, config=text)
    assert r.returncode == 1 and "tests: 8 of 9 pass" in r.stdout
    assert "sesame.yaml:%d:" % line in r.stdout and "403 access.ip, by sesame.yaml:8" in r.stdout
    o = verdict(tmp_path)
    assert [t["passed"] for t in o["tests"]].count(False) == 1 and o["valid"]


@pytest.mark.parametrize("test,told", [
    ("{url: /chat, expect: perhaps}", "none of admit"), ("{url: /chat}", "expect"),
    ("{expect: admit}", "url"), ("{url: /chat, expect: admit, orign: x}", "orign"),
    ("{url: /chat, expect: '200'}", "none of admit"), ("{url: /chat, expect: ok}", "none of admit")])
def test_a_test_that_is_none_is_a_fault_of_the_file(tmp_path, test, told):
    r = check(tmp_path, config=CONFIG + "tests:\n  - %s\n" % test)
    assert r.returncode == 2 and told in r.stderr


def test_serve_does_not_care_for_tests(tmp_path):
    with gateway(tmp_path, CONFIG + TESTS.replace("expect: access.ip", "expect: admit")) as g:
        assert opens(g.port, "/open/1")


def test_a_journal_is_decided_once_more(tmp_path):
    with gateway(tmp_path, CONFIG) as g:
        for i in range(7):
            assert opens(g.port, "/open/room%d" % i, "Origin: http://127.0.0.1:%d" % g.port)
        for _ in range(3):
            assert opens(g.port, "/chat", "Origin: https://app.example")
        for _ in range(4):
            assert ask(g.port, "/chat", "Origin: https://new.example").status == 403
        assert ask(g.port, "/nowhere").status == 404
        assert opens(g.port, "/seen", "Origin: https://evil.example")
        with socket.create_connection(("127.0.0.1", g.port)) as hello:  # TLS at a plain port
            hello.sendall(b"\x16\x03\x01\x00\x02\x01\x00")
            hello.recv(1)
        time.sleep(0.5)
    same = verdict(tmp_path, "--replay", "journal.db")["replay"]
    assert not same["now_refused"] and not same["now_admitted"] and not same["otherwise_refused"]
    assert same["as_before"] == 7 + 3 + 4 + 1 + 1 + 1, same
    changed = CONFIG.replace('origins: ["https://app.example"]\n',
                             'origins: ["https://new.example"]\n').replace("/open/**", "/opened/**")
    changed = changed.replace("mode: observe, ", "")
    (tmp_path / "new.yaml").write_text(changed)
    r = run("check", "new.yaml", "--replay", "journal.db", cwd=tmp_path)
    assert r.returncode == 1 and "would now be refused" in r.stdout
    assert all(len(line) <= 80 for line in r.stdout.splitlines()), r.stdout
    o = json.loads(run("check", "new.yaml", "--replay", "journal.db", "--json",
                       cwd=tmp_path).stdout)["replay"]
    assert sorted((g["count"], g["now"]) for g in o["now_refused"]) == [
        (1, "access.origin"), (3, "access.origin"), (7, "url.path")], o
    assert [(g["count"], g["was"], g["now"]) for g in o["now_admitted"]] == [
        (4, "access.origin", "let in")]
    for group in o["now_refused"] + o["now_admitted"]:
        assert run("why", group["reference"], cwd=tmp_path).returncode == 0


def test_a_journal_that_is_none_is_told(tmp_path):
    r = check(tmp_path, "--replay", "nowhere.db")
    assert r.returncode == 3 and "nowhere.db" in r.stderr
    r = check(tmp_path, "--replay", "nowhere.db", "--json")
    assert r.returncode == 3 and "nowhere.db" in r.stderr and json.loads(r.stdout)["valid"]


def test_what_has_no_place_in_a_replay_is_counted(tmp_path):
    n = 220
    names = ["".join(chr(97 + i // 26 ** k % 26) for k in range(2)) for i in range(n)]
    before = CONFIG.split("routes:")[0] + "routes:\n" + "".join(
        "  - {path: /%s, to: echo}\n" % name for name in names) + "journal: {file: journal.db}\n"
    for half in names[:n // 2], names[n // 2:]:  # new kinds are kept at a rate
        with gateway(tmp_path, before) as g:
            for name in half:
                assert opens(g.port, "/" + name, "Origin: http://127.0.0.1:%d" % g.port)
    (tmp_path / "sesame.yaml").write_text(before.replace(
        "to: echo", "to: echo, allow: {origins: ['https://new.example']}"))
    o = verdict(tmp_path, "--replay", "journal.db")["replay"]
    assert len(o["now_refused"]) == 200 and o["more"] == n - 200


def test_an_admitted_request_shows_where_its_route_stands(tmp_path):
    r = check(tmp_path, "--url", "/chat", *APP)
    assert "sesame.yaml:4  /chat" in r.stdout


# ---- credentials ----

SIGNED = """listen: [{address: '127.0.0.1:0'}]
routes:
  - path: /header
    to: echo
    allow: {token: {hashes_file: tokens, htpasswd_file: users}}
  - {path: /cookie, to: echo, allow: {token: {from: [cookie:session], hashes_file: tokens}}}
  - {path: /query, to: echo, allow: {token: {from: [query:t, header], hashes_file: tokens}}}
  - {path: /offer, to: echo, allow: {subprotocols: [chat], token: {from: subprotocol, hashes_file: tokens}}}
  - {path: /field, to: echo, allow: {token: {from: header:X-Token, hashes_file: tokens}}}
  - path: /signed
    to: echo
    allow: {token: {jwt: {secret_file: secret, claims: {role: admin}}}}
  - {path: /shown, to: echo, allow: {certificates: ["subject:CN=alice", "san:dns:*.devices.example", "san:uri:spiffe://a/*"]}}
  - path: /all
    to: echo
    limits: {handshakes: 1/day, token_handshakes: 1/day}
    allow: {token: {hashes_file: tokens}, authority: {url: "http://127.0.0.1:9/"}}
"""
SECRET = b"0123456789abcdef0123456789abcdef"


def jwt(**claims):
    def part(o):
        return base64.urlsafe_b64encode(json.dumps(o).encode()).rstrip(b"=")
    body = part({"alg": "HS256"}) + b"." + part(claims)
    mac = hmac.new(SECRET, body, hashlib.sha256).digest()
    return (body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "tokens").write_text("bob:%s\n" % hashlib.sha256(b"good").hexdigest())
    digest = base64.b64encode(hashlib.sha1(b"pass").digest()).decode()
    (tmp_path / "users").write_text("alice:{SHA}%s\n" % digest)
    (tmp_path / "secret").write_bytes(SECRET)
    return tmp_path


PLACES = ["/header", "/cookie", "/query", "/offer", "/field"]


@pytest.mark.parametrize("path", PLACES)
def test_a_token_is_judged_where_the_route_takes_it_from(keys, path):
    words = ["--url", path] + (["--subprotocol", "chat"] if path == "/offer" else [])
    r = check(keys, *words, "--token", "good", config=SIGNED)
    assert r.returncode == 0 and "bob" in r.stdout and "taken for good: counts" in r.stdout, r.stdout
    for token in ("bad", "none"):
        o = verdict(keys, *words, "--token", token)
        assert (o["cause"], o["check"], o["status"]) == ("access.credentials", "token", 401)
    o = verdict(keys, *words)
    assert o["admitted"] and o["taken_for_good"].startswith("credentials")
    assert "none was given: taken for good" in json.dumps(o["trace"])
    # what is decided here is what is decided at the door
    with gateway(keys, SIGNED) as g:
        fields = {"/header": ["Authorization: Bearer good"], "/cookie": ["Cookie: session=good"],
                  "/offer": ["Sec-WebSocket-Protocol: chat, bearer, good"],
                  "/field": ["X-Token: good"], "/query": []}[path]
        target = path + ("?t=good" if path == "/query" else "")
        assert opens(g.port, target, *fields)


@pytest.mark.parametrize("words,cause", [
    (["/header", "--user", "alice:pass"], "ok"),
    (["/header", "-u", "alice:wrong"], "access.credentials"),
    (["/header", "-H", "Authorization: Bearer good"], "ok"),
    (["/header", "-H", "Authorization: Bearer bad"], "access.credentials"),
    (["/header", "-H", "X-Other: bad"], "ok"),
    (["/cookie", "-H", "Cookie: session=bad"], "access.credentials"),
    (["/signed", "--token", jwt(role="admin")], "ok"),
    (["/signed", "--token", jwt(role="guest")], "access.permission"),
    (["/signed", "--token", jwt(role="admin", exp=1)], "access.credentials"),
    (["/signed", "--token", jwt(role="admin")[:-2] + "xx"], "access.credentials"),
    (["/shown"], "ok"),
    (["/shown", "--certificate", "subject:CN=alice,O=Example"], "ok"),
    (["/shown", "--certificate", "subject:CN=bob", "--certificate", "san:dns:a.devices.example"], "ok"),
    (["/shown", "--certificate", "subject:CN=bob"], "access.client-cert"),
    (["/shown", "--certificate", "none"], "access.client-cert"),
    (["/shown", "--certificate", "san:uri:spiffe://a/web"], "ok"),
    (["/shown", "--certificate", "san:dns:spiffe://a/web"], "access.client-cert"),
    (["/shown", "--certificate", "san:email:web@a"], "access.client-cert"),
])
def test_what_is_given_is_judged_by_keys_and_hashes(keys, words, cause):
    (keys / "sesame.yaml").write_text(SIGNED)
    o = verdict(keys, "--url", *words)
    assert o["cause"] == cause, o
    assert o["admitted"] is (cause == "ok")


@pytest.mark.parametrize("words", [["--token", "a", "-u", "b:c"], ["--certificate", "CN=a"],
                                   ["--token", "x" * 9000]])
def test_what_cannot_be_sent_is_told(keys, words):
    r = check(keys, "--url", "/header", *words, config=SIGNED)
    assert r.returncode == 2 and r.stderr.startswith("sesame check: --")


def test_what_is_not_known_is_said_of_each(keys):
    r = check(keys, "--url", "/all", "--token", "good", config=SIGNED)
    assert "counts are not known here" in r.stdout and "not asked: taken for good" in r.stdout
    assert "Not known here and taken for good: counts of limits, the authority." in r.stdout
    assert "secret" not in r.stdout and r.returncode == 0


def test_a_file_expects_causes_of_credentials(keys):
    r = check(keys, config=SIGNED + """tests:
  - {url: /header, token: good, expect: admit}
  - {url: /header, token: bad, expect: access.credentials}
  - {url: /header, token: none, expect: "401"}
  - {url: /header, basic: "alice:pass", expect: admit}
  - {url: /header, basic: "alice:wrong", expect: access.credentials}
  - {url: /header, expect: admit}
  - {url: /cookie, cookie: session=bad, expect: access.credentials}
  - {url: /field, headers: {X-Token: good}, expect: admit}
  - {url: /field, headers: {X-Token: bad, X-Other: "1"}, expect: access.credentials}
  - {url: /signed, token: "%s", expect: access.permission}
  - {url: /shown, certificate: none, expect: access.client-cert}
  - {url: /shown, certificate: ["subject:CN=bob", "san:dns:a.devices.example"], expect: admit}
""" % jwt(role="guest"))
    assert r.returncode == 0 and "tests: 12 of 12 pass" in r.stdout, r.stdout + r.stderr


def test_a_replay_says_what_a_journal_cannot_decide(keys):
    config = SIGNED.replace("SIGNED", "") + "journal: {file: journal.db}\n"
    with gateway(keys, config) as g:
        for i in range(3):
            assert opens(g.port, "/header", "Authorization: Bearer good")
        assert ask(g.port, "/header", "Authorization: Bearer bad").status == 401
        assert ask(g.port, "/nowhere").status == 404
        time.sleep(0.5)
    r = check(keys, "--replay", "journal.db", config=config)
    assert r.returncode == 0 and "for all that a journal tells" in r.stdout, r.stdout
    o = verdict(keys, "--replay", "journal.db")["replay"]
    assert o["as_before"] == 5
    groups = {(g["was"], g["count"], g["rule"]) for g in o["undecided"]}
    assert groups == {("let in", 3, "credentials, counts of limits"),
                      ("access.credentials", 1, "credentials, counts of limits")}


def test_a_fault_among_credentials_hides_no_file_that_is_missing(tmp_path):
    r = check(tmp_path, config="""routes:
  - path: /a
    to: echo
    allow: {token: {jwt: {key_file: nokey.pem, algorithms: [HS999]}, hashes_file: nohash}}
""")
    assert r.returncode == 2
    for words in ("HS999", "nokey.pem", "nohash"):
        assert words in r.stderr, r.stderr
    assert len(r.stderr.splitlines()) == 3, r.stderr
    # neither does what is missing
    r = check(tmp_path, config="""routes:
  - path: /a
    to: echo
    allow: {token: {jwt: {algorithms: [HS256]}, hashes_file: nohash}}
""")
    assert "jwt needs key_file" in r.stderr and "nohash" in r.stderr, r.stderr


@pytest.mark.parametrize("more,told", [
    ("journal: {file: .}", "sesame.yaml:1:17: file: `.` is no file"),
    ("journal: {file: words}", "file: `words` is there already, and is no SQLite file"),
    ("journal: {file: one}\nlog: {file: one}", "sesame.yaml:2:13: journal.file and log.file"),
    ("log: {file: one}\njournal: {file: one}", "sesame.yaml:2:17: journal.file and log.file")])
def test_a_journal_that_serve_could_not_open_is_a_fault_of_the_file(tmp_path, more, told):
    (tmp_path / "words").write_text("these are words, and no journal\n")
    config = more + "\nlisten: [{address: '127.0.0.1:0'}]\nroutes: [{path: /a, to: echo}]\n"
    r = check(tmp_path, config=config)
    assert r.returncode == 2 and told in r.stderr, r.stderr
    assert run("serve", "-c", "sesame.yaml", cwd=tmp_path).returncode == 2


def test_a_journal_that_is_there_is_none_of_a_fault(tmp_path):
    (tmp_path / "empty").write_text("")
    assert check(tmp_path, config="journal: {file: empty}\nroutes: [{path: /a, to: echo}]\n"
                 ).returncode == 0
    with gateway(tmp_path, CONFIG) as g:
        assert ask(g.port, "/nowhere").status == 404
        time.sleep(0.3)
        assert run("check", "sesame.yaml", cwd=tmp_path).returncode == 0
    assert run("check", "sesame.yaml", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("pattern,status", [
    ("https://*.org", 2), ("https://*", 2), ("https://ex*.example.org", 2),
    ("https://*.example.org:*", 2), ("https://app.example.*", 2),
    # whose names stand below these is not known, which the page says
    ("https://*.example.org", 0), ("https://*.co.uk", 0)])
def test_a_pattern_is_judged_by_its_form(tmp_path, pattern, status):
    r = check(tmp_path, config="routes: [{path: /a, to: echo, allow: {origins: ['%s']}}]\n" % pattern)
    assert r.returncode == status, r.stdout + r.stderr


PLACES = [
    ("log: {file: nowhere/log}", "1:13: log.file: `nowhere/log` cannot be written: No such file"),
    ("log: {file: shut}", "1:13: log.file: `shut` cannot be written: Is a directory"),
    ("pid_file: nowhere/pid", "1:11: pid_file: `nowhere/pid` cannot be written: No such file"),
    ("admin: {address: '127.0.0.1:0', socket: file}",
     "1:41: admin.socket: `file` cannot be made: File exists"),
    ("journal: {file: made/too/journal.db}", None),
    ("admin: {address: '127.0.0.1:0', socket: made/socket}", None),
]
AS_NOBODY = [
    ("journal: {file: shut/journal.db}", "1:17: journal.file: `shut/journal.db` cannot be written: Perm"),
    ("journal: {file: shut/made/journal.db}",
     "1:17: journal.file: `shut/made/journal.db` cannot be written: Permission"),
    ("log: {file: shut/log}", "1:13: log.file: `shut/log` cannot be written: Permission denied"),
    ("admin: {address: '127.0.0.1:0', socket: shut/socket}",
     "1:41: admin.socket: `shut/socket` cannot be made: Permission denied"),
    ("journal: {file: free/journal.db}", None),
    ("log: {file: free/log}", None),
    ("pid_file: shut/pid", None),  # written before
]


@pytest.mark.parametrize("user,more,told",
                         [(None, *p) for p in PLACES] + [("nobody", *p) for p in AS_NOBODY])
def test_what_a_start_cannot_write_check_tells(tmp_path, user, more, told):
    """And what check says is good does start."""
    if user and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    for name, mode in (("shut", 0o755), ("free", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(mode)
    (tmp_path / "file").write_text("")
    config = more + "\nlisten: [{address: '127.0.0.1:0'}]\nroutes: [{path: /a, to: echo}]\n"
    config += ("user: %s\n" % user) * bool(user)
    config += "journal: {file: none}\n" * ("journal" not in more)
    before = sorted(tmp_path.rglob("*"))
    r = check(tmp_path, config=config)
    assert sorted(p for p in tmp_path.rglob("*") if p.name != "sesame.yaml") == before
    assert r.returncode == (2 if told else 0), r.stderr
    if not told:
        with gateway(tmp_path, config) as g:
            assert opens(g.port, "/a")
        return
    assert r.stderr.startswith("sesame.yaml:" + told) and r.stderr.count("\n") == 1, r.stderr
    assert "as the gateway goes on as nobody" in r.stderr or not user
    r = run("check", "--json", cwd=tmp_path)
    assert r.returncode == 2 and not r.stderr
    assert not json.loads(r.stdout)["valid"] and told in json.loads(r.stdout)["errors"][0]
    assert run("serve", cwd=tmp_path).returncode == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_write_is_warned_where_another_may_start_it(tmp_path):
    (tmp_path / "shut").mkdir()
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)
    check(tmp_path, config="log: {file: shut/log}\nroutes: [{path: /a, to: echo}]\n")
    nobody = {"user": "nobody", "cwd": tmp_path, "capture_output": True, "text": True}
    if subprocess.run(["test", "-x", SESAME], **nobody).returncode != 0:
        pytest.skip("nobody else may run the program here")
    r = subprocess.run([SESAME, "check", "--json"], **nobody)
    assert r.returncode == 0, r.stderr
    assert "shut/log" in json.loads(r.stdout)["warnings"][0]
