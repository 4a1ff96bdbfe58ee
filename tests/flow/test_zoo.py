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
KEYS = {"id", "title", "stack", "needs", "cause", "accept", "who", "args", "fix_args",
        "fix_server", "status"}
CAUSES = {line.split("\t")[0] for line in
          (cases.ZOO.parent / "contracts/causes.tsv").read_text().splitlines()}


def test_every_case_tells_all_that_its_contract_wants():
    for name in cases.names():
        doc = cases.load(name)
        assert KEYS <= set(doc) <= KEYS | {"daily", "fix_stack", "nofix", "opens"}, name
        assert doc["id"] == name and {"apt", "npm"} <= set(doc["needs"]), name
        assert doc["cause"] in doc["accept"] and set(doc["accept"]) <= CAUSES, name
        assert doc["fix_args"] or doc["fix_server"] or doc.get("nofix"), name
        assert os.access(cases.ZOO / name / "up", os.X_OK), name


@pytest.fixture
def needs(name):
    lacking = cases.missing(cases.load(name))
    if lacking:
        pytest.skip("needs " + " ".join(lacking))


@pytest.mark.usefixtures("needs")
@pytest.mark.parametrize("name", cases.daily())
def test_it_refuses_as_told_and_its_fix_opens_it(name):
    assert cases.verify(name) is None


@pytest.mark.usefixtures("needs")
@pytest.mark.parametrize("name", cases.daily())
def test_the_doctor_names_the_cause(name):
    document, _ = cases.diagnose(PROGRAM, name)
    assert document is not None, "no JSON came"
    assert document["verdict"]["cause"] in cases.load(name)["accept"]
    assert len(document["probes"]) <= 20
