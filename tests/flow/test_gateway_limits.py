# SPDX-License-Identifier: MIT
"""How often and how many at a time: by address, by token, by route."""
import hashlib
import re
import time
from calendar import timegm

import pytest

from gateways import SESAME, ask, dial, gateway, opens, reload, request

CONFIG = """
listen: [{address: "127.0.0.1:0"}]
workers: 2
trusted_proxies: [127.0.0.1]
refusal: {disclose: reason}
journal: {file: journal.db}
routes:
  - path: /rate
    to: echo
    limits: {handshakes: 3/hour}
  - path: /count
    to: echo
    limits: {connections: 2}
  - path: /token
    to: echo
    allow: {token: {hashes_file: tokens}}
    limits: {token_handshakes: 2/hour, token_connections: 1, failures: 3/hour}
  - path: /route
    to: echo
    limits: {route_connections: 2}
  - path: /often
    to: echo
    limits: {route_handshakes: 2/minute}
  - path: /watched
    to: echo
    mode: observe
    limits: {handshakes: 1/hour, connections: 1}
"""


def token_file(folder, **tokens):
    (folder / "tokens").write_text("".join(
        "%s:%s\n" % (name, hashlib.sha256(token.encode()).hexdigest())
        for name, token in tokens.items()))


@pytest.fixture
def gate(tmp_path):
    token_file(tmp_path, alice="first-secret", bob="second-secret")
    with gateway(tmp_path, CONFIG) as g:
        yield g


def come(gate, path, address="192.0.2.1", *fields):
    return ask(gate.port, path, "X-Forwarded-For: " + address, *fields)


def enter(gate, path, address="192.0.2.1", *fields):
    """A connection that stays."""
    s = dial(gate.port)
    s.sendall(request(gate.port, path, "X-Forwarded-For: " + address, *fields))
    return s, int(s.recv(4096).split()[1])


def passes_at(story, seconds):
    """The nearest value is a moment, so many seconds after the refusal."""
    m = re.fullmatch(r"one more, from (\S+Z) on \((\d+) s later\)", story["nearest"])
    assert int(m.group(2)) == seconds
    at = timegm(time.strptime(m.group(1), "%Y-%m-%dT%H:%M:%SZ"))
    assert abs(at - story["time_ms"] / 1000 - seconds) <= 1.5


def leave(gate, *sockets):
    for s in sockets:
        s.close()


def test_one_address_may_come_so_often_and_is_told_when_to_come_again(gate):
    statuses = []
    for _ in range(4):
        s, status = enter(gate, "/rate")
        statuses.append(status)
        leave(gate, s)
    assert statuses == [101, 101, 101, 429]
    a = come(gate, "/rate")
    assert a.status == 429 and 1 <= int(a.fields["retry-after"]) <= 1200
    assert "Cause: access.rate" in a.text
    story = gate.story(a.reference)
    assert story["cause"] == "access.rate" and story["check"] == "limits"
    assert story["rule"] == "handshakes: 3/hour"
    assert story["line"] == 10
    assert story["compared"] == "192.0.2.1: none left of 3"
    passes_at(story, int(a.fields["retry-after"]))
    text = gate.why(a.reference).stdout
    assert "compared    192.0.2.1: none left of 3" in text and "nearest     one more, from" in text
    s, status = enter(gate, "/rate", "192.0.2.2")
    assert status == 101
    s.close()


def test_addresses_of_one_site_count_as_one(gate):
    for i in range(3):
        enter(gate, "/rate", "2001:db8::%d" % i)[0].close()
    assert come(gate, "/rate", "2001:db8::9").status == 429
    assert enter(gate, "/rate", "2001:db8:0:1::1")[1] == 101


def test_one_address_may_have_so_many_connections_at_a_time(gate):
    a, _ = enter(gate, "/count")
    b, _ = enter(gate, "/count")
    full = come(gate, "/count")
    assert full.status == 429 and "retry-after" not in full.fields
    story = gate.story(full.reference)
    assert story["rule"] == "connections: 2" and story["compared"] == "192.0.2.1: 2 open"
    assert story["nearest"] == "1 open, when one of them leaves"
    assert enter(gate, "/count", "192.0.2.7")[1] == 101
    leave(gate, a)
    assert wait_until_open(gate, "/count")
    leave(gate, b)


def wait_until_open(gate, path, *fields):
    for _ in range(100):
        s, status = enter(gate, path, "192.0.2.1", *fields)
        s.close()
        if status == 101:
            return True
    return False


