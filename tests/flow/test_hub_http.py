# SPDX-License-Identifier: MIT
"""Channels by HTTP: batches, Idempotency-Keys, history and presence by GET."""
import asyncio
import hashlib
import json
import subprocess

import pytest
from gateways import Answer, dial, gateway, read_all, send
from hubs import TOKEN, config, envelopes, epoch, hear, join, leave, number, post, write_tokens

READER = "let-me-read"
ALL = ("hub: {presence: true, history: {messages: 100}, publish: {hashes_file: hashes},"
       " read: {hashes_file: readers}}\nlimits: {message: 1000}")


def write_readers(folder):
    write_tokens(folder)
    digest = hashlib.sha256(READER.encode()).hexdigest()
    (folder / "readers").write_text("reader:%s\n" % digest)


def get(g, query="", channel="lobby", token=READER, fields=()):
    head = "GET /chat/%s%s HTTP/1.1\r\nHost: h\r\n" % (channel, query)
    if token:
        head += "Authorization: Bearer %s\r\n" % token
    head += "".join(f + "\r\n" for f in fields)
    return Answer(send(g.port, head.encode() + b"\r\n"))


def publish(g, body, key=None, channel="lobby", query=""):
    fields = ["Idempotency-Key: " + key] if key else []
    return post(g, body, channel + query, fields)


def test_a_message_that_is_longer_than_many_is_read_too(tmp_path):
    write_readers(tmp_path)
    more = ALL.replace("messages: 100", "messages: 10, bytes: 32MiB").replace(
        "hub: {", "hub: {queue: 2MiB, ").replace("1000", "1MiB")
    long = b"\x01" * (1 << 20)
    with gateway(tmp_path, config(more)) as g:
        if g.redis:
            g.held.allow(8192)  # a channel that nobody is in stays for a while
        for body in (b"one", long, b"two"):
            assert publish(g, body).status == 202
        with dial(g.port) as s:
            s.sendall(b"GET /chat/lobby?limit=2 HTTP/1.1\r\nHost: h\r\n"
                      b"Authorization: Bearer %s\r\n\r\n" % READER.encode())
            answer = Answer(read_all(s, 1 << 26))
        assert answer.status == 200
        told = json.loads(answer.body)
        assert [m["data"] for m in told["messages"]] == ["one", long.decode()]
        answer = get(g, "?since=" + told["next"])
        assert [m["data"] for m in json.loads(answer.body)["messages"]] == ["two"]


def test_a_batch_is_published_in_its_order_or_not_at_all(tmp_path):
    write_readers(tmp_path)

    async def play(g):
        a, plain = await envelopes(g), await join(g)
        body = json.dumps(["one", "two\n", {"x": [1, "]"]}, ["a"]], indent=1).encode()
        answer = await asyncio.to_thread(publish, g, body, query="?batch")
        told = json.loads(answer.body)
        assert answer.status == 202 and told["count"] == 4 and told["members"] == 2
        got = await a.all(4)
        assert [number(m["id"]) for m in got] == [1, 2, 3, 4] and told["id"] == got[0]["id"]
        assert [m["data"] for m in got[:2]] == ["one", "two\n"]
        assert json.loads(got[2]["data"]) == {"x": [1, "]"]}
        assert await hear(plain, 4) == [m["data"] for m in got]
        for bad in (b"", b"{}", b"[]", b"[1]", b'["a",null]', b'["a"', b'["%s"]' % (b"x" * 1001),
                    json.dumps(["x"] * 1001).encode()):
            assert (await asyncio.to_thread(publish, g, bad, query="?batch")).status == 400
        answer = await asyncio.to_thread(publish, g, b"[" + b" " * 16000, query="?batch")
        assert answer.status == 413
        await asyncio.to_thread(publish, g, b"end")
        m = await a.next()
        assert m["data"] == "end" and number(m["id"]) == 5 and "from" not in m
        await leave(a, plain)

    with gateway(tmp_path, config(ALL)) as g:
        asyncio.run(play(g))


def test_an_idempotency_key_publishes_once(tmp_path):
    write_readers(tmp_path)
    with gateway(tmp_path, config(ALL)) as g:
        first = publish(g, b"paid", "order-1")
        again = publish(g, b"paid", "order-1")
        assert first.status == again.status == 202
        one, two = json.loads(first.body), json.loads(again.body)
        assert two.pop("repeated") is True and one == two
        other = publish(g, b"not paid", "order-1")
        assert other.status == 422 and other.reference
        assert g.story(other.reference)["status"] == 422
        assert publish(g, b"paid", "order-2").status == 202
        assert publish(g, b"paid", "order-1", channel="elsewhere").status == 202
        assert publish(g, b"x", "k" * 256).status == 400
        assert publish(g, b"x", "k\r\nIdempotency-Key: l").status == 400
        assert publish(g, b"x", "k" * 255).status == 202
        history = json.loads(get(g).body)
        assert [m["data"] for m in history["messages"]] == ["paid", "paid", "x"]


