# SPDX-License-Identifier: MIT
"""States, who is there, and members without an echo, while gateways and their
Redis die, stall and come back (docs/delivery.md). cluster/run does the same to
messages, and more of it."""
import asyncio
import contextlib
import json
import random
import signal

import pytest
from backplanes import cluster
from gateways import Answer, Gateway, send
from hubs import TOKEN, envelopes, leave, write_tokens
from redis_server import HERE, redis_server
from test_hub_presence import SECRET, TOKENS, come

websockets = pytest.importorskip("websockets")
pytestmark = pytest.mark.skipif(not HERE, reason="needs redis-server")
CONFIG = """backplane: %s
node: %s
listen:
  - address: 127.0.0.1:0
workers: 1
journal: {file: none}
routes:
  - path: /state/*
    to: hub
    hub: {kind: state, echo: true}
  - path: /quiet/*
    to: hub
    hub: {history: {messages: 100000}}
  - path: /people/*
    to: hub
    hub: {presence: true, publish: {hashes_file: hashes}}
"""
KEYS = ["k%d" % i for i in range(6)]


class Cluster:
    """Three gateways, of which each may be away."""

    def __init__(self, folder, redis):
        self.redis, self.folders = redis, [folder / name for name in "abc"]
        for f in self.folders:
            f.mkdir()
            write_tokens(f)
        self.gateways = [self.new(i) for i in range(3)]

    def new(self, i):
        return Gateway(self.folders[i], CONFIG % (self.redis.url, "abc"[i]))

    def kill(self, i):
        self.gateways[i].process.kill()
        self.gateways[i].end()

    def end(self):
        for g in self.gateways:
            assert g.end() == 0, (g.folder / "err").read_text()


class Member:
    """Comes back with its last id, at any gateway, for as long as there are any."""

    path = ""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.chance = random.Random(number)
        self.ws = self.last = self.you = None
        self.answers, self.lives, self.task = {}, 0, asyncio.create_task(self.live())

    async def live(self):
        while True:
            g = self.chance.choice(self.cluster.gateways)
            since = "?since=" + self.last if self.last else ""
            with contextlib.suppress(OSError, websockets.WebSocketException,
                                     asyncio.TimeoutError):
                async with websockets.connect(g.url + self.path + since, compression=None,
                                              subprotocols=["sesame.v1"]) as ws:
                    welcome = json.loads(await asyncio.wait_for(ws.recv(), 20))
                    self.begin(welcome)
                    self.you, self.ws = welcome["you"], ws
                    async for text in ws:
                        self.on(json.loads(text))
            self.ws = None
            self.lives += 1
            for answer in self.answers.values():
                answer.set_result(None)
            self.answers.clear()
            await asyncio.sleep(0.05)

    def begin(self, welcome):
        pass

    def on(self, e):
        if e["type"] in ("ack", "error"):
            answer = self.answers.pop(e["ref"], None)
            if answer:
                answer.set_result(e)
        elif e["type"] in ("message", "state", "gap"):
            self.hear(e)

    async def publish(self, ref, what):
        """The answer; None: there is none."""
        ws, answer = self.ws, asyncio.get_running_loop().create_future()
        if not ws:
            await asyncio.sleep(0.05)
            return None
        self.answers[ref] = answer
        try:
            await ws.send(json.dumps({"publish": what, "ref": ref}))
            return await asyncio.wait_for(answer, 20)
        except (websockets.WebSocketException, asyncio.TimeoutError):
            return None
        finally:
            self.answers.pop(ref, None)

    async def publish_until_done(self, ref, what):
        while True:
            answer = await self.publish(ref, what)
            if answer and answer["type"] == "ack":
                return answer
            assert not answer or answer["code"] in ("unavailable", "unknown", "busy"), answer
            await asyncio.sleep(0.1)

    async def leave(self):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def split(id):
    epoch, _, number = id.partition("-")
    return epoch, int(number)


class Book:
    """What each id stands for, as all have heard."""

    def __init__(self):
        self.text = {}

    def note(self, id, text):
        assert self.text.setdefault(id, text) == text, "%s stands for two" % id


class Follower(Member):
    """Each number is higher than that before it, or a gap is told."""

    def __init__(self, cluster, number, book):
        self.book, self.astray = book, True
        super().__init__(cluster, number)

    def hear(self, e):
        if e["type"] == "gap":
            self.on_gap(e)
            return
        epoch, number = split(e["id"])
        if not self.astray:
            before = split(self.last)
            assert epoch == before[0] and number > before[1], (e, self.last)
        self.on_content(e, not self.astray and split(self.last)[1])
        self.astray, self.last = False, e["id"]


# ---- States ----

