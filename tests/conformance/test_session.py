# SPDX-License-Identifier: MIT
"""The table played to the session itself, without sockets: in both roles, whole,
byte by byte and in any two parts."""
import collections
import os
import shutil
import subprocess
from pathlib import Path

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


ROLES = pytest.mark.parametrize("role", ["s", "c"], ids={"s": "server", "c": "client"}.get)


def play(role, cases, *under):
    lines = [line_for(c, role) for c in cases]
    got = subprocess.run([*under, PLAYER], input="".join(line for _, line in lines), capture_output=True, text=True,
                         timeout=100)
    assert (got.returncode, got.stderr) == (0, "")
    answers = got.stdout.splitlines()
    assert len(answers) == len(cases)
    wrong = {c.id: v for c, (n, _), answer in zip(cases, lines, answers) if (v := verdict(c, role, n, answer))}
    assert not wrong, "\n".join("%s: %s" % w for w in wrong.items())


@ROLES
def test_a_session_plays_the_table(role):
    play(role, [c for c in table.cases(role) if is_for_a_session(c, role)])


def few_of_each_rule(role):
    """Short rows, the first of each rule."""
    taken = collections.Counter()
    for case in table.cases(role):
        size = sum(len(getattr(s, "payload", b"") or getattr(s, "data", b"")) for s in case.sends)
        if is_for_a_session(case, role) and size < 150 and taken[case.rule] < 8:
            taken[case.rule] += 1
            yield case


def is_for_valgrind():
    return shutil.which("valgrind") and b"__asan_init" not in Path(PLAYER).read_bytes()


@ROLES
def test_no_byte_is_sent_that_was_not_written(role):
    """The player prints what was sent, so valgrind sees each byte of it decide something."""
    if not is_for_valgrind():
        pytest.skip("needs valgrind, and a program without another checker in it")
    play(role, list(few_of_each_rule(role)), "valgrind", "-q", "--error-exitcode=99", "--leak-check=full")
