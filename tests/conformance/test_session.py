# SPDX-License-Identifier: MIT
"""The table played to the session itself, without sockets: in both roles, whole,
byte by byte and in any two parts."""
import os
import subprocess

import pytest
import table
from case import LIMIT, Mouth, Terms, close
from ear import Broken, Ear
from judge import judge, terms_of
from rawsocket import BUILD

PLAYER = os.path.join(BUILD, "tests", "session_player")
MOST_BYTES = 300_000


def terms_for(case):
    return terms_of(case.field) if case.field else None


def is_for_a_session(case, role):
    """Not the rows on the handshake or on TCP, nor those that are large."""
    if case.rule == "deflate.bomb" and case.limit == LIMIT:
        return False
    if case.ends[0] in ("refused", "gone") or case.half_close or case.agrees == "no":
        return False
    if role == "s" and case.agrees and ("," in case.field or case.field.endswith("client_max_window_bits")):
        return False
    return sum(len(getattr(s, "payload", b"") or getattr(s, "data", b"")) for s in case.sends) < MOST_BYTES


def line_for(case, role):
    terms = terms_for(case)
    mouth = Mouth(role == "s", terms)
    sends = [*case.sends] + [close()] * (case.ends[0] == "open")
    data = mouth.say_all(sends)
    t = terms or Terms()
    return len(data), "%s %d %d %d %d %d %d %s\n" % (
        role, case.limit, bool(terms), not t.server_takeover,
        not t.client_takeover, t.server_bits, t.client_bits, data.hex())


def verdict(case, role, sent_bytes, answer):
    if answer.startswith("otherwise"):
        return answer
    fed, over, *sent = answer.split()
    ear = Ear(role == "c", terms_for(case))
    try:
        ear.feed(bytes.fromhex("".join(sent)))
    except Broken as fault:
        return str(fault)
    wrong = judge(case, ear.events, "eof" if over == "1" else "open")
    if not wrong and case.prompt and int(fed) != sent_bytes:
        return "ends at byte %s of %d" % (fed, sent_bytes)
    return wrong


@pytest.mark.parametrize("role", ["s", "c"], ids={"s": "server", "c": "client"}.get)
def test_a_session_plays_the_table(role):
    cases = [c for c in table.cases(role) if is_for_a_session(c, role)]
    lines = [line_for(c, role) for c in cases]
    got = subprocess.run([PLAYER], input="".join(line for _, line in lines), capture_output=True, text=True,
                         timeout=100, check=True).stdout.splitlines()
    assert len(got) == len(cases)
    wrong = {c.id: v for c, (n, _), answer in zip(cases, lines, got) if (v := verdict(c, role, n, answer))}
    assert not wrong, "\n".join("%s: %s" % w for w in wrong.items())