def test_history_is_read_page_by_page(tmp_path):
    write_readers(tmp_path)
    with gateway(tmp_path, config(ALL)) as g:
        nothing = json.loads(get(g).body)
        assert nothing["messages"] == []
        assert number(nothing["id"]) == 0 if g.redis else nothing["id"] is None
        for i in range(12):
            publish(g, json.dumps(["m%d" % (10 * i + k) for k in range(10)]).encode(),
                    query="?batch")
        got, since, pages = [], "", 0
        while True:
            page = json.loads(get(g, "?limit=30" + since).body)
            got += page["messages"]
            pages += 1
            if "next" not in page:
                break
            since = "&since=" + page["next"]
        assert [number(m["id"]) for m in got] == list(range(21, 121)) and pages == 4
        assert number(page["id"]) == 120 and page["kind"] == "messages"
        old = json.loads(get(g, "?since=%s-15&limit=1" % epoch(page["id"])).body)
        assert old["gap"]["missing"] == 5 and number(old["messages"][0]["id"]) == 21
        odd = json.loads(get(g, "?since=made-up&limit=1").body)
        assert odd["gap"]["missing"] is None
        newest = json.loads(get(g, "?since=" + page["id"]).body)
        assert newest["messages"] == [] and "gap" not in newest


@pytest.mark.parametrize("more,method,allow", [
    (ALL, b"PUT", "GET, POST"), (ALL, b"DELETE", "GET, POST"), ("", b"PUT", "GET"),
    ("", b"POST", "GET")])
def test_another_method_is_told_those_that_the_route_takes(tmp_path, more, method, allow):
    write_readers(tmp_path)
    with gateway(tmp_path, config(more)) as g:
        answer = Answer(send(g.port, method + b" /chat/lobby HTTP/1.1\r\nHost: h\r\n\r\n"))
        assert (answer.status, answer.fields["allow"]) == (405, allow)


def test_presence_of_a_route_without_it_is_refused(tmp_path):
    write_readers(tmp_path)
    with gateway(tmp_path, config(ALL.replace("presence: true, ", ""))) as g:
        answer = get(g, "?presence")
        assert answer.status == 403, answer
        story = g.story(answer.reference)
        assert (story["cause"], story["status"]) == ("access.permission", 403)
        assert "hub.presence" in story["note"]
        assert get(g).status == 200


def test_presence_is_read_by_get(tmp_path):
    write_readers(tmp_path)

    async def play(g):
        members = [await envelopes(g) for _ in range(5)]
        first = json.loads((await asyncio.to_thread(get, g, "?presence&limit=3")).body)
        assert first["count"] == 5 and len(first["members"]) == 3
        rest = json.loads((await asyncio.to_thread(
            get, g, "?presence&after=" + first["next"])).body)
        assert "next" not in rest
        assert sorted(first["members"] + rest["members"]) == sorted(
            m.welcome["you"] for m in members)
        nobody = json.loads((await asyncio.to_thread(get, g, "?presence", "empty")).body)
        assert nobody == {"type": "members", "count": 0, "members": []}
        await leave(*members)

    with gateway(tmp_path, config(ALL)) as g:
        asyncio.run(play(g))


def test_who_may_not_read_is_refused_with_a_reference(tmp_path):
    write_readers(tmp_path)
    with gateway(tmp_path, config(ALL)) as g:
        for token in ("wrong", TOKEN):  # who publishes need not read
            answer = get(g, token=token, fields=["Accept: application/json"])
            told = json.loads(answer.body)
            assert answer.status == 401 and told["cause"] == "access.credentials"
            assert answer.fields["content-type"] == "application/problem+json"
            assert g.story(told["reference"])["status"] == 401
        assert get(g, token=None).status == 426
        assert get(g, "?limit=0").status == get(g, "?limit=1001").status == 400
        assert get(g, channel="a%0ab").status == 400
        assert get(g, fields=["Origin: https://evil.example"]).status == 403
        assert publish(g, b"x").status == 202


def test_publishers_read_where_nobody_else_is_named(tmp_path):
    write_tokens(tmp_path)
    with gateway(tmp_path, config("hub: {publish: {hashes_file: hashes}}")) as g:
        assert get(g, token=TOKEN).status == 200
        assert get(g, token=READER).status == 401
    with gateway(tmp_path, config()) as g:
        assert get(g, token=TOKEN).status == 426