class Watcher(Follower):
    path = "/state/s"

    def __init__(self, *words):
        self.view = {}
        super().__init__(*words)

    def on_gap(self, e):
        assert e["missing"] is None
        self.view, self.astray = {}, True

    def on_content(self, e, before):
        self.book.note(e["id"], (e["key"], e["data"]))
        self.view[e["key"]] = e["data"] and json.loads(e["data"])["n"]
        if e["data"] is None:
            del self.view[e["key"]]


async def write_states(member, keys, book, truth, ending):
    n = 0
    while not ending.is_set():
        n += 1
        for key in keys:
            what = {"key": key, "n": n} if n % 5 else {"key": key}
            await member.publish_until_done(n, what)
            await asyncio.sleep(0.01)
    await asyncio.sleep(6)  # what was on its way has come or will not
    for key in keys[1:]:
        done = await member.publish_until_done(n + 1, {"key": key, "n": key})
        book.note(done["id"], (key, json.dumps({"key": key, "n": key})))
        truth[key] = key
    await member.publish_until_done(n + 2, {"key": keys[0]})


# ---- Without an echo ----

class Talker(Follower):
    path = "/quiet/q"

    def __init__(self, *words):
        self.heard, self.said, self.acked, self.holes = [], {}, {}, []
        super().__init__(*words)

    def begin(self, welcome):
        if self.last is None:  # it is owed what follows
            self.last, self.astray = welcome["id"], False
            self.owed_from = split(welcome["id"])[1]

    def on_gap(self, e):
        assert e["missing"] is None, "history holds all of it"
        self.astray = True

    def on_content(self, e, before):
        number, text = split(e["id"])[1], e["data"]
        self.book.note(e["id"], text)
        assert self.said.get(text) != self.lives, "its own, on the same connection"
        if before:
            self.holes += [(e["id"].split("-")[0], n) for n in range(before + 1, number)]
        self.heard.append(text)

    async def talk(self, ending):
        n = 0
        while not ending.is_set():
            n += 1
            text = "%d says %d" % (self.number, n)
            self.said[text] = self.lives
            answer = await self.publish(n, text)
            if answer and answer["type"] == "ack":
                self.acked[text] = answer["id"]
                self.book.note(answer["id"], text)
            await asyncio.sleep(0.02)

    def check(self, accepted):
        assert len(set(self.heard)) == len(self.heard), "something came twice"
        others = [t for t in self.heard if t not in self.said]
        owed = {t for t, id in accepted.items()
                if t not in self.said and split(id)[1] > self.owed_from}
        assert owed <= set(others), sorted(owed - set(others))[:5]
        for epoch, n in self.holes:
            text = self.book.text.get("%s-%d" % (epoch, n))
            assert text is None or text in self.said, "%d lacks %s" % (self.number, text)


# ---- Who is there ----

class Person(Member):
    path = "/people/p"

    def hear(self, e):
        assert e["type"] == "gap", e  # nobody says anything


def people_at(g):
    answer = Answer(send(g.port, (
        "GET /people/p?presence HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n"
        % TOKEN).encode()))
    return set(json.loads(answer.body)["members"]) if answer.status == 200 else answer.status


async def wait_for_people(cluster, people, after):
    """9 s for who died without a word, and then a little."""
    for _ in range(250):
        names = {p.you for p in people if p.ws}
        seen = [await asyncio.to_thread(people_at, g) for g in cluster.gateways]
        if len(names) == len(people) and all(s == names for s in seen):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("after %s: %s are there, and seen are %s" % (after, names, seen))


# ---- What befalls them ----

async def redis_dies(cluster, people):
    cluster.redis.kill()
    await asyncio.sleep(0.5)
    await asyncio.to_thread(cluster.redis.start)


async def connections_break(cluster, people):
    cluster.redis.ask("DEL", "sesame:{/people/* p}:p")  # who is there is written again
    for kind in ("pubsub", "normal"):
        cluster.redis.ask("CLIENT", "KILL", "TYPE", kind)
        await asyncio.sleep(0.4)


async def a_gateway_dies(cluster, people):
    cluster.kill(0)
    await asyncio.sleep(0.3)
    cluster.gateways[0] = await asyncio.to_thread(cluster.new, 0)


async def redis_stalls(cluster, people):
    cluster.redis.pause()
    await asyncio.sleep(4.2)
    for p in people[:3]:  # and nobody can be told
        if p.ws:
            p.ws.transport.abort()
    await asyncio.sleep(0.3)
    cluster.redis.resume()


async def a_gateway_stalls(cluster, people):
    cluster.gateways[1].process.send_signal(signal.SIGSTOP)
    for kind in ("pubsub", "normal"):
        cluster.redis.ask("CLIENT", "KILL", "TYPE", kind)
    await asyncio.sleep(1)
    for p in people:  # of which the one that stalls is not told
        if p.ws:
            p.ws.transport.abort()
    await asyncio.sleep(3.5)
    cluster.gateways[1].process.send_signal(signal.SIGCONT)


