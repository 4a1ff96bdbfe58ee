# SPDX-License-Identifier: MIT
"""Channels of a running gateway, for tests: members, and programs that publish."""
import asyncio
import hashlib
import json
import os

import pytest
from gateways import Answer, send

websockets = pytest.importorskip("websockets")

PUBLISH = "hub: {publish: {hashes_file: hashes}}\nlimits: {message: 1000}"
HUB = """listen:
  - address: 127.0.0.1:0
workers: %d
routes:
  - path: /chat/*
    to: hub
%s
refusal: {disclose: reason}
"""
TOKEN = "let-me-publish"


# What holds only of a process that is alone, and forgets.
ALONE = pytest.mark.skipif(os.environ.get("SESAME_BACKPLANE") == "redis",
                           reason="Redis remembers")


def config(more="", workers=2):
    return HUB % (workers, "".join("    %s\n" % line for line in more.splitlines()))


def write_tokens(folder):
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    (folder / "hashes").write_text("backend:%s\n" % digest)


def join(g, channel="lobby", **more):
    more.setdefault("compression", None)
    return websockets.connect("%s/chat/%s" % (g.url, channel), **more)


async def hear(member, n, seconds=30):
    return [await asyncio.wait_for(member.recv(), seconds) for _ in range(n)]


async def leave(*members):
    await asyncio.gather(*[m.close() for m in members], return_exceptions=True)


def post(g, body=b"hello", channel="lobby", fields=(), token=TOKEN, length=None):
    head = "POST /chat/%s HTTP/1.1\r\nHost: h\r\n" % channel
    if token:
        head += "Authorization: Bearer %s\r\n" % token
    if length != "":
        head += "Content-Length: %s\r\n" % (len(body) if length is None else length)
    head += "".join(f + "\r\n" for f in fields)
    return Answer(send(g.port, head.encode() + b"\r\n" + body))


class Envelopes:
    """A member that speaks sesame.v1."""

    def __init__(self, ws, welcome=None):
        self.ws, self.welcome = ws, welcome

    async def hear(self, seconds=30):
        return json.loads(await asyncio.wait_for(self.ws.recv(), seconds))

    async def next(self, *types, seconds=30):
        """The next envelope of these types; others are passed over."""
        while True:
            e = await self.hear(seconds)
            if e["type"] in (types or ("message", "state", "gap")):
                return e

    async def all(self, n):
        return [await self.next() for _ in range(n)]

    async def say(self, **demand):
        await self.ws.send(json.dumps(demand))

    async def ask(self, **demand):
        await self.say(ref=77, **demand)
        while True:
            e = await self.hear()
            if e.get("ref") == 77:
                return e

    async def is_silent(self, seconds=0.3):
        try:
            e = await self.hear(seconds)
        except asyncio.TimeoutError:
            return True
        return e["type"] == "presence" and await self.is_silent(seconds)

    async def close(self):
        await self.ws.close()


async def envelopes(g, channel="lobby", since=None, **more):
    query = "" if since is None else "?since=" + since
    ws = await join(g, channel + query, subprotocols=["sesame.v1"], **more)
    assert ws.subprotocol == "sesame.v1"
    member = Envelopes(ws)
    if since != "later":
        member.welcome = await member.hear()
        assert member.welcome["type"] == "welcome"
    return member


def number(id):
    return int(id.split("-")[1])


def epoch(id):
    return id.split("-")[0]
