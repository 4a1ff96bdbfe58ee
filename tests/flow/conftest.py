# SPDX-License-Identifier: MIT
"""What all plays stand on: a gateway that was told of no journal keeps it in a
folder of this run, not where the operator of this machine has one. tests/flow/held.py
looks whether it does."""
import os
import tempfile

STATE = tempfile.TemporaryDirectory(prefix="sesame-state-")
os.environ["STATE_DIRECTORY"] = STATE.name


def pytest_unconfigure():
    STATE.cleanup()