def test_all_workers_count_together(gate):
    """Four connections, two workers: more than two would enter if each had its own count."""
    sockets = [enter(gate, "/route", "192.0.2.%d" % i) for i in range(8)]
    assert sorted(status for _, status in sockets) == [101] * 2 + [503] * 6
    a = come(gate, "/route")
    story = gate.story(a.reference)
    assert story["cause"] == "server.limit"
    assert story["compared"] == "all clients together: 2 open"
    leave(gate, *(s for s, _ in sockets))


def test_a_route_has_a_rate_of_its_own(gate):
    assert [enter(gate, "/often", "192.0.2.%d" % i)[1] for i in range(3)] == [101, 101, 429]


def test_a_token_counts_wherever_it_comes_from(gate):
    bearer = "Authorization: Bearer first-secret"
    s, status = enter(gate, "/token", "192.0.2.1", bearer)
    assert status == 101
    busy = come(gate, "/token", "192.0.2.2", bearer)
    assert busy.status == 429
    story = gate.story(busy.reference)
    assert story["rule"] == "token_connections: 1" and story["compared"] == "alice: 1 open"
    assert story["nearest"] == "0 open, when one of them leaves"
    assert enter(gate, "/token", "192.0.2.3", "Authorization: Bearer second-secret")[1] == 101
    s.close()


def test_who_tries_tokens_is_stopped_even_with_a_good_one(gate):
    for i in range(3):
        assert come(gate, "/token", "198.51.100.1",
                    "Authorization: Bearer guess%d" % i).status == 401
    stopped = come(gate, "/token", "198.51.100.1", "Authorization: Bearer second-secret")
    assert stopped.status == 429
    story = gate.story(stopped.reference)
    assert story["rule"] == "failures: 3/hour"
    assert story["compared"] == "198.51.100.1: none left of 3 failures"
    passes_at(story, int(stopped.fields["retry-after"]))
    s, status = enter(gate, "/token", "198.51.100.2", "Authorization: Bearer second-secret")
    assert status == 101
    s.close()


def test_who_brings_no_token_is_not_counted_as_trying(gate):
    for _ in range(5):
        assert come(gate, "/token", "198.51.100.3").status == 401


def test_an_observed_limit_holds_nobody_and_is_journalled(gate):
    sockets = [enter(gate, "/watched")[0] for _ in range(3)]
    stories = [s for s in gate.last() if s["route"] == "/watched"]
    assert [s["observed"] for s in stories] == [True, True]
    assert {s["cause"] for s in stories} == {"access.rate"}
    leave(gate, *sockets)


def test_who_is_refused_by_another_rule_does_not_use_up_the_rate(gate):
    foreign = "Origin: https://elsewhere.example"
    for _ in range(5):
        assert come(gate, "/rate", "192.0.2.9", foreign).status == 403
    assert enter(gate, "/rate", "192.0.2.9")[1] == 101


def test_plain_http_does_not_use_it_up_either(gate):
    for _ in range(5):
        assert ask(gate.port, "/rate", "X-Forwarded-For: 192.0.2.10",
                   upgrade="").status == 426
    assert enter(gate, "/rate", "192.0.2.10")[1] == 101


def test_counts_outlive_a_reload(gate):
    s, _ = enter(gate, "/count")
    t, _ = enter(gate, "/count")
    reload(gate, CONFIG + "  - path: /more\n    to: echo\n", "reloaded")
    assert come(gate, "/count").status == 429
    leave(gate, s, t)
    assert wait_until_open(gate, "/count")


@pytest.mark.parametrize("limits, words", [
    ("handshakes: 20", "handshakes is a rate, as in 20/minute"),
    ("handshakes: 0/minute", "handshakes is a rate"),
    ("connections: 0", "out of range"),
    ("token_handshakes: 1/second", "token_handshakes: 1/second needs `allow.token`"),
    ("conections: 3", "did you mean `connections`"),
])
def test_faults_are_told_with_their_place(tmp_path, limits, words):
    from gateways import run
    (tmp_path / "sesame.yaml").write_text(
        "routes:\n  - path: /\n    to: echo\n    limits: {%s}\n" % limits)
    r = run("check", "sesame.yaml", cwd=tmp_path)
    assert r.returncode == 2 and words in r.stdout + r.stderr
    assert "sesame.yaml:4:" in r.stdout + r.stderr
