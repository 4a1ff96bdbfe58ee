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
# With Redis a node has a list of its own of who is there at which node.
PRESENT = 896 if os.environ.get("SESAME_BACKPLANE") == "redis" else 512


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


@pytest.mark.parametrize("path", ["/chat/lobby", "/chat/table-#"])
@pytest.mark.parametrize("more,most", [("", 512), ("hub: {presence: true}", PRESENT)],
                         ids=["without presence", "with presence"])
def test_a_member_with_envelopes_takes_half_a_kibibyte(tmp_path, connection, path, more, most):
    with gateway(tmp_path, CONFIG % more) as g:
        assert weigh(g, path, ENVELOPES) < connection + most


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
