# SPDX-License-Identifier: MIT
"""The table of what went wrong elsewhere names tests that are there."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs/hostile.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
NAMED = sorted(set(re.findall(r'`(tests/[\w/.]+)` "([^"]+)"', PAGE)))


def names_in(file):
    """Sentences of C, functions of Python, and rows of the conformance table."""
    text = (TOP / file).read_text()
    if file.endswith(".c"):
        found = re.findall(r'^TEST\(((?:"[^"]*"\s*)+)\)', text, re.M)
        return {"".join(re.findall('"([^"]*)"', parts)) for parts in found}
    return set(re.findall(r"^def (test_\w+)\(", text, re.M)) | set(
        re.findall(r'^    "([a-z0-9]+\.[a-z0-9-]+)": \(', text, re.M))


@pytest.mark.parametrize("file,name", NAMED)
def test_a_named_test_is_there(file, name):
    assert name in names_in(file), sorted(names_in(file))


def test_every_class_has_a_row_and_every_row_a_test():
    assert [int(number) for number, _ in ROWS] == list(range(1, 63))
    for number, tests in ROWS:
        assert re.search(r'`tests/[\w/.]+` "', tests), number
