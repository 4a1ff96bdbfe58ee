# SPDX-License-Identifier: MIT
"""What all plays stand on: a gateway that was told of no journal keeps it in a
folder of this run, not where the operator of this machine has one
(tests/flow/held.py looks whether it does); and whatever a run has started ends
with it, though it be killed."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

STATE = tempfile.mkdtemp(prefix="sesame-state-")
os.environ["STATE_DIRECTORY"] = STATE
# Of a session of its own, so that who ends this run and all its group spares it.
CARETAKER = subprocess.Popen([sys.executable, Path(__file__).with_name("caretaker.py"), STATE],
                             stdin=subprocess.PIPE, start_new_session=True)


def pytest_unconfigure():
    CARETAKER.stdin.close()
    CARETAKER.wait(30)
