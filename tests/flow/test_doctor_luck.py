# SPDX-License-Identifier: MIT
"""Servers that let in by chance or in turns. No change of the request is why
they open, and `sesame doctor` claims one no oftener than its confidence says."""
import concurrent.futures
import json
import os
import random
import subprocess

import pytest

from doctor_peers import Peer, accept, answer

SESAME = os.environ.get("SESAME", "build/sesame")
COINS = 120


def fickle(lets_in):
    """A play that lets in whenever lets_in() says so."""
    def play(conn, request):
        if not lets_in():
            conn.sendall(answer(b"403 Forbidden", b"no"))
            return
        conn.sendall(accept(request))
        conn.settimeout(5)
        conn.recv(100)
    return play


def in_turn(pattern):
    turns = [0]

    def lets_in():
        turns[0] += 1
        return pattern[(turns[0] - 1) % len(pattern)] == "1"
    return lets_in


def verdict_on(lets_in):
    with Peer(fickle(lets_in)) as peer:
        out = subprocess.run([SESAME, "doctor", "--json", "--hold", "0.05", "--origin",
                              "https://evil.example", "ws://127.0.0.1:%d/chat" % peer.port],
                             capture_output=True, text=True, timeout=60).stdout
    document = json.loads(out)
    assert len(document["probes"]) <= 20
    return document["verdict"]


def toss(seed):
    coin = random.Random(seed)
    return verdict_on(lambda: coin.random() < 0.5)


def test_a_coin_is_taken_for_a_cause_no_oftener_than_the_confidence_says():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        verdicts = list(pool.map(toss, range(COINS)))
    claims = sorted((v["confidence"] for v in verdicts
                     if v["confidence"] > 0.9 and v["cause"] != "ok"), reverse=True)
    for n, confidence in enumerate(claims, 1):
        assert n <= COINS * (1 - confidence) + 1, claims


@pytest.mark.parametrize("pattern", ["01", "001", "011", "0110", "0010", "0011", "0111",
                                     "00110", "0101101"])
def test_servers_that_take_turns_prove_nothing(pattern):
    verdict = verdict_on(in_turn(pattern))
    assert verdict["cause"] == "ok" or verdict["confidence"] <= 0.9, verdict
