# SPDX-License-Identifier: MIT
"""The table played over sockets to examples/echo_server, which is the library's
server: with --deflate, with and without --takeover, and without either what
does not need it."""
from urllib.parse import urlsplit

import table
from play import Unoffered, play_to_server
from rawsocket import Peer, example, serving


# What a client may say only where the server remembers it.
BY_REFERENCE = ("deflate.takeover/twice", "deflate.takeover/over plain")


def is_over_sockets(case):
    return case.limit == 64 << 20


def play_all(url, cases):
    """{id: what was wrong}"""
    at = urlsplit(url)

    def play(case):
        try:
            return case.id, play_to_server((at.hostname, at.port), case)
        except Unoffered:
            return case.id, "does not compress"

    return {i: wrong for i, wrong in map(play, cases) if wrong}


def tell(wrong):
    return "\n".join("%s: %s" % w for w in wrong.items())


def test_the_server_plays_the_table():
    cases = [c for c in table.cases("s") if is_over_sockets(c)]
    with serving(example("echo_server"), "--deflate", "--takeover") as url:
        wrong = play_all(url, cases)
        assert not wrong, tell(wrong)
        with Peer(url) as peer:  # after all that it is as well as at the start
            peer.send("still there")
            assert peer.recv() == "still there"


def test_a_server_that_remembers_no_message_plays_what_is_about_compression():
    cases = [c for c in table.cases("s") if is_over_sockets(c) and c.field and not c.id.startswith(BY_REFERENCE)]
    with serving(example("echo_server"), "--deflate") as url:
        wrong = play_all(url, cases)
    assert not wrong, tell(wrong)


def test_a_server_without_compression_plays_the_rest_and_declines_every_offer():
    cases = [c for c in table.cases("s") if is_over_sockets(c) and (not c.field or c.agrees == "no")
             and not c.rule.startswith("size.")]
    with serving(example("echo_server")) as url:
        wrong = play_all(url, cases)
    assert not wrong, tell(wrong)
