# SPDX-License-Identifier: MIT
"""Channels keep their promises whatever befalls them: short runs of ./run."""
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parent / "run"


def play(*words):
    r = subprocess.run([str(RUN), *words], capture_output=True, text=True, timeout=200)
    if r.returncode == 77:
        pytest.skip(r.stdout.strip())
    assert r.returncode == 0, r.stdout + r.stderr
    assert "the promises were kept" in r.stdout


def test_every_mutant_still_has_its_place():
    subprocess.run([str(RUN.parent / "mutants"), "--places"], check=True)


def test_one_node_that_dies_and_clients_that_come_back():
    play("--memory", "--messages", "12000", "--faults", "8")


def test_three_nodes_and_redis_through_eight_faults():
    play("--messages", "20000", "--faults", "8", "--rate", "2500")


def test_a_replica_with_less_that_leads_for_a_while():
    play("--messages", "15000", "--faults", "2", "--only", "redis_fails_over_and_back")
