# SPDX-License-Identifier: MIT
"""Gateways that share a Redis, for tests."""
import json
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager

from gateways import Answer, gateway, send
from held import Held
from hubs import TOKEN, config, write_tokens
from redis_server import redis_server

CHANNELS = ("hub: {presence: true, history: {messages: 100}, publish: {hashes_file: hashes}}\n"
            "limits: {message: 1000}")
TEXT = "backplane: %s\nnode: %s\njournal: {file: journal.db}\nadmin: {address: 127.0.0.1:0}\n%s"


def prepare(folder, name, redis, more=CHANNELS, node=None):
    """A folder, and what its configuration is."""
    (folder / name).mkdir()
    write_tokens(folder / name)
    return folder / name, TEXT % (redis.url, node or name, config(more, workers=1))


def start(folder, name, redis, more=CHANNELS, node=None):
    return gateway(*prepare(folder, name, redis, more, node))


@contextmanager
def cluster(folder, names="ab", more=CHANNELS, options=()):
    """Redis, and a gateway of each name that has found it."""
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder, *options))
        all = [stack.enter_context(start(folder, name, redis, more)) for name in names]
        for g in all:
            until(lambda: "is there" in (g.folder / "err").read_text())
            g.held = Held(g.process.pid)  # with its connections to Redis
        yield redis, *all


def until(is_so, seconds=10):
    end = time.time() + seconds
    while not (answer := is_so()):
        assert time.time() < end
        time.sleep(0.05)
    return answer


def get(g, query="", channel="lobby"):
    answer = Answer(send(g.port, (
        "GET /chat/%s%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n"
        % (channel, query, TOKEN)).encode()))
    return answer.status, json.loads(answer.body)


def page(g, path):
    """Status and text of a page of the admin listener."""
    try:
        answer = urllib.request.urlopen(g.admin + path, timeout=10)
    except urllib.error.HTTPError as e:
        answer = e
    return answer.status, answer.read().decode()