async def a_gateway_is_stopped(cluster, people):
    assert await asyncio.to_thread(cluster.gateways[2].end) == 0
    cluster.gateways[2] = await asyncio.to_thread(cluster.new, 2)


PLAGUES = [redis_dies, a_gateway_is_stopped, connections_break, redis_stalls, a_gateway_stalls,
           redis_dies, a_gateway_dies]


def complain(members):
    for m in members:
        if m.task.done():
            m.task.result()


async def play(cluster):
    ending, truth, states, texts = asyncio.Event(), {}, Book(), Book()
    watchers = [Watcher(cluster, i, states) for i in range(4)]
    talkers = [Talker(cluster, 10 + i, texts) for i in range(4)]
    people = [Person(cluster, 20 + i) for i in range(6)]
    everybody = watchers + talkers + people
    while not all(m.ws for m in everybody):
        complain(everybody)
        await asyncio.sleep(0.05)
    tasks = [asyncio.create_task(t.talk(ending)) for t in talkers]
    tasks += [asyncio.create_task(write_states(watchers[i], KEYS[3 * i:3 * i + 3], states, truth,
                                               ending)) for i in range(2)]
    for plague in PLAGUES:
        await asyncio.sleep(0.5)
        await plague(cluster, people)
        await wait_for_people(cluster, people, plague.__name__)
        complain(everybody)
    ending.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 60)
    for _ in range(100):
        if all(w.view == truth for w in watchers):
            break
        await asyncio.sleep(0.1)
    assert all(w.view == truth for w in watchers), (truth, [w.view for w in watchers])
    accepted = {text: id for t in talkers for text, id in t.acked.items()}
    assert len(accepted) > 100, "little was said"
    for t in talkers:
        t.check(accepted)
    complain(everybody)
    for m in everybody:
        await m.leave()


def test_states_people_and_members_without_echo_are_right_whatever_happens(tmp_path):
    with redis_server(tmp_path, "appendonly yes", "appendfsync always") as redis:
        cluster = Cluster(tmp_path, redis)
        try:
            asyncio.run(play(cluster))
            cluster.end()
        finally:
            for g in cluster.gateways:
                g.process.kill()  # one may be stalled


# ---- Two gateways, and one moment ----

def together(folder, play, more):
    with cluster(folder, more=more) as (redis, a, b):
        asyncio.run(play(a, b, redis))


def test_who_was_cut_off_when_a_key_was_forgotten_gets_the_whole_state(tmp_path):
    async def play(a, b, redis):
        x, y = await envelopes(a), await envelopes(b)
        for key in ("k1", "k2", "k3"):
            await x.ask(publish={"key": key, "n": 1})
        assert [(await y.next("state"))["key"] for _ in range(3)] == ["k1", "k2", "k3"]
        b.process.send_signal(signal.SIGSTOP)
        redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        redis.ask("CLIENT", "KILL", "TYPE", "normal")
        # There is room for the fourth, for that the first is gone is forgotten.
        for what in ({"key": "k1"}, {"key": "k4", "n": 1}):
            while (answer := await x.ask(publish=what))["type"] != "ack":
                assert answer["code"] == "unavailable"
                await asyncio.sleep(0.1)
        b.process.send_signal(signal.SIGCONT)
        assert (await y.next())["type"] == "gap"
        assert [(await y.next())["key"] for _ in range(3)] == ["k2", "k3", "k4"]
        late = await envelopes(b)
        assert [(await late.next())["key"] for _ in range(3)] == ["k2", "k3", "k4"]
        assert await late.is_silent()
        await leave(x, y, late)

    together(tmp_path, play, "hub: {kind: state, keys: 3}")


def test_a_name_with_two_connections_is_there_until_both_are_gone(tmp_path):
    async def play(a, b, redis):
        alice = await come(b, sub="alice", role="editor", scope="see")
        bob, other = [await come(a, sub="bob", role="editor") for _ in range(2)]
        while (await alice.ask(presence="list"))["members"] != ["alice", "bob"]:
            await asyncio.sleep(0.05)
        await leave(bob)
        await asyncio.sleep(0.5)
        assert (await alice.ask(presence="list"))["members"] == ["alice", "bob"]
        await leave(other)
        while (await alice.ask(presence="list"))["members"] != ["alice"]:
            await asyncio.sleep(0.05)
        await leave(alice)

    (tmp_path / "secret").write_bytes(SECRET)
    together(tmp_path, play, TOKENS.replace("secret_file: ", "secret_file: %s/" % tmp_path))
