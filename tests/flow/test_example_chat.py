# SPDX-License-Identifier: MIT
"""The chat of examples/chat, as it is there, in two tabs of a real browser."""
import asyncio
import os
import shutil
import signal
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


def example(folder, port):
    shutil.copytree(TOP / "examples/chat/page", folder / "page")
    text = (TOP / "examples/chat/sesame.yaml").read_text()
    assert "127.0.0.1:8080\n" in text
    return text.replace("address: 127.0.0.1:8080", "address: 127.0.0.1:%d" % port)


def test_its_configuration_is_valid():
    r = run("check", "sesame.yaml", cwd=TOP / "examples/chat")
    assert r.returncode == 0, r.stdout + r.stderr


def test_its_page_asks_nobody_else(tmp_path):
    g = Gateway(tmp_path, example(tmp_path, 0))
    try:
        page = ask(g.port, "/", upgrade="")
        assert page.status == 200 and "<title>Chat</title>" in page.text
        assert "//" not in page.text.split("<style>")[0]
        assert "src=" not in page.text.replace("img-src", "")
        g.held.check()
    finally:
        g.stop()


@pytest.mark.skipif(not shutil.which("make") or not BUILD or
                    not (Path(BUILD) / "Makefile").exists(),
                    reason="there is nothing to build with")
def test_the_target_of_make_serves_it_until_ctrl_c(tmp_path):
    where = "127.0.0.1:%d" % free_port()
    # what is to be installed is installed, or this test would not be run
    command = ["make", "-o", "setup-demo", "demo-chat", "BUILD=" + BUILD, "CHAT=" + where]
    with open(tmp_path / "out", "w") as out:
        p = subprocess.Popen(command, cwd=TOP, stdout=out, stderr=out, start_new_session=True)
        said = (tmp_path / "out").read_text
        try:
            until(lambda: "listening on ws://" + where in said(), 200)
            assert "Open http://%s/ in two windows" % where in said()
            assert "<title>Chat</title>" in ask(int(where.split(":")[1]), "/", upgrade="").text
            asyncio.run(two_talk("ws://%s/chat/lobby" % where))
            os.killpg(p.pid, signal.SIGINT)  # as a terminal does
            p.wait(15)
        finally:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
    told = [line for line in said().splitlines() if not line.startswith("make")]
    assert told[-1] == "sesame: stopping; 0 connections are asked to leave", said()
    with pytest.raises(ProcessLookupError):
        os.killpg(p.pid, 0)
    with pytest.raises(ConnectionRefusedError):
        dial(int(where.split(":")[1]))


def until(happened, seconds):
    end = time.time() + seconds
    while not happened():
        assert time.time() < end
        time.sleep(0.1)


async def two_talk(url):
    async with websockets.connect(url) as a, websockets.connect(url) as b:
        await a.send("hello")
        assert await asyncio.wait_for(b.recv(), 10) == "hello"


@pytest.mark.skipif(not shutil.which("node") or
                    not (BROWSER / "node_modules/playwright-core").exists() or
                    not shutil.which(os.environ.get("CHROMIUM", "chromium")),
                    reason="there is no browser")
def test_two_tabs_talk_and_come_back(tmp_path):
    text = example(tmp_path, free_port())
    g = Gateway(tmp_path, text)
    play = subprocess.Popen(["node", "chat.mjs", "http://127.0.0.1:%d/" % g.port], cwd=BROWSER,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True,
                            env=dict(os.environ, HOME=str(tmp_path)))
    said = []
    try:
        for line in play.stdout:
            said.append(line)
            if line == "gone?\n":
                g.stop()
            elif line == "back?\n":
                g = Gateway(tmp_path, text)
            else:
                continue
            play.stdin.write("done\n")
            play.stdin.flush()
        assert play.wait(60) == 0, "".join(said)
    finally:
        play.kill()
        play.wait()
        g.stop()
