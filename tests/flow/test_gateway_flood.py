# SPDX-License-Identifier: MIT
"""A flood of refused handshakes beside connections that talk: the small form of
bench/flood.py."""
import os
import re
import subprocess
import sys
from pathlib import Path

from gateways import SESAME
from held import sanitized

FLOOD = Path(__file__).resolve().parents[2] / "bench/flood.py"


def test_a_flood_of_refusals_costs_nobody_a_message_and_no_memory():
    done = subprocess.run([sys.executable, FLOOD, "5000", "100"], capture_output=True, text=True,
                          timeout=120, env=dict(os.environ, SESAME=SESAME))
    numbers = [int(n) for n in re.findall(r"(?<![\d.])\d+(?![\d.])", done.stdout)]
    refused, asked, connections, back, sent, lost, _, warm, full = numbers
    assert (refused, asked, connections, lost) == (5000, 5000, 100, 0), done.stdout + done.stderr
    assert sent == back > 0, done.stdout
    if not sanitized(SESAME):
        assert full < warm + 4096 and done.returncode == 0, done.stdout