def test_the_commands_of_the_page_work(tmp_path):
    write_readers(tmp_path)

    def curl(*args):
        r = subprocess.run(["curl", "-sS", *args], capture_output=True, text=True, timeout=30)
        return json.loads(r.stdout)

    with gateway(tmp_path, config(ALL)) as g:
        url = "http://127.0.0.1:%d/chat/lobby" % g.port
        token = ["-H", "Authorization: Bearer " + TOKEN]
        assert curl(*token, "--data-binary", "hello", url)["members"] == 0
        assert curl(*token, "-H", "Content-Type: application/json", "--data-binary",
                    '["one", "two", {"x": 3}]', url + "?batch")["count"] == 3
        for _ in range(2):
            told = curl(*token, "-H", "Idempotency-Key: order-4711", "--data-binary", "paid", url)
        assert told["repeated"]
        token = ["-H", "Authorization: Bearer " + READER]
        page = curl(*token, url + "?limit=100")
        assert [m["data"] for m in page["messages"]] == ["hello", "one", "two", '{"x": 3}', "paid"]
        assert curl(*token, url + "?presence&limit=100")["count"] == 0


def test_a_channel_has_a_rate_of_its_own(tmp_path):
    write_readers(tmp_path)
    more = ALL.replace("presence: true", "rates: {channel: 10/minute}")
    with gateway(tmp_path, config(more)) as g:
        for _ in range(10):
            assert publish(g, b"x").status == 202
        answer = publish(g, b"x")
        assert answer.status == 429 and 1 <= int(answer.fields["retry-after"]) <= 6
        assert g.story(answer.reference)["cause"] == "access.rate"
        assert publish(g, b"x", channel="other").status == 202
        batch = publish(g, json.dumps(["x"] * 10).encode(), channel="other", query="?batch")
        assert batch.status == 429
        assert len(json.loads(get(g, channel="other").body)["messages"]) == 1


def test_a_batch_is_held_to_what_its_channel_may_hold(tmp_path):
    write_readers(tmp_path)
    states = ("hub: {kind: state, key: k, keys: 10, history: {bytes: 20KiB},"
              " publish: {hashes_file: hashes}, read: {hashes_file: readers}}")

    def batch(g, values, channel):
        body = json.dumps([{"k": k, "v": v} for k, v in values]).encode()
        return publish(g, body, channel=channel, query="?batch").status

    with gateway(tmp_path, config(states)) as g:
        assert batch(g, [("k%d" % i, 1) for i in range(11)], "a") == 503
        assert batch(g, [("k%d" % i, 1) for i in range(10)], "a") == 202
        assert batch(g, [("k%d" % (i % 10), 1) for i in range(30)], "a") == 202
        assert batch(g, [("k1", None), ("k2", None), ("n1", 1), ("n2", 1)], "a") == 503
        assert batch(g, [("k1", None), ("k2", None)], "a") == 202
        assert batch(g, [("n1", 1), ("n2", 1)], "a") == 202
        assert len(json.loads(get(g, channel="a").body)["messages"]) == 10
        assert batch(g, [(i, "x" * 6000) for i in range(4)], "b") == 503
        assert batch(g, [(i, "x" * 6000) for i in range(3)], "b") == 202
        assert batch(g, [(7, "x" * 6000) for _ in range(9)], "c") == 202


def test_a_batch_is_bounded_and_counted(tmp_path):
    write_readers(tmp_path)
    slow = "hub: {rates: {channel: 5/second}, publish: {hashes_file: hashes}}"
    with gateway(tmp_path, config(slow)) as g:
        answer = publish(g, json.dumps(["x"] * 6).encode(), query="?batch")
        assert answer.status == 413 and b"hub.rates.channel" in answer.body
        answer = publish(g, json.dumps(["x"] * 5).encode(), query="?batch")
        assert answer.status == 202 and json.loads(answer.body)["count"] == 5
        assert post(g, b"", "lobby?batch", length=1024 * 1024 + 1).status == 413


def test_what_is_too_long_for_one_answer_is_followed_by_next(tmp_path):
    write_readers(tmp_path)
    keeps = ("hub: {history: {messages: 100}, publish: {hashes_file: hashes},"
             " read: {hashes_file: readers}}")
    with gateway(tmp_path, config(keeps)) as g:
        for i in range(20):
            assert publish(g, b"%02d" % i + b"x" * 60000).status == 202
        got, query = [], "?limit=1000"
        while query:
            page = json.loads(get(g, query).body)
            got += [m["data"][:2] for m in page["messages"]]
            query = "next" in page and "?limit=1000&since=" + page["next"]
        assert got == ["%02d" % i for i in range(20)]
