# SPDX-License-Identifier: MIT
"""What any gateway of a backplane tells of all of them: figures, and why somebody
was refused at another one."""
import asyncio
import json
import re
import signal
import threading
import time

import pytest
from backplanes import cluster, page, start, until
from gateways import ask, gateway
from hubs import config, envelopes, leave
from redis_server import HERE, redis_server

pytestmark = pytest.mark.skipif(not HERE, reason="needs redis-server")
SERIES = re.compile(r'(sesame_\w+)(?:\{((?:\w+="[^"\\\n]*",?)+)\})? (-?[0-9.e+]+)')


def figures(g, path="/metrics/cluster"):
    """Series by name and labels; it has to be what Prometheus takes."""
    status, text = page(g, path)
    assert status == 200
    all, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            assert line.split()[2] not in typed
            typed.add(line.split()[2])
        if line.startswith("#"):
            continue
        name, labels, value = SERIES.fullmatch(line).groups()
        assert name in typed and (name, labels) not in all
        all[name, labels] = float(value)
    return all


def of(all, name):
    """{node: value} of a family without other labels."""
    return {re.match('node="(.*)"', labels)[1]: value for (n, labels), value in all.items()
            if n == "sesame_cluster_" + name}


def nodes(g):
    all = figures(g)
    return [all["sesame_cluster_" + name, None] for name in ("up", "nodes", "nodes_shown")]


def malformed(g):
    return figures(g, "/metrics")["sesame_backplane_malformed_total", None]


def note_of(redis, name):
    """The key of the figures of the gateway that is called @name."""
    for key in redis.ask("KEYS", "sesame:note:figures:*").split(b"\r\n")[2::2]:
        if b'"node":"%s"' % name.encode() in redis.ask("GET", key):
            return key


def test_each_shows_the_figures_of_all(tmp_path):
    async def play(redis, a, b, c):
        members = [await envelopes(g) for g in (a, b, b)]
        await members[0].ask(publish="one")
        assert ask(c.port, "/chat/lobby", "Origin: https://evil.example").status == 403

        def all_is_told(g):
            f = figures(g)
            return of(f, "connections") == {"a": 1, "b": 2, "c": 0} and of(
                f, "backplane_published_total") == {"a": 1, "b": 0, "c": 0} and f.get((
                    "sesame_cluster_handshakes_total",
                    'node="c",result="refused",cause="access.origin"')) == 1

        for g in (a, b, c):
            await asyncio.to_thread(until, lambda: all_is_told(g))
            assert nodes(g) == [1, 3, 3]
            # Who adds up what all of them show by themselves counts nothing twice.
            own = {name for name, _ in figures(g, "/metrics")}
            assert not own & {name for name, _ in figures(g)}
        assert set(of(figures(a), "channel_members").values()) == {0, 1, 2}
        c.process.kill()
        c.process.wait()
        for g in (a, b):
            await asyncio.to_thread(until, lambda: nodes(g) == [1, 2, 2], 25)
            assert set(of(figures(g), "connections")) == {"a", "b"}
        await leave(*members)

    with cluster(tmp_path, "ab") as (redis, a, b):
        c = start(tmp_path, "c", redis)
        g = c.__enter__()
        until(lambda: nodes(a) == [1, 3, 3])
        asyncio.run(play(redis, a, b, g))
        with pytest.raises(AssertionError):  # it was killed
            c.__exit__(None, None, None)


def test_rubbish_in_the_place_of_figures_is_skipped_and_counted(tmp_path):
    good = {"node": "b", "version": "1", "started_ms": 1, "figures": {"connections": 7}, "refused": {}}
    rubbish = [b"\xff\x00", b"[]", b"{}", b"x" * 3000000, b"[" * 16000,
               json.dumps(dict(good, node='b"} 1\nevil')), json.dumps(dict(good, node="x" * 80)),
               json.dumps(dict(good, version='1"2')), json.dumps(dict(good, node="b\xb5")),
               json.dumps(dict(good, figures={"connections": -1})),
               json.dumps(dict(good, figures={"connections": "7"})),
               json.dumps(dict(good, refused={"access.origin": 1.5})),
               json.dumps(dict(good, refused=[])),
               json.dumps(good).replace('"b"', '"b", "node": "c"')]
    with cluster(tmp_path) as (redis, a, b):
        until(lambda: nodes(a) == [1, 2, 2])
        key = note_of(redis, "b")
        alive = b"+" + key.rsplit(b":", 1)[1]
        b.process.send_signal(signal.SIGSTOP)  # and it is said to live on
        try:
            redis.ask("SET", key, json.dumps(dict(good, figures={"connections": 7, "new": {}},
                                                  refused={"new.cause": [], "access.ip": 2})))
            assert of(figures(a), "connections") == {"a": 0, "b": 7}
            assert malformed(a) == 0
            for i, text in enumerate(rubbish):
                redis.ask("PUBLISH", "sesame:0:nodes:all", alive)
                redis.ask("SET", key, text)
                assert nodes(a) == [1, 2, 1], text[:80]
                until(lambda: malformed(a) == i + 1)
            redis.ask("DEL", key)
            redis.ask("LPUSH", key, "x")
            assert nodes(a) == [1, 2, 1]
            until(lambda: malformed(a) == len(rubbish) + 1)
            redis.ask("DEL", key)
        finally:
            b.process.send_signal(signal.SIGCONT)
        assert "no gateway wrote" in (a.folder / "err").read_text()


