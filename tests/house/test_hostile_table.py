# SPDX-License-Identifier: MIT
"""The tables of what went wrong elsewhere, and of what channels promise, name tests
that are there."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs/hostile.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", PAGE, re.M)
PROMISES = (TOP / "docs/delivery.md").read_text()
NAMED = sorted(set(re.findall(r'`(tests/[\w/.]+)` "([^"]+)"', PAGE + PROMISES)))


def names_in(file):
    """Sentences of C, functions of Python, rows of the conformance table, and what
    may befall a cluster."""
    text = (TOP / file).read_text()
    if file.endswith(".c"):
        found = re.findall(r'^TEST\(((?:"[^"]*"\s*)+)\)', text, re.M)
        return {"".join(re.findall('"([^"]*)"', parts)) for parts in found}
    return set(re.findall(r"^def (test_\w+|\w+(?=\(stage, chance))\(", text, re.M)) | set(
        re.findall(r'^    "([a-z0-9]+\.[a-z0-9-]+)": \(', text, re.M))


@pytest.mark.parametrize("file,name", NAMED)
def test_a_named_test_is_there(file, name):
    assert name in names_in(file), sorted(names_in(file))


def test_every_class_has_a_row_and_every_row_a_test():
    assert [int(number) for number, _ in ROWS] == list(range(1, 63))
    for number, tests in ROWS:
        assert re.search(r'`tests/[\w/.]+` "', tests), number


def test_every_promise_has_a_test():
    rows = re.findall(r"^\| (?!what happens)([^|-][^|]*) \| [^|]+ \| ([^|]*) \|$", PROMISES, re.M)
    assert len(rows) > 20 and PROMISES.count("\n| ") == len(rows) + 2
    for what, tests in rows:
        assert re.search(r'`tests/[\w/.]+` "', tests), what


def test_every_fuzz_target_is_on_its_page():
    table = (TOP / "docs/fuzzing.md").read_text().split("## A server on")[0]
    targets = {f.stem.removeprefix("fuzz_") for f in (TOP / "tests/fuzz").glob("fuzz_*.c")}
    assert not {noun for noun in targets if "`%s`" % noun not in table}
