# SPDX-License-Identifier: MIT
"""Tests leave nothing running: neither one that is red nor one that is killed."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gateways
import pytest
from redis_server import HERE as REDIS_IS_HERE

FLOW = Path(__file__).parent
PLAY = """
import subprocess, threading, time, gateways, redis_server

def begin(folder, pids):
    if redis_server.HERE:
        pids.append(redis_server.RedisServer(folder).process.pid)
    pids.append(gateways.Gateway(folder, "listen: [{address: '127.0.0.1:0'}]\\n"
                                 "routes: [{path: /, to: echo}]\\n").process.pid)

def test_that_is_killed(tmp_path):
    pids = [subprocess.Popen(["sleep", "600"], start_new_session=True).pid]
    thread = threading.Thread(target=begin, args=(tmp_path, pids))
    thread.start()
    thread.join()
    print(*pids, flush=True)
    time.sleep(600)
"""


def is_there(pid):
    try:
        return "\nState:\tZ" not in Path("/proc/%d/status" % pid).read_text()
    except OSError:
        return False


def all_gone(pids, seconds=10):
    end = time.time() + seconds
    while any(map(is_there, pids)) and time.time() < end:
        time.sleep(0.05)
    return not any(map(is_there, pids))


@pytest.mark.parametrize("kill", [os.kill, os.killpg])
def test_what_a_killed_run_has_started_ends_with_it(tmp_path, kill):
    (tmp_path / "test_play.py").write_text(PLAY)
    run = subprocess.Popen([sys.executable, "-m", "pytest", "-s", "-q", "-p", "conftest", "-p",
                            "no:cacheprovider", "--basetemp", tmp_path / "base", tmp_path],
                           stdout=subprocess.PIPE, text=True, start_new_session=True,
                           env={**os.environ, "PYTHONPATH": str(FLOW)})
    try:
        pids = [int(word) for word in run.stdout.readline().split()]
        assert len(pids) == 2 + REDIS_IS_HERE and all(map(is_there, pids))
    finally:
        kill(run.pid, signal.SIGKILL)
        run.wait()
        run.stdout.close()
    assert all_gone(pids)


def test_a_gateway_that_holds_what_it_may_not_is_ended(tmp_path, monkeypatch):
    started = []

    def held(pid):
        started.append(pid)
        raise AssertionError("a test writes into the operator's journal")

    monkeypatch.setattr(gateways, "Held", held)
    with pytest.raises(AssertionError):
        gateways.Gateway(tmp_path, "listen: [{address: '127.0.0.1:0'}]\nroutes: [{path: /, to: echo}]\n")
    assert started and all_gone(started, 0)


def test_a_gateway_that_does_not_begin_is_told_with_what_it_said(tmp_path):
    with pytest.raises(AssertionError, match="unknown key `liste`"):
        gateways.Gateway(tmp_path, "liste: x\n")
