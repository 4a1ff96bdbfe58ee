# SPDX-License-Identifier: MIT
"""Two gateways on one Redis are one, as far as anybody can tell."""
import asyncio
import json
import re
from pathlib import Path

import pytest
from backplanes import CHANNELS, cluster, get, page, prepare, start, until
from gateways import Answer, Gateway, ask, gateway, run, send
from held import Held
from hubs import TOKEN, config, envelopes, epoch, join, leave, number, post
from redis_server import HERE, redis_server

pytestmark = pytest.mark.skipif(not HERE, reason="needs redis-server")
REQUEST = b"GET /chat/%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n"


def together(tmp_path, play, more=CHANNELS):
    with cluster(tmp_path, more=more) as (redis, a, b):
        result = play(a, b, redis)
        if result:
            asyncio.run(result)


def test_who_is_at_one_hears_who_is_at_the_other(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        first = await x.ask(publish="one")
        told = await y.next("message")
        assert (told["id"], told["data"], told["from"]) == (
            first["id"], "one", x.welcome["you"])
        second = await y.ask(publish={"n": 2})
        assert (number(second["id"]), epoch(second["id"])) == (2, epoch(first["id"]))
        assert json.loads((await x.next("message"))["data"]) == {"n": 2}
        await leave(x)
        back = await envelopes(b, since=first["id"])
        assert back.welcome["resumed"] and (await back.next())["id"] == second["id"]
        assert await back.is_silent()
        await leave(y, back)

    together(tmp_path, play)


def test_a_program_publishes_at_one_and_reads_at_the_other(tmp_path):
    def play(a, b, redis):
        key = ["Idempotency-Key: order-1"]
        first = json.loads(post(a, b"paid", fields=key).body)
        again = json.loads(post(b, b"paid", fields=key).body)
        assert again["repeated"] and again["id"] == first["id"]
        assert post(b, b"unpaid", fields=key).status == 422
        status, held = get(b)
        assert status == 200 and [m["data"] for m in held["messages"]] == ["paid"]

    together(tmp_path, play)


def rights():
    """What stands on the page about a user of its own."""
    page = (Path(__file__).parents[2] / "docs/delivery.md").read_text(encoding="utf-8")
    found = re.search(r"ACL SETUSER sesame (on .*?)```", page, re.DOTALL)
    return found[1].replace("\\\n", " ").replace("PASSWORD", "word").split()


def test_a_user_of_redis_who_may_do_no_more_than_the_page_says(tmp_path):
    async def play(g, redis):
        x = await envelopes(g)
        assert post(g, b"one").status == 202
        assert (await x.next("message"))["data"] == "one"
        redis.ask("CLIENT", "KILL", "TYPE", "normal")
        redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        until(lambda: post(g, b"two").status == 202)
        assert (await x.next("message"))["data"] == "two"
        assert (await x.ask(presence="list"))["members"] == [x.welcome["you"]]
        assert redis.ask("ACL", "LOG") == b"*0"  # nothing was refused
        await leave(x)

    with redis_server(tmp_path) as redis:
        assert redis.ask("ACL", "SETUSER", "sesame", *rights()) == b"+OK"
        folder, text = prepare(tmp_path, "a", redis)
        with gateway(folder, text.replace("redis://", "redis://sesame:word@")) as g:
            until(lambda: "is there" in (g.folder / "err").read_text())
            asyncio.run(play(g, redis))


def test_people_are_seen_wherever_they_are(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        while (await x.ask(presence="count"))["count"] < 2:
            await asyncio.sleep(0.05)
        names = {x.welcome["you"], y.welcome["you"]}
        assert set((await x.ask(presence="list"))["members"]) == names
        assert set((await y.ask(presence="list"))["members"]) == names
        assert set(get(b, "?presence")[1]["members"]) == names
        b.process.kill()
        b.process.wait()
        left = await x.next("presence", seconds=20)
        while left["left"] != [y.welcome["you"]]:
            left = await x.next("presence", seconds=20)
        assert left["count"] == 1
        await leave(x)

    with redis_server(tmp_path) as redis, start(tmp_path, "a", redis) as a:
        b = Gateway(*prepare(tmp_path, "b", redis))
        asyncio.run(play(a, b, redis))
        b.err.close()
        b.process.stdout.close()


def test_states_are_the_same_everywhere(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        for price in range(5):
            await x.ask(publish={"key": "ACME", "price": price})
        while json.loads((await y.next("state"))["data"])["price"] < 4:
            pass
        late = await envelopes(b)
        value = await late.next("state")
        assert value["key"] == "ACME" and json.loads(value["data"])["price"] == 4
        await leave(x, y, late)

    together(tmp_path, play, "hub: {kind: state}")


def test_without_redis_who_publishes_is_told_and_members_stay(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        await x.ask(publish="before")
        redis.kill()
        until(lambda: "is away" in (a.folder / "err").read_text())
        error = await x.ask(publish="meanwhile")
        assert (error["type"], error["code"], error["cause"]) == (
            "error", "unavailable", "server.backend-down")
        answer = await asyncio.to_thread(post, a, b"meanwhile")
        assert answer.status == 503 and answer.reference
        assert a.story(answer.reference)["cause"] == "server.backend-down"
        redis.start()
        until(lambda: "is there again" in (b.folder / "err").read_text())
        while (said := await x.ask(publish="after"))["type"] != "ack":
            await asyncio.sleep(0.1)
        assert (await y.next("message"))["data"] == "before"
        gap = await y.next()
        assert (gap["type"], gap["missing"]) == ("gap", None)
        assert (await y.next())["id"] == said["id"]
        await leave(x, y)

    together(tmp_path, play)


def test_who_was_refused_for_the_backplane_is_told_of_that_setting(tmp_path):
    """Its line, what is wrong there, and what to do: by a POST, a GET, a message."""
    def refusals(g):
        async def by_message():
            x, plain = await envelopes(g), await join(g)
            error = await x.ask(publish="x")
            await plain.send("x")
            await asyncio.wait_for(plain.wait_closed(), 10)
            await leave(x)
            return [error["reference"], plain.close_reason.split()[0]]

        return [post(g, b"x").reference, *asyncio.run(by_message())]

    def check(g, references, trouble, remedy, cause="server.backend-down"):
        line = 1  # it is the first one
        for reference in references:
            told = " ".join(g.why(reference).stdout.split())
            assert "application" not in told
            assert "backplane" in told and remedy in told and trouble in told, told
            assert "sesame.yaml:%d" % line in told and "redis-cli -u redis:" in told
            assert "to: hub" not in told and "hush" not in told
            story = g.story(reference)
            assert (story["cause"], story["check"], story["line"]) == (
                cause, "backplane", line)
            assert story["rule"] == "redis://127.0.0.1:%d/0" % redis.port
            assert trouble in story["compared"]

    with redis_server(tmp_path, password="hush-hush") as redis, start(tmp_path, "a", redis) as a:
        assert a.config.read_text().startswith("backplane: ")
        until(lambda: post(a).status == 202)
        redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        check(a, refusals(a), "OOM", "Raise its `maxmemory`", "server.limit")
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        redis.ask("CONFIG", "SET", "requirepass", "other-hush")
        redis.password = "other-hush"
        redis.ask("CLIENT", "KILL", "TYPE", "normal")
        until(lambda: "refuses the user" in (a.folder / "err").read_text())
        check(a, refusals(a), "refuses the user", "Correct the user, the password")
        redis.kill()
        until(lambda: "is away: c" in (a.folder / "err").read_text())
        check(a, refusals(a), "refused", "Nobody listens there")
        # A channel that nobody was in cannot be read: it is waited for, at first.
        answer = Answer(send(a.port, REQUEST % (b"elsewhere", TOKEN.encode()), seconds=20))
        assert answer.status == 503
        check(a, [answer.reference], "refused", "Nobody listens there")
        status, text = page(a, "/refusals/" + answer.reference)
        assert status == 200 and "Nobody listens there" in " ".join(text.split())
        assert "application" not in text


def test_who_finds_redis_full_is_told_so_in_a_sentence_of_its_own(tmp_path):
    async def say():
        x = await envelopes(a)
        error = await x.ask(publish="x")
        await leave(x)
        return error

    with redis_server(tmp_path) as redis, start(tmp_path, "a", redis) as a:
        until(lambda: post(a).status == 202)
        redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        error = asyncio.run(say())
        assert (error["code"], error["cause"], error["text"]) == (
            "storage", "server.limit", "the store of the channels is full")
        answer = post(a, b"x")
        assert answer.status == 503 and "The store of the channels is full" in answer.text
        for reference in (error["reference"], answer.reference):
            assert "Redis is full: it has reached its maxmemory." in a.headline(reference)


def test_why_is_answered_by_each_for_all(tmp_path):
    def play(a, b, redis):
        refused = ask(a.port, "/chat/lobby", "Origin: https://evil.example")
        assert refused.status == 403
        until(lambda: b.why(refused.reference).returncode == 0)
        told = b.why(refused.reference)
        assert "access.origin" in told.stdout and "\n  node  " in told.stdout
        assert "https://evil.example" in told.stdout
        assert b.story(refused.reference)["node"] == "a"
        redis.kill()
        other = b.why("ZZZZ-ZZZZ")
        assert other.returncode == 1 and "other gateways cannot be asked" in other.stderr

    together(tmp_path, play)


def test_why_finds_elsewhere_what_was_refused_while_redis_took_nothing(tmp_path):
    """It was full, and it was away; what was refused meanwhile is told when it is neither."""
    def play(a, b, redis):
        redis.ask("CONFIG", "SET", "maxmemory", "1mb")
        full = post(a, b"x")
        assert full.status == 503 and b.why(full.reference).returncode == 1
        redis.ask("CONFIG", "SET", "maxmemory", "0")
        until(lambda: b.why(full.reference).returncode == 0)
        assert "Redis is full: it has reached its maxmemory." in b.headline(full.reference)
        assert b.story(full.reference)["node"] == "a"
        redis.kill()
        until(lambda: "is away" in (a.folder / "err").read_text())
        away = [post(a), ask(a.port, "/chat/lobby", "Origin: https://evil.example")]
        redis.start()
        for answer, word in zip(away, ("The backplane took nothing.", "access.origin")):
            until(lambda: b.why(answer.reference).returncode == 0)
            assert word in b.headline(answer.reference)

    together(tmp_path, play)


def test_what_no_gateway_wrote_is_skipped_and_told(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        first = await x.ask(publish="one")
        key = redis.ask("KEYS", "*:m").split(b"\r\n")[2]
        redis.ask("XADD", key, "2-0", "e", "rubbish")
        redis.ask("HSET", key[:-1] + b"h", "seq", "2")
        redis.ask("PUBLISH", "sesame:0:c:/chat/* lobby", "mrubbish\x00\xff")
        third = await x.ask(publish="three")
        assert number(third["id"]) == 3
        told = [await y.next() for _ in range(3)]
        assert [t["type"] for t in told] == ["message", "gap", "message"]
        assert told[0]["id"] == first["id"] and told[2]["data"] == "three"
        assert told[1]["missing"] == 1 and number(told[1]["from"]) == 2
        assert "no gateway wrote" in (b.folder / "err").read_text()
        await leave(x, y)

    together(tmp_path, play)


def test_heaps_of_rubbish_hold_up_nobody(tmp_path):
    async def play(a, b, redis):
        x = await envelopes(a)
        await x.ask(publish={"key": "good", "n": 1})
        key = redis.ask("KEYS", "*:s").split(b"\r\n")[2]
        for i in range(12):
            redis.ask("HSET", key, "junk-%d" % i, "x" * 60000)
            redis.ask("ZADD", key[:-1] + b"o", i % 3, "junk-%d" % i)
        await x.ask(publish={"key": "better", "n": 2})
        y = await envelopes(b)
        assert [(await y.next("state"))["key"] for _ in range(2)] == ["good", "better"]
        assert "no gateway wrote" in (b.folder / "err").read_text()
        await leave(x, y)

    together(tmp_path, play, "hub: {kind: state}\nlimits: {message: 1000}")


def test_a_gateway_starts_while_redis_is_away(tmp_path):
    with redis_server(tmp_path) as redis:
        redis.kill()
        with start(tmp_path, "a", redis) as a:
            until(lambda: "is away" in (a.folder / "err").read_text())
            assert post(a).status == 503
            redis.start()
            until(lambda: post(a).status == 202)
            a.held = Held(a.process.pid)  # with its connections to Redis


def test_the_password_is_nobodys(tmp_path):
    with redis_server(tmp_path, password="hush-hush") as redis, start(tmp_path, "a", redis) as a:
        until(lambda: post(a).status == 202)
        assert "hush" not in (a.folder / "err").read_text()
        wrong = redis.url.replace("hush-hush", "hush-hash")
        (a.folder / "other.yaml").write_text("backplane: %s\n%s" % (wrong, config(CHANNELS)))
        assert "hash" not in run("check", "other.yaml", cwd=a.folder).stdout


def test_a_password_that_redis_repeats_is_repeated_to_nobody(tmp_path):
    """As servers do that do not know AUTH: they tell what they do not know."""
    with redis_server(tmp_path, 'rename-command AUTH ""') as redis:
        assert b"hush-hush" in redis.ask("AUTH", "hush-hush")
        folder, text = prepare(tmp_path, "a", redis)
        text = text.replace("redis://", "redis://:hush-hush@")
        with gateway(folder, text) as a:
            until(lambda: "refuses the user, the password" in (folder / "err").read_text())
            refused = post(a)
            assert refused.status == 503
            told = [refused.text, (folder / "err").read_text(), page(a, "/status.json")[1],
                    page(a, "/")[1], json.dumps(a.story(refused.reference))]
            assert all("hush" not in t for t in told)


def test_a_refusal_that_somebody_made_up_is_shown_as_any_strangers_words(tmp_path):
    def play(a, b, redis):
        look = {"check": "a\x1b[31m", "rule": "b\x07\u009b", "value": "c\n\u202ed", "passed": False,
                "line": 1}
        forged = {"reference": "AAAA-BBBB", "cause": "access.origin", "check": "origin",
                  "status": 403, "trace": [look, 7, None, {}]}
        redis.ask("SET", "sesame:note:why:AAAA-BBBB", json.dumps(forged))
        redis.ask("SET", "sesame:note:why:CCCC-DDDD", json.dumps(forged))
        told = b.why("AAAA-BBBB")
        assert told.returncode == 0 and "access.origin" in told.stdout
        assert not set("\x1b\x07\u009b\u202e") & set(told.stdout)
        assert b.why("CCCC-DDDD").returncode == 1  # another's

    together(tmp_path, play)


def test_figures_and_status_page_tell_of_the_backplane(tmp_path):
    def says(g, path, words):
        return words in page(g, path)[1]

    with redis_server(tmp_path, password="geheim") as redis:
        with start(tmp_path, "left", redis) as g:
            until(lambda: says(g, "/metrics", "sesame_backplane_up 1"))
            assert says(g, "/metrics", 'sesame_node_info{node="left"} 1')
            for name in ("untold", "channels_ended", "messages_trimmed"):
                assert says(g, "/metrics", "sesame_backplane_%s_total 0" % name)
            told = json.loads(page(g, "/status.json")[1])["backplane"]
            assert told["up"] and told["node"] == "left" and told["nodes"] == 1
            assert says(g, "/", "%d/0</code>: up" % redis.port)
            redis.kill()
            until(lambda: says(g, "/metrics", "sesame_backplane_up 0"))
            assert says(g, "/", "</code>: down")
            for path in ("/", "/metrics", "/metrics/cluster", "/status.json"):
                assert not says(g, path, "geheim")
            redis.start()
            until(lambda: says(g, "/metrics", "sesame_backplane_up 1"))
        assert "geheim" not in (tmp_path / "left" / "err").read_text()
