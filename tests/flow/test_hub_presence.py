# SPDX-License-Identifier: MIT
"""Who is there, who comes and goes, and who may do what."""
import asyncio
import base64
import hashlib
import hmac
import json
import time

from gateways import gateway
from hubs import config, envelopes, hear, join, leave

SECRET = b"0123456789abcdef0123456789abcdef"
TOKENS = ("hub: {presence: true, may: {publish: {role: editor}, presence: {scope: see}}}\n"
          "allow: {token: {from: query:token, jwt: {secret_file: secret}}}")


def jwt(**claims):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    signed = part(b'{"alg":"HS256"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.new(SECRET, signed, hashlib.sha256).digest())).decode()


async def come(g, **claims):
    return await envelopes(g, "lobby?token=" + jwt(**claims))


async def gather_news(member, names, seconds=10):
    """Follow who is there until it is @names."""
    there = set(member.there)
    end = time.time() + seconds
    while there != names:
        e = await member.next("presence", seconds=max(0.1, end - time.time()))
        there = (there | set(e["joined"])) - set(e["left"])
        assert not e.get("more") and e["count"] <= len(there) + 1000
    member.there = there


def test_names_come_and_go_once_however_many_connections_they_have(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)

    async def play(g):
        a = await come(g, sub="alice", role="editor", scope="see")
        a.there = set()
        assert a.welcome["you"] == "alice" and a.welcome["count"] == 1
        await gather_news(a, {"alice"})
        b1, b2 = [await come(g, sub="bob", role="reader", scope="x see") for _ in range(2)]
        await gather_news(a, {"alice", "bob"})
        assert b2.welcome["count"] == 2
        listed = await a.ask(presence="list")
        assert listed["count"] == 2 and listed["members"] == ["alice", "bob"]
        await leave(b1)
        assert await a.is_silent()
        assert (await a.ask(presence="count"))["count"] == 2
        await leave(b2)
        await gather_news(a, {"alice"})
        await leave(a)

    with gateway(tmp_path, config(TOKENS)) as g:
        asyncio.run(play(g))


def test_claims_say_who_may_publish_and_who_may_see(tmp_path):
    (tmp_path / "secret").write_bytes(SECRET)

    async def play(g):
        editor = await come(g, sub="alice", role=["editor"], scope="see")
        reader = await come(g, sub="bob")
        plain = await join(g, "lobby?token=" + jwt(sub="eve"))
        assert "count" not in reader.welcome
        e = await reader.ask(publish="x")
        assert e["code"] == "permission" and e["cause"] == "access.permission"
        story = g.story(e["reference"])
        assert story["status"] == 403 and "hub.may.publish" in story["note"]
        assert (await reader.ask(presence="list"))["code"] == "permission"
        assert (await editor.ask(publish="hello"))["type"] == "ack"
        m = await reader.hear()  # no news came before it
        assert m["data"] == "hello" and m["from"] == "alice"
        assert await hear(plain, 1) == ["hello"]
        await plain.send("I may not")
        await asyncio.wait_for(plain.wait_closed(), 10)
        assert plain.close_code == 1008
        assert g.story(plain.close_reason.split()[0])["cause"] == "access.permission"
        await leave(editor, reader)

    with gateway(tmp_path, config(TOKENS)) as g:
        asyncio.run(play(g))


def test_a_storm_of_comings_and_goings_costs_the_others_little(tmp_path):
    async def flutter(g, n):
        for _ in range(n):
            m = await join(g)
            m.transport.abort()

    async def play(g):
        a, b = [await envelopes(g, max_queue=None) for _ in range(2)]
        a.there = set()
        begin = time.time()
        heard = []

        async def listen():
            while True:
                heard.append(await a.hear())

        listener = asyncio.ensure_future(listen())
        await asyncio.gather(*[flutter(g, 60) for _ in range(10)])
        for i in range(50):
            await b.say(publish=str(i))
        await asyncio.sleep(1)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        news = [e for e in heard if e["type"] == "presence"]
        assert len(news) <= (time.time() - begin) * 10 + 2
        assert news[-1]["count"] == 2
        assert [e["data"] for e in heard if e["type"] == "message"] == [str(i) for i in range(50)]
        await leave(a, b)

    with gateway(tmp_path, config("hub: {presence: true}")) as g:
        asyncio.run(play(g))


def test_a_long_list_is_told_page_by_page(tmp_path):
    async def play(g):
        members = [await envelopes(g) for _ in range(30)]
        got, after = [], {}
        while True:
            page = await members[0].ask(presence="list", limit=7, **after)
            assert page["count"] == 30
            got += page["members"]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        assert got == [m.welcome["you"] for m in members]
        for bad in ({"limit": 0}, {"limit": 1001}, {"after": 3}, {"after": "x" * 300}):
            assert (await members[0].ask(presence="list", **bad))["code"] == "bad"
        await leave(*members)

    with gateway(tmp_path, config("hub: {presence: true}")) as g:
        asyncio.run(play(g))
