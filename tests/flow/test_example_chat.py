# SPDX-License-Identifier: MIT
"""The chat of examples/chat, as it is there, in two tabs of a real browser."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from gateways import Gateway, ask, run
from ports import free_port

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
    finally:
        g.stop()


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
