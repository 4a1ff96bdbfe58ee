# SPDX-License-Identifier: MIT
"""Other implementations that are installed here: as servers that echo, as
clients that walk the rows of a host."""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from rawsocket import example

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"
ZOO = HERE.parent / "zoo/node_modules"
BROWSER = HERE.parent / "browser"


class Peer(NamedTuple):
    name: str  # with its version
    command: list  # a client's ends in the URL of the host
    environment: dict = {}
    alone: bool = False  # compressed rows one at a time, because it may crash

    def start(self, *more):
        return subprocess.Popen([str(c) for c in (*self.command, *more)], env={**os.environ, **self.environment},
                                stdout=subprocess.PIPE, text=True)


def said(*command, **environment):
    """What a command prints, or "" when it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def ws(script):
    """Node's ws, each version that is here."""
    for folder in ("/usr/share/nodejs", str(ZOO)):
        version = said("node", "-p", "require('ws').WebSocketServer && require('ws/package.json').version",
                       NODE_PATH=folder)
        if version:
            yield Peer("ws %s" % version, ["node", PEERS / script], {"NODE_PATH": folder})


def websockets(script):
    version = said("/usr/bin/python3", "-c", "import websockets; print(websockets.__version__)")
    if version:
        yield Peer("websockets %s" % version, ["/usr/bin/python3", PEERS / script])


def libwebsockets(build):
    flags = said("pkg-config", "--cflags", "--libs", "libwebsockets").split()
    version = said("pkg-config", "--modversion", "libwebsockets")
    if flags and shutil.which("cc"):
        program = Path(build) / "lws_server"
        subprocess.run(["cc", "-O2", "-o", program, PEERS / "lws_server.c", *flags], check=True)
        yield Peer("libwebsockets %s" % version.rstrip("-"), [program], alone=True)


def browser():
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    version = re.search(r"\d+", said(chromium, "--version", "--no-sandbox"))
    if version and (BROWSER / "node_modules/playwright-core").exists():
        yield Peer("Chromium %s" % version[0], ["node", BROWSER / "walk.mjs"])


def servers(build):
    """Ours first."""
    return [Peer("sesame", [example("echo_server"), "--deflate", "--takeover"]), *ws("ws_server.js"),
            *websockets("websockets_server.py"), *libwebsockets(build)]


def clients():
    return [Peer("sesame", [example("echo_client"), "--autobahn"]), *ws("ws_client.js"),
            *websockets("websockets_client.py"), *browser()]


if __name__ == "__main__":
    for peer in servers(sys.argv[1]) + clients():
        print(peer.name)
