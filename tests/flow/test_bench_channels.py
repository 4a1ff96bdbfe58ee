# SPDX-License-Identifier: MIT
"""The benchmark of channels: what it counts, and what it does not believe."""
import asyncio
import json
import os
import shutil
import subprocess
import threading

import pytest
from test_bench_run import BUILD, bench

websockets = pytest.importorskip("websockets")

LOAD = BUILD / "bench/channel_bench"
QUICK = ["--rounds", "1", "--seconds", "0.1", "--shapes", "1x10", "--depth", "4", "--without",
         "ws (node)", "Socket.IO", "nchan"]

pytestmark = pytest.mark.skipif(not LOAD.exists(), reason="built without bench/")


class Room:
    """A server of channels: what one says all others at its path get, as @hand has it."""

    def __init__(self, hand, echo=False):
        self.hand, self.echo, self.channels, self.n = hand, echo, {}, 0
        self.ready, self.loop = threading.Event(), asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)

    async def serve(self, ws, path=None):
        members = self.channels.setdefault(path or ws.path, [])
        members.append(ws)
        try:
            async for text in ws:
                self.n += 1
                others = [other for other in members if self.echo or other is not ws]
                for place, other in enumerate(others):
                    for said in self.hand(text, place, self.n):
                        await other.send(said)
        except websockets.ConnectionClosed:
            pass

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.listen())

    async def listen(self):
        self.done = asyncio.Event()
        async with websockets.serve(self.serve, "127.0.0.1", 0, compression=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.done.wait()

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.loop.close()


def measure(hand, echo=False, channels=2, members=3):
    """A tenth of a second: exit status, standard output and error of the load."""
    with Room(hand, echo) as room:
        r = subprocess.run([LOAD, "--ports", str(room.port), "--pids", str(os.getpid()),
                            "--channels", str(channels), "--members", str(members)],
                           input="0.1 2 0\n", capture_output=True, text=True, timeout=60,
                           check=False)
    return r.returncode, r.stdout, r.stderr


def from_the_20th(change):
    """Honest at first: what is checked is not what it takes to begin."""
    return lambda text, place, n: [text] if n < 20 else change(text, place, n)


def test_every_delivery_of_an_honest_server_is_counted():
    status, out, err = measure(lambda text, _place, _n: [text])
    assert status == 0 and err == "", err
    ready, line = out.splitlines()
    got = dict(zip(line.split()[::2], map(float, line.split()[1::2])))
    assert ready == "ready"
    # all members of a channel got each message of it
    assert got["deliveries"] > 30 and got["deliveries"] % 3 == 0
    assert got["nodes_ns"] > 1000 and got["p50_us"] > 10 and got["p99_us"] >= got["p50_us"]


@pytest.mark.parametrize("change, said", [
    # (who came after the one that was lost tells it, or the end does)
    (lambda text, place, n: [] if n == 20 and place == 1 else [text],
     ("came after", "deliveries are missing")),
    (lambda text, place, n: [text, text] if n == 20 else [text], "came after"),
    (lambda text, place, n: [text[:-1] + "?"], "not what was sent"),
    (lambda text, place, n: [text + "?"], "not what was sent"),
    (lambda text, place, n: [text.replace("@00000000", "@00000001")], "not what was sent"),
    (lambda text, place, n: ["hello"], "not what was sent"),
    (lambda text, place, n: ["@00000000-00000000ffffffff-" + text[27:]], "nobody sent"),
], ids=["lost", "twice", "changed", "longer", "of another channel", "made up", "of the future"])
def test_what_is_not_delivered_as_it_was_published_ends_the_load(change, said):
    status, out, err = measure(from_the_20th(change))
    assert status == 1 and "deliveries" not in out
    said = (said,) if isinstance(said, str) else said
    assert any(s in err for s in said) and err.startswith("channel_bench: ")


def test_a_publisher_that_hears_itself_ends_the_load():
    status, _, err = measure(lambda text, _place, _n: [text], echo=True)
    assert status == 1 and "heard itself" in err


def run(tmp_path, *words, status=0):
    bench("channels", *QUICK, *words, "--json", tmp_path / "j", "--markdown", tmp_path / "m",
          status=status)
    return json.loads((tmp_path / "j").read_text()), (tmp_path / "m").read_text()


def test_a_run_tells_what_a_delivery_took_and_how_long(tmp_path):
    got, page = run(tmp_path, "--only", "cost", "delay", "--nodes", "1")
    cost, delay = got["groups"][0]["workloads"]
    assert got["groups"][0]["invalid"] == [] and cost["absent"] == {}
    for server in cost["servers"]:
        assert 100 < server["figures"][0] < 10 ** 6
        assert server["redis"] == [0]
    assert {s["name"] for s in cost["servers"]} >= {"sesame", "sesame.v1", "bytes"}
    assert 10 < delay["servers"][0]["p50_us"][0] <= delay["servers"][0]["p99_us"][0]
    assert "| 1x10, 4 |" in page and "| 1x10, 100 a second |" in page


@pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed")
def test_two_nodes_have_a_redis_between_them_whose_work_is_told_beside(tmp_path):
    got, page = run(tmp_path, "--only", "cost", "--nodes", "2")
    cost = got["groups"][0]["workloads"][0]
    assert cost["absent"] == {}
    assert all(s["redis"][0] > 10 for s in cost["servers"])
    assert "| Redis | sesame |" in page


def test_a_member_is_weighed_beside_a_connection(tmp_path):
    got, page = run(tmp_path, "--only", "memory", "--idle", "200")
    assert 0 < got["memory"]["connection"] < got["memory"]["plain, 1 of 200"] < 20000
    assert "| bytes | over the connection |" in page
