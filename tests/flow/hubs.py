# SPDX-License-Identifier: MIT
"""Channels of a running gateway, for tests: members, and programs that publish."""
import asyncio
import hashlib

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
