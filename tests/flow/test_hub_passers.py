# SPDX-License-Identifier: MIT
"""Members who join and leave a thousand times a second, where others talk and
elsewhere: nothing is lost for those, and memory stays what it was."""
import asyncio
import json
import sys
import time
from pathlib import Path

from crowds import Memory
from gateways import gateway
from hubs import config, envelopes, leave, number

PASSERS = Path(__file__).with_name("passers.py")
MIB = 1 << 20
N = 10000
ELSEWHERE = ["/chat/room-%d" % i for i in range(40)]


async def talk(g, channel, over):
    """One says numbers until it is @over, another hears each of them once."""
    a, b = [await envelopes(g, channel, max_queue=None) for _ in range(2)]
    n = 0
    while not over.is_set():
        await a.say(publish=str(n))
        n += 1
        await asyncio.sleep(0.01)
    got = await b.all(n)
    assert [m["data"] for m in got] == [str(i) for i in range(n)]
    assert [number(m["id"]) for m in got] == list(range(1, n + 1))
    await leave(a, b)
    return n


async def watch(g, channel, over):
    """Who comes and goes is told ten times a second at most, and who is there in
    the end is right."""
    watcher, began, told, count = await envelopes(g, channel, max_queue=None), time.time(), 0, 0
    while not over.is_set() or count > 3:  # the watcher and the two who talk
        try:
            count = (await watcher.next("presence", seconds=1))["count"]
            told += 1
        except asyncio.TimeoutError:
            assert not over.is_set() or time.time() < over.at + 20, count
    assert told <= (time.time() - began) * 10 + 2
    await leave(watcher)


async def pass_by(g, over):
    p = await asyncio.create_subprocess_exec(
        sys.executable, str(PASSERS), str(g.port), str(N), "/chat/talk",
        *[path for room in ELSEWHERE for path in (room, "/chat/talk")],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await asyncio.wait_for(p.communicate(), 300)
    over.at = time.time()
    over.set()
    assert p.returncode == 0, err.decode()
    return json.loads(out)


async def play(g):
    over = asyncio.Event()
    passed, same, other, _ = await asyncio.gather(
        pass_by(g, over), talk(g, "talk", over), talk(g, "other", over), watch(g, "talk", over))
    print("%d joined and left, %.0f a second; %d and %d messages" % (
        passed["welcomed"], N / passed["seconds"], same, other))
    assert passed["welcomed"] == N and same > 20 and other > 20


def test_who_joins_and_leaves_a_thousand_times_a_second_costs_the_others_nothing(tmp_path):
    with gateway(tmp_path, config("hub: {presence: true}")) as g:
        memory = Memory(g)
        asyncio.run(asyncio.wait_for(play(g), 400))
        assert memory.most() < 16 * MIB and memory.grown() < 8 * MIB
