#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much of the journal is lost when the gateway is killed (kill -9).

    SESAME=build/sesame bench/kills.py [TIMES]     (40)

Each time refusals are made as fast as one client can, and after a while of
chance the gateway is killed. What the client was told a reference for and the
journal does not have is lost; told is how long before the kill the first of
those was refused.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
os.environ.setdefault("SESAME", str(SOURCE / "build/sesame"))
sys.path.insert(0, str(SOURCE / "tests/flow"))
from gateways import SESAME, Gateway, dial, request  # noqa: E402

# So many routes that nothing is left out as many of a kind.
ROUTES = 100
CONFIG = """\
listen: [{address: "127.0.0.1:0"}]
journal: {file: journal.db}
log: {file: none}
routes:
""" + "".join("  - {path: /%d, to: echo, allow: {origins: [https://app.example]}}\n" % i
              for i in range(ROUTES))


def refuse(g, i):
    with dial(g.port) as s:
        s.sendall(request(g.port, "/%d" % (i % ROUTES), "Origin: https://evil.example"))
        answer = s.recv(4096).decode()
    return time.monotonic(), re.search(r"Sesame-Reference: (\S+)", answer).group(1)


def kill_once(folder):
    g = Gateway(folder, CONFIG)
    end, told = time.monotonic() + random.uniform(0.6, 0.9), []
    while time.monotonic() < end:
        told.append(refuse(g, len(told)))
        time.sleep(0.001)
    killed = time.monotonic()
    g.process.kill()
    g.process.wait()
    r = subprocess.run([SESAME, "why", "--last", "100000", "--json", "--journal",
                        str(folder / "journal.db")], capture_output=True, text=True, check=True)
    kept = {json.loads(line)["reference"] for line in r.stdout.splitlines()}
    lost = [at for at, reference in told if reference not in kept]
    return len(told), len(lost), 1000 * (killed - lost[0]) if lost else 0


def main():
    windows = []
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 40):
        with tempfile.TemporaryDirectory() as folder:
            refused, lost, window = kill_once(Path(folder))
        windows.append(window)
        print("%4d refusals, %3d lost, the first of them %5.1f ms before" % (refused, lost, window))
    windows.sort()
    print("at most %.1f ms, by the median %.1f" % (windows[-1], windows[len(windows) // 2]))


if __name__ == "__main__":
    main()
