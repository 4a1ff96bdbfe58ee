# SPDX-License-Identifier: MIT
"""examples/echo_client --autobahn, which is the library's client, walks the table."""
import re
import subprocess

import table
from case import Case, text
from host import Host
from rawsocket import example


def walk(cases, end=""):
    """Each has to go as it says. The masks of all that the client sent."""
    with Host(cases) as host:
        done = subprocess.run([example("echo_client"), "--autobahn", host.url + end, "--agent", "sesame"],
                              capture_output=True, text=True, timeout=100)
        wrong = host.wrong()
        keys = list(host.keys)
    assert not wrong, "\n".join("%s: %s" % w for w in wrong.items())
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"%d cases\n" % len(cases), done.stdout)
    assert host.agents == {"sesame"}
    return keys


def test_the_client_plays_the_table():
    walk([c for c in table.cases("c") if c.limit == 64 << 20])


def test_an_address_may_end_in_a_slash():
    walk([Case("slash", "one", (text(b"a"),), (("text", b"a"),))], "/")


def test_of_a_hundred_thousand_masks_none_can_be_told_from_others():
    n = 100_000
    keys = walk([Case("mask", "many", (text(b"x"),) * n, (("text", b"x"),) * n)])
    numbers = [int.from_bytes(key, "big") for key in keys]
    assert n <= len(numbers) < n + 10
    assert n - len(set(numbers)) < 15  # chance alone repeats one or two of 2^32
    for bit in range(32):
        bits = [number >> bit & 1 for number in numbers]
        assert 0.49 < sum(bits) / len(bits) < 0.51, "bit %d" % bit
        same = sum(a == b for a, b in zip(bits, bits[1:]))
        assert 0.49 < same / len(bits) < 0.51, "bit %d of one mask and the next" % bit
