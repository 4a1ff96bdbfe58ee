# SPDX-License-Identifier: MIT
"""Real servers that refuse, for one known reason each: every case refuses as
it says, its fix opens it, and the doctor names the cause. Here are the daily
cases; `make zoo` has them all."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "zoo/lib"))
import cases  # noqa: E402
import score  # noqa: E402

PROGRAM = os.environ["SESAME"]
KEYS = {"id", "title", "stack", "needs", "cause", "accept", "who", "args", "fix_args",
        "fix_server", "status"}
CAUSES = {line.split("\t")[0] for line in
          (cases.ZOO.parent / "contracts/causes.tsv").read_text().splitlines()}


def test_every_case_tells_all_that_its_contract_wants():
    for name in cases.names():
        doc = cases.load(name)
        assert KEYS <= set(doc) <= KEYS | {"daily", "fix_stack", "nofix", "opens",
                                            "waits"}, name
        assert doc["id"] == name and {"apt", "npm"} <= set(doc["needs"]), name
        assert doc["cause"] in doc["accept"] and set(doc["accept"]) <= CAUSES, name
        assert doc["fix_args"] or doc["fix_server"] or doc.get("nofix"), name
        assert os.access(cases.ZOO / name / "up", os.X_OK), name


def test_an_unknown_case_is_told_with_those_of_a_near_name():
    for program in ("run", "fix"):
        run = subprocess.run([cases.ZOO / program, "path-cast"], capture_output=True, text=True)
        assert run.returncode == 1 and not run.stdout, run
        assert re.fullmatch("there is no case 'path-cast'; did you mean path-case"
                            r"( or [a-z0-9-]+)*\?\n", run.stderr)


def row(handshakes=4, seconds=0.2, **case):
    case = {"id": "one", "cause": "url.path", "accept": ["url.path"], "who": "client", **case}
    verdict = {"cause": "url.path", "who": "client", "confidence": 0.99}
    return score.Row(case, {"verdict": verdict, "probes": [{}] * handshakes}, seconds)


@pytest.mark.parametrize("rows, missed, reaches", [
    ([row()], [], True),
    ([row(8), row(20)], ["handshakes, median 14"], False),
    ([row(), row(), row(21)], ["handshakes, never above 20: one"], False),
    ([row(), row(), row(seconds=10)], ["seconds, none of them 10 or more: one (10.0)"], True),
    ([row(), row(seconds=12, waits=True)], [], True),
    ([row(seconds=1.1)], ["seconds, median 1.10"], True),
    ([row(accept=["ok"])], ["exact 0.000", "Brier score 0.9801"], False),
])
def test_a_target_that_is_missed_counts_unless_it_is_of_time(rows, missed, reaches):
    told = [text for text, reached, _ in score.targets(rows, blind=False) if not reached]
    assert len(told) == len(missed) and all(map(str.startswith, told, missed)), told
    assert score.reaches_targets(rows, blind=False) == reaches


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
