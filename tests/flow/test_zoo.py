# SPDX-License-Identifier: MIT
"""Real servers that refuse, for one known reason each: every case refuses as
it says, its fix opens it, and the doctor names the cause. Here are the daily
cases; `make zoo` has them all."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "zoo/lib"))
import cases  # noqa: E402

PROGRAM = os.environ["SESAME"]


@pytest.fixture(autouse=True)
def needs(name):
    lacking = cases.missing(cases.load(name))
    if lacking:
        pytest.skip("needs " + " ".join(lacking))


@pytest.mark.parametrize("name", cases.daily())
def test_it_refuses_as_told_and_its_fix_opens_it(name):
    assert cases.verify(name) is None


@pytest.mark.parametrize("name", cases.daily())
def test_the_doctor_names_the_cause(name):
    document, _ = cases.diagnose(PROGRAM, name)
    assert document is not None, "no JSON came"
    assert document["verdict"]["cause"] in cases.load(name)["accept"]
    assert len(document["probes"]) <= 20
