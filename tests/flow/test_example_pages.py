# SPDX-License-Identifier: MIT
"""The pages of examples/, as they are there, in several tabs of a real browser."""
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
import websockets
from gateways import Gateway, ask, dial, run
from ports import free_port
from rawsocket import BUILD

TOP = Path(__file__).resolve().parents[2]
BROWSER = TOP / "tests/browser"
PAGES = ["chat", "game", "market"]
TITLES = {"chat": "Chat", "game": "The pond", "market": "Market"}


@pytest.mark.parametrize("name", PAGES)
def test_its_configuration_is_valid(name):
    r = run("check", "sesame.yaml", cwd=TOP / "examples" / name)
    assert r.returncode == 0, r.stdout + r.stderr


class Stage:
    """An example that runs elsewhere, and what its play asks for."""

    def __init__(self, name, folder):
        shutil.copytree(TOP / "clients/js", folder / "clients/js")
        self.folder = folder / "examples" / name
        shutil.copytree(TOP / "examples" / name, self.folder)
        text = (self.folder / "sesame.yaml").read_text()
        assert "address: 127.0.0.1:8080\n" in text
        self.text = text.replace("127.0.0.1:8080\n", "127.0.0.1:%d\n" % free_port())
        self.g = Gateway(self.folder, self.text)
        self.url = "http://127.0.0.1:%d/" % self.g.port
        self.feed = None
        self.start_feed()

    def start_feed(self):
        if (self.folder / "feed").exists():
            self.feed = subprocess.Popen([self.folder / "feed", self.url])

    def stop_feed(self):
        if self.feed:
            self.feed.kill()
            self.feed.wait()

    def end(self):
        self.stop_feed()
        assert self.g.stop() == 0

    def do(self, what):
        if what == "gone":
            self.g.stop()
        elif what == "back":
            self.g = Gateway(self.folder, self.text)
        elif what == "still":  # no price changes any more
            self.stop_feed()
        elif what == "closed":  # for pages of this host
            self.g.stop()
            self.g = Gateway(self.folder, self.text.replace(
                "to: hub\n", "to: hub\n    allow: {origins: [https://elsewhere.example]}\n"))
        else:
            raise AssertionError(what)

    def play(self, script):
        p = subprocess.Popen(["node", script, self.url], cwd=BROWSER, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env=dict(os.environ, HOME=str(self.folder)))
        said = []
        try:
            for line in p.stdout:
                said.append(line)
                print(line, end="")
                if line.endswith("?\n"):
                    self.do(line[:-2])
                    p.stdin.write("done\n")
                    p.stdin.flush()
            assert p.wait(60) == 0, "".join(said)
        finally:
            p.kill()
            p.wait()


@pytest.fixture
def stage(request, tmp_path):
    s = Stage(request.param, tmp_path)
    yield s
    s.end()


@pytest.mark.skipif(not shutil.which("node") or
                    not (BROWSER / "node_modules/playwright-core").exists() or
                    not shutil.which(os.environ.get("CHROMIUM", "chromium")),
                    reason="there is no browser")
@pytest.mark.parametrize("stage", PAGES, indirect=True)
def test_what_is_done_in_one_tab_is_seen_in_the_other(stage):
    stage.play(stage.folder.name + ".mjs")


@pytest.mark.parametrize("stage", PAGES, indirect=True)
def test_its_page_asks_nobody_else(stage):
    page = ask(stage.g.port, "/", upgrade="")
    assert page.status == 200 and "<title>%s</title>" % TITLES[stage.folder.name] in page.text
    assert "//" not in page.text.split("<style>")[0]
    assert "src=" not in page.text.replace("img-src", "")
    assert "class Channel" in ask(stage.g.port, "/js/sesame.js", upgrade="").text


# ---- make demo-chat, demo-game, demo-market ----

class Demo:
    """As in a terminal, where Ctrl-C reaches everybody."""

    def __init__(self, name, folder, where):
        self.out = folder / "out"
        # what is to be installed is installed, or this test would not be run
        command = ["make", "-o", "setup-demo", "demo-" + name, "BUILD=" + BUILD, "AT=" + where]
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(command, cwd=TOP, stdout=out, stderr=out,
                                            start_new_session=True)
        try:
            until(lambda: " in two windows" in self.said(), 200)
        except AssertionError:
            self.end(signal.SIGKILL)
            raise
        self.url = self.said().split("Open ")[1].split()[0]
        self.port = int(self.url.rstrip("/").rsplit(":", 1)[1])

    def said(self):
        return self.out.read_text()

    def end(self, by=signal.SIGINT):
        os.killpg(self.process.pid, by)
        self.process.wait(15)

    def check(self):
        """Nothing is left."""
        told = [line for line in self.said().splitlines() if not line.startswith("make")]
        assert told[-1] == "sesame: stopping; 0 connections are asked to leave", self.said()
        with pytest.raises(ConnectionRefusedError):
            dial(self.port)
        until(lambda: not is_there(self.process.pid), 60)


def is_there(group):
    try:
        os.killpg(group, 0)
        return True
    except ProcessLookupError:
        return False


def until(happened, seconds):
    end = time.time() + seconds
    while not happened():
        assert time.time() < end
        time.sleep(0.1)


async def two_talk(url):
    async with websockets.connect(url) as a, websockets.connect(url) as b:
        await a.send('{"key": "hello"}')
        assert await asyncio.wait_for(b.recv(), 10) == '{"key": "hello"}'


async def hears_prices(url):
    async with websockets.connect(url) as a:
        for _ in range(400):  # a whole market, and some that changed
            assert '"price"' in await asyncio.wait_for(a.recv(), 10)


PLAYS = {"chat": ("/chat/lobby", two_talk), "game": ("/pond/pond", two_talk),
         "market": ("/prices/all", hears_prices)}


@pytest.mark.skipif(not shutil.which("make") or not BUILD or
                    not (Path(BUILD) / "Makefile").exists(),
                    reason="there is nothing to build with")
@pytest.mark.parametrize("name", PAGES)
def test_the_target_of_make_serves_it_until_ctrl_c(tmp_path, name):
    before = sorted((TOP / "examples" / name).rglob("*"))
    with socket.create_server(("127.0.0.1", 0)) as taken:  # another one is used
        where = "127.0.0.1:%d" % (taken.getsockname()[1] if name == "game" else free_port())
        demo = Demo(name, tmp_path, where)
        try:
            assert (demo.url == "http://%s/" % where) == (name != "game")
            assert TITLES[name] in ask(demo.port, "/", upgrade="").text
            path, play = PLAYS[name]
            asyncio.run(play("ws://127.0.0.1:%d%s" % (demo.port, path)))
        finally:
            demo.end()
    demo.check()
    assert sorted((TOP / "examples" / name).rglob("*")) == before
