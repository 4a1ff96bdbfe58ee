# SPDX-License-Identifier: MIT
"""docs/conformance.md says what the table says, and judges all that it shows."""
import re
from pathlib import Path

import matrix
import table

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs/conformance.md").read_text()


def part(name):
    return PAGE.split("<!-- %s -->" % name)[1].split("<!-- end of %s -->" % name)[0]


def rows(text):
    return [[c.strip() for c in line.strip("|").split("|")] for line in text.strip().splitlines()[2:]]


def test_the_page_has_the_rules_of_the_table():
    assert part("rules").strip() == matrix.rules(), "tests/conformance/matrix.py --rules --write"


def test_sesame_does_as_asked_and_each_difference_of_others_is_judged():
    judged = set(re.findall(r"`([a-z-]+\.[a-z-]+)`", PAGE.split("### The differences, judged")[1].split("\n## ")[0]))
    assert judged <= set(table.RULES)
    for name in ("servers", "clients"):
        played = rows(part(name))
        assert played
        for rule, _, ours, *others in played:
            assert rule.strip("`") in table.RULES
            assert ours == "as asked", rule
            assert set(others) == {"as asked"} or rule.strip("`") in judged, rule
