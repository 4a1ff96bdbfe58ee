# SPDX-License-Identifier: MIT
"""Who opens ever other names at gateways that share a Redis: it is bounded, and who
is in a channel loses nothing."""
import asyncio
import re

from backplanes import cluster, get
from crowds import Threads
from hubs import envelopes, epoch, leave, number, post

KEEPS = "hub: {channels: 300, history: {messages: 100}, publish: {hashes_file: hashes}}"
MIB = 1 << 20


def test_very_many_names_from_two_gateways_fill_no_redis(tmp_path):
    """Of 12 MiB, each name of which took 5 KB for an hour."""
    names = iter(range(10 ** 6))

    def name(g):
        n = next(names)
        if n % 4:
            answer = post(g, b"x", "name-%d" % n)
            assert answer.status == 202, answer.text
        else:
            assert get(g, channel="name-%d" % n)[0] == 200

    async def honest_all_the_time(a, b):
        x, y, n = await envelopes(a, "honest"), await envelopes(b, "honest"), 0
        while next(names) < 4000 or n < 100:
            n = number((await x.ask(publish=str(n)))["id"])
        assert [number(m["id"]) for m in await y.all(n)] == list(range(1, n + 1))
        z = await envelopes(b, "honest", since="%s-%d" % (epoch(x.welcome["id"]), n - 50))
        assert [number(m["id"]) for m in await z.all(50)] == list(range(n - 49, n + 1))
        await leave(x, y, z)

    with cluster(tmp_path, more=KEEPS, options=("maxmemory 12mb",)) as (redis, *both):
        with Threads(*[lambda g=g: name(g) for g in both for _ in range(2)]):
            asyncio.run(honest_all_the_time(*both))
        used = int(re.search(rb"used_memory:(\d+)", redis.ask("INFO", "memory")).group(1))
        assert used < 6 * MIB
        assert int(redis.ask("DBSIZE")[1:]) < 300 * 3 + 20
