# SPDX-License-Identifier: MIT
"""What members of channels take of a gateway's memory (docs/limits.md)."""
import os

import pytest
from crowds import ENVELOPES, Crowd, Memory, browser, masked
from gateways import gateway
from hubs import config

MIB = 1 << 20
CONFIG = """listen: [{address: 127.0.0.1:0}]
workers: 1
routes:
  - {path: /echo, to: echo}
  - {path: /chat/*, to: hub, %s}
"""
# With Redis each channel has, besides its members, what it is to the backplane: of ten that
# are in it each bears a tenth.
TENTH = 128 if os.environ.get("SESAME_BACKPLANE") == "redis" else 0


def weigh(g, path, *fields, n=4000):
    """Bytes that each of so many takes, who are there and do nothing."""
    with Crowd() as some, Crowd() as crowd:
        some.join(g.port, path, 50, *fields, *browser(g.port))  # what the first one needs
        some.read_for(0.5)
        memory = Memory(g)
        crowd.join(g.port, path, n, *fields, *browser(g.port))
        crowd.read_for(1)
        some.read()
        return memory.grown() / n


@pytest.fixture(scope="module", name="connection")
def of_a_connection(tmp_path_factory):
    with gateway(tmp_path_factory.mktemp("echo"), CONFIG % "") as g:
        return weigh(g, "/echo")


@pytest.mark.parametrize("path,most", [("/chat/lobby", 512), ("/chat/table-#", 512 + TENTH)],
                         ids=["all in one channel", "ten in each"])
@pytest.mark.parametrize("more", ["", "hub: {presence: true}"],
                         ids=["without presence", "with presence"])
def test_a_member_with_envelopes_takes_half_a_kibibyte(tmp_path, connection, path, most, more):
    # What waited for Redis while the machine was busy leaves holes: the best of three counts.
    takes = []
    while len(takes) < 3 and (not takes or takes[-1] >= connection + most):
        folder = tmp_path / str(len(takes))
        folder.mkdir()
        with gateway(folder, CONFIG % more) as g:
            takes.append(weigh(g, path, ENVELOPES))
    assert min(takes) < connection + most


def test_a_long_message_to_very_many_is_in_memory_once(tmp_path):
    n, long = 400, bytes(60000)
    with gateway(tmp_path, config("hub: {presence: true}\nlimits: {message: 64KiB}")) as g, \
            Crowd() as crowd:
        crowd.join(g.port, "/chat/lobby", n)
        crowd.join(g.port, "/chat/lobby", n, ENVELOPES)
        crowd.read_for(0.5)
        memory, before = Memory(g), crowd.bytes
        crowd.sockets[0].setblocking(True)
        crowd.sockets[0].sendall(masked(long, 2))
        while crowd.bytes - before < (n - 1) * 60000 + n * 80000:
            crowd.read(10)
        # each of them could have had it in a queue of its own: 53 MiB
        assert memory.most() < 6 * MIB
