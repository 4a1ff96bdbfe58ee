# SPDX-License-Identifier: MIT
"""The pages of limits and of keys say what the code says."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs/limits.md").read_text()
CELL = r"\| ([^|\n]*) "
FIXED = re.findall(r"^\| ([^|\n]+) \| (\d+) \| `(\w+)` \| (src/\S+) \|$", PAGE, re.M)
SET = re.findall(r"^\| [^|\n]+ \| (?:`(\w+)`|[^|\n]+) \| ([^|\n]*) ?\| (?:`([\w.\[\]]+)`|-) \| "
                 r"([^|\n]*?) ?\|$", PAGE, re.M)


def value_of(expression):
    """Of a constant: numbers, casts, * and <<."""
    expression = re.sub(r"/\*.*", "", expression)
    expression = re.sub(r"\((?:size_t|uint64_t|uint32_t)\)|UINT64_C|(?<=\d)[uUlL]+", "", expression)
    assert re.fullmatch(r"[\d\s()*<+]+", expression), expression
    return eval(expression)  # pylint: disable=eval-used


@pytest.mark.parametrize("what,limit,name,file", FIXED, ids=[row[2] for row in FIXED])
def test_a_constant_has_the_value_of_the_page(what, limit, name, file):
    found = re.search(r"^#define %s\s+(.+)$" % name, (TOP / file).read_text(), re.M)
    assert found, "%s is not in %s" % (name, file)
    assert value_of(found.group(1)) == int(limit), what


def test_the_tables_were_read():
    assert len(FIXED) > 35 and len(SET) > 20


def setting_rows():
    text = (TOP / "src/gate/settings.def").read_text()
    return dict(re.findall(r'^SETTING\(\w+, "([^"]+)",.*?, "([^"]*)",$', text, re.M))


@pytest.mark.parametrize("setting,default", [row[2:] for row in SET if row[2]])
def test_a_setting_has_the_default_of_the_page(setting, default):
    assert setting_rows()[setting] == default


@pytest.mark.parametrize("name", [row[0] for row in SET if row[0]])
def test_a_limit_of_the_library_is_in_its_headers(name):
    headers = "".join(p.read_text() for p in (TOP / "include/sesame").glob("*.h"))
    assert re.search(r"\b%s;" % name, headers)


def test_limits_that_a_route_can_have_are_all_on_the_page():
    for setting in setting_rows():
        if setting.startswith("routes[].limits."):
            assert "`%s`" % setting in PAGE, setting


def test_each_key_in_redis_has_a_row():
    page = (TOP / "docs/backplane.md").read_text()
    route = (TOP / "src/hub/redis/route.lua").read_text()
    letters = re.search(r"\('(\w+)'\):gmatch", route).group(1) + "".join(re.findall(r"'\}:(\w)'", route))
    assert set(re.findall(r"^\| `(\w)` \| [a-z ]+ \| ", page, re.M)) == set(letters) and len(set(letters)) == 11
