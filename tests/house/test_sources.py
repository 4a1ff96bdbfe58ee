# SPDX-License-Identifier: MIT
"""Each row that the judgement rests on says what it rests on itself."""
import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def read(path):
    return (TOP / path).read_text()


def test_the_marks_of_each_stack_have_a_source_that_can_be_looked_at():
    marked = set(re.findall(r"^MARK\((\w+),", read("src/why/marks.def"), re.M))
    sources = re.findall(r'^SOURCE\((\w+), (\w+), "([^"]+)"\)$', read("src/why/sources.def"), re.M)
    assert sorted(s for s, _, _ in sources) == sorted(marked)
    answers = read("tests/why/test_stack.c").lower()
    for stack, kind, where in sources:
        assert kind in ("ANSWER", "ZOO", "CODE", "TOLD"), stack
        if kind == "CODE":
            assert re.fullmatch(r"[^:]+: \S+", where), stack
        if kind == "ZOO":
            assert (TOP / "tests/zoo" / where / "case.json").is_file(), stack
        if kind == "ANSWER":
            assert where.lower() in answers, stack


def test_each_prior_names_a_source_that_is_there():
    text = read("src/doctor/priors.def")
    known = set(re.findall(r"^SOURCE\((\w+),", text, re.M))
    used = re.findall(r"^PRIOR\(\w+,\s*(\w+),", text, re.M)
    assert len(used) == len(re.findall(r"^PRIOR\(", text, re.M)) and set(used) <= known
    assert len(known) >= 4


def test_each_weight_says_what_it_rests_on():
    text = read("src/doctor/evidence.def")
    reasons = re.findall(r'^EVIDENCE\((\w+),\s*"([^"]+)"', text, re.M)
    assert len(reasons) == len(re.findall(r"^EVIDENCE\(", text, re.M))
    assert not [f for f, why in reasons if len(why.split()) < 3]


def test_each_telltale_is_of_a_finding_that_is_weighed_or_told():
    findings = set(re.findall(r"^\w+\((\w+)", read("src/doctor/findings.def"), re.M))
    rows = re.findall(r'^TELLTALE\(\w+,\s*"(?:[^"\\]|\\.)*",\s*(\w+)', read("src/doctor/telltales.def"), re.M)
    assert rows and set(rows) <= findings


def test_each_telltale_says_where_its_words_were_found():
    text = read("src/doctor/telltales.def")
    row = r'^TELLTALE\(\w+, "(?:[^"\\]|\\.)*", \w+, (INF|(ZOO|CODE|TOLD)\("([^"]+)"\))\)'
    sources = re.findall(row, text, re.M)
    assert len(sources) == len(re.findall(r"^TELLTALE\(", text, re.M))
    for whole, kind, where in sources:
        if kind == "ZOO":
            assert (TOP / "tests/zoo" / where / "case.json").is_file(), whole
        elif kind:
            assert re.fullmatch(r"[^:]+: \S.*", where), whole
