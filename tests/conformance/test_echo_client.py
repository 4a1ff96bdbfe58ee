# SPDX-License-Identifier: MIT
"""examples/echo_client --autobahn, which is the library's client, walks the table."""
import re
import subprocess

import table
from host import Host
from rawsocket import example


def walk(cases, *options):
    """{id: what was wrong} after a walk through all of them."""
    with Host(cases) as host:
        done = subprocess.run([example("echo_client"), "--autobahn", host.url, "--agent", "sesame", *options],
                              capture_output=True, text=True, timeout=100)
        wrong = host.wrong()
    assert not wrong, "\n".join("%s: %s" % w for w in wrong.items())
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"%d cases\n" % len(cases), done.stdout)
    assert host.agents == {"sesame"}


def test_the_client_plays_the_table():
    walk([c for c in table.cases("c") if c.limit == 64 << 20])