def test_two_of_one_name_are_told_apart(tmp_path):
    with redis_server(tmp_path) as redis, start(tmp_path, "a", redis, node="twin") as a, \
            start(tmp_path, "b", redis, node="twin") as b:
        names = until(lambda: len(of(figures(a), "ready")) == 2 and of(figures(a), "ready"))
        assert re.fullmatch("twin,twin#[0-9a-f]{16}", ",".join(sorted(names)))
        until(lambda: set(of(figures(b), "ready")) == set(names))


def test_a_gateway_that_is_alone_is_all_there_is(tmp_path):
    with gateway(tmp_path, "admin: {address: 127.0.0.1:0}\nnode: hermit\n%s" % config()) as g:
        assert nodes(g) == [1, 1, 1] and of(figures(g), "connections") == {"hermit": 0}


def answers_meanwhile(g, path):
    """What comes of @path, how long that takes, and the longest wait of others
    in that time."""
    result, slowest = [], 0
    begun = time.time()
    asking = threading.Thread(target=lambda: result.append(page(g, path)))
    asking.start()
    while asking.is_alive():
        at = time.time()
        assert page(g, "/healthz")[0] == 200
        slowest = max(slowest, time.time() - at)
        time.sleep(0.02)
    return *result[0], time.time() - begun, slowest


def test_who_asks_of_all_while_redis_is_silent_or_away_holds_up_nobody(tmp_path):
    with cluster(tmp_path) as (redis, a, b):
        until(lambda: nodes(a) == [1, 2, 2])
        redis.pause()
        for path, status in (("/metrics/cluster", 200), ("/refusals/ZZZZ-ZZZZ", 503)):
            got, text, took, slowest = answers_meanwhile(a, path)
            assert got == status and took < 5 and slowest < 2.5
        assert "backplane does not answer" in text
        until(lambda: nodes(a)[0] == 0)
        assert nodes(a)[2] == 1
        redis.resume()
        until(lambda: nodes(a) == [1, 2, 2])
        redis.kill()
        until(lambda: nodes(a)[0] == 0)
        assert page(a, "/refusals/ZZZZ-ZZZZ")[0] == 503
        redis.start()
        until(lambda: nodes(a) == [1, 2, 2])
        assert page(a, "/refusals/ZZZZ-ZZZZ")[0] == 404
        # Those who leave before the answer leave nothing behind.
        redis.pause()
        for _ in range(40):
            asyncio.run(leaves_early(a, "/metrics/cluster"))
        redis.resume()
        until(lambda: nodes(a) == [1, 2, 2])


async def leaves_early(g, path):
    host, port = g.admin[7:].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
    await writer.drain()
    writer.close()


def test_a_page_tells_why_somebody_was_refused_at_another_gateway(tmp_path):
    with cluster(tmp_path) as (redis, a, b):
        refused = ask(a.port, "/chat/lobby?token=hush", "Origin: https://evil.example")
        status, text = until(lambda: (got := page(b, "/refusals/" + refused.reference))[0] == 200
                             and got)
        for words in ("access.origin", "https://evil.example", "<th>by</th><td>a</td>",
                      "What can be done", "sesame.yaml"):
            assert words in text
        assert "hush" not in text
        assert page(b, "/refusals/" + refused.reference.lower())[0] == 200
        assert page(b, "/refusals/0000-0000")[0] == 404
        assert page(b, "/refusals/U")[0] == 404
        before = malformed(b)
        redis.ask("SET", "sesame:note:why:0000-0000", redis.ask(
            "GET", "sesame:note:why:" + refused.reference).split(b"\r\n", 1)[1])
        assert page(b, "/refusals/0000-0000")[0] == 404  # it tells of another one
        until(lambda: malformed(b) == before + 1)
        redis.ask("SET", "sesame:note:why:0000-0000", "<script>alert(1)</script>")
        assert page(b, "/refusals/0000-0000")[0] == 404
        until(lambda: malformed(b) == before + 2)
