# SPDX-License-Identifier: MIT
"""Where the plays of clients/js are performed: in a page or in Node, with a
gateway and a way to it that can be cut."""
import json
import shutil
import subprocess
from pathlib import Path

from behind import Behind
from cutter import Cutter
from gateways import Gateway
from hubs import write_tokens
from nodes import ENV
from ports import free_port

TOP = Path(__file__).resolve().parents[2]
BROWSER = TOP / "tests/browser"

CONFIG = """listen:
  - address: 127.0.0.1:%d
routes:
  - path: /chat/*
    to: hub
    hub: {presence: true, history: {messages: 5000}}
    limits: {message: 1000}
    allow: {origins: ["*"]}
  - path: /echo/*
    to: hub
    hub: {echo: true}
  - path: /few/*
    to: hub
    limits: {messages: 10/second}
  - path: /short/*
    to: hub
    limits: {message: 1KiB}
  - path: /price/*
    to: hub
    hub: {kind: state, key: symbol}
    allow: {origins: ["*"]}
  - path: /silent/*
    to: ws://127.0.0.1:%d
    allow: {origins: ["*"]}
  - path: /secret/*
    to: hub
    allow: {token: {hashes_file: hashes, from: [subprotocol]}}
  - path: /page/**
    to: files
    root: page
refusal: {disclose: reason, close: %s}
journal: {file: journal.db}
"""


class Stage:
    """A gateway, a way to it that can be cut, and what plays ask for."""

    def __init__(self, folder, close):
        write_tokens(folder)
        self.silent = Behind(lambda r: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        shutil.copytree(TOP / "clients/js", folder / "page")
        shutil.copy(BROWSER / "channel_plays.mjs", folder / "page")
        (folder / "page/index.html").write_text("<!doctype html><title>plays</title>")
        self.folder, self.text = folder, CONFIG % (free_port(), self.silent.port, close)
        self.g = Gateway(folder, self.text)
        self.way = Cutter(self.g.port)

    def ask(self, word, *more):
        if word == "kill":
            self.g.process.kill()
            assert self.g.stop() == -9
        elif word == "start":
            self.g = Gateway(self.folder, self.text)
        elif word == "deaf":
            self.way.deaf = True
            self.way.cut()
        elif word == "hear":
            self.way.deaf = False
        elif word == "cut" and more == ("now",):
            self.way.cut()
        elif word == "cut":
            self.way.cuts = int(more[0])
        elif word == "attempts":
            gaps = [b - a for a, b in zip(self.way.came[-9:], self.way.came[-8:])]
            assert all(gap > 0.15 for gap in gaps[-4:]), gaps
        elif word == "why":
            assert self.g.story(more[0])["cause"] == more[1]
        else:
            raise AssertionError(word)

    def end(self):
        self.way.close()
        self.silent.socket.close()
        assert self.g.stop() == 0


def perform(folder, play, where, path="/chat/lobby", close="false", **options):
    stage = Stage(folder, close)
    way = "127.0.0.1:%d" % stage.way.port
    command = ["node", "channel.mjs", play, json.dumps(options), "ws://" + way + path,
               stage.g.url + path]
    if where == "chromium":
        command.append("http://%s/page/" % way)
    p = subprocess.Popen(command, cwd=BROWSER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, env=dict(ENV, HOME=str(folder)))
    said = []
    try:
        for line in p.stdout:
            said.append(line)
            if line.startswith("? "):
                stage.ask(*line.split()[1:])
                p.stdin.write("done\n")
                p.stdin.flush()
        assert p.wait(60) == 0, "".join(said)
        stage.g.held.check()
    finally:
        p.kill()
        p.wait()
        stage.end()
