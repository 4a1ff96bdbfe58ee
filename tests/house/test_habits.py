# SPDX-License-Identifier: MIT
"""Habits: licence lines, pages for what users set, texts and tests for causes."""
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def tracked():
    out = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z"], capture_output=True)
    if out.returncode == 0 and out.stdout:
        names = out.stdout.decode().split("\0")
        return [TOP / n for n in names if n and (TOP / n).is_file()]
    return [p for p in TOP.rglob("*") if p.is_file() and "/build" not in str(p) and "/.git/" not in str(p)]


CODE = {".c", ".h", ".def", ".lua", ".cmake", ".py", ".sh", ".js", ".mjs"}


def is_code(path):
    if path.suffix in CODE or path.name in ("Makefile", "CMakeLists.txt"):
        return True
    if path.suffix:
        return False
    with open(path, "rb") as f:
        return f.read(2) == b"#!"


def test_each_file_of_code_names_its_licence():
    missing = [str(p.relative_to(TOP)) for p in tracked()
               if is_code(p) and "fuzz/seeds" not in str(p)
               and "SPDX-License-Identifier: MIT" not in p.read_text(errors="replace")[:400]]
    assert not missing, missing


def test_the_readme_stays_short():
    assert len((TOP / "README.md").read_text().splitlines()) <= 120


STARTS_A_SERVER = re.compile(r'Popen\(\s*\[(SESAME, "serve"|example\("\w*server)')


def test_who_starts_what_serves_looks_at_what_it_holds():
    """Before its clients came and after they are gone: tests/flow/held.py."""
    functions = [(p.name, f) for p in (TOP / "tests/flow").glob("*.py")
                 for f in re.split(r"^ *(?=def )", p.read_text(), flags=re.M)]
    starts = [(name, f) for name, f in functions if STARTS_A_SERVER.search(f)]
    assert len(starts) > 5
    assert not [(name, f.splitlines()[0]) for name, f in starts if "Held(" not in f]


def rows(path, macro):
    return re.findall(r"^%s\((\w+)" % macro, (TOP / path).read_text(), re.M)


def causes():
    return re.findall(r'^CAUSE\(\w+,\s*"([^"]+)"', (TOP / "src/why/causes.def").read_text(), re.M)


def contract():
    lines = (TOP / "tests/contracts/causes.tsv").read_text().splitlines()[1:]
    return [line.split("\t")[0] for line in lines if line.strip()]


def test_the_vocabulary_holds_every_cause_of_the_contract():
    assert set(contract()) <= set(causes())


@pytest.mark.parametrize("cause", contract())
def test_a_cause_has_a_page_and_a_test_that_names_it(cause):
    assert cause in (TOP / "docs/causes.md").read_text()
    symbol = cause.upper().replace(".", "_").replace("-", "_")
    tests = [p for p in (TOP / "tests").rglob("*") if p.suffix in (".c", ".py", ".json")
             and p.name != "causes.tsv" and "house" not in p.parts]
    assert any(cause in t or "WHY_" + symbol in t
               for t in (p.read_text(errors="replace") for p in tests)), \
        "no test names %s" % cause


def test_every_setting_has_its_page():
    page = (TOP / "docs/sesame.yaml.md").read_text()
    text = (TOP / "src/gate/settings.def").read_text()
    keys = re.findall(r'^SETTING\(\s*\w+\s*,\s*"([^"]+)"', text, re.M)
    assert keys, "settings.def has no rows"
    missing = [k for k in keys if "`%s`" % k not in page]
    assert not missing, missing


def test_every_command_is_in_the_readme_or_a_page():
    pages = "".join(p.read_text() for p in [TOP / "README.md", *(TOP / "docs").rglob("*.md"),
                                            *(TOP / "docs/man").iterdir()])
    missing = [c for c in rows("src/cli/commands.def", "COMMAND") if "sesame %s" % c not in pages]
    assert not missing, missing


def test_every_exported_function_is_documented():
    """In a public header, a function's declaration follows a comment."""
    undocumented = []
    for header in (TOP / "include/sesame").glob("*.h"):
        text = header.read_text()
        for match in re.finditer(r"^SESAME_API\b", text, re.M):
            before = text[:match.start()].rstrip()
            if not (before.endswith("*/") or before.endswith(";")):
                undocumented.append("%s: %s" % (header.name, text[match.start():match.start() + 60]))
    assert not undocumented, undocumented


def test_make_lists_what_can_be_made():
    text = (TOP / "Makefile").read_text().replace("\\\n", " ")
    targets = re.search(r"^\.PHONY: (.*)", text, re.M).group(1).split()
    told = subprocess.run(["make", "-s", "-C", str(TOP), "help"], capture_output=True, text=True, check=True).stdout
    missing = [t for t in targets if t not in ("all", "help", "$(SETUPS)")
               and not re.search(r"(?<![\w-])%s(?![\w-])" % t, told)]
    assert not missing, missing
