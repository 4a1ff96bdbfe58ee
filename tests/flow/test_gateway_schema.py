# SPDX-License-Identifier: MIT
"""The JSON Schema of the configuration says no to what `sesame check` says no
to, as far as keys, kinds and ranges go, and never to what that takes."""
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from gateways import run

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/sesame.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


class Reader(yaml.SafeLoader):
    """YAML 1.2, as editors read it: `off` is a text, and true a flag."""


Reader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag.rsplit(":", 1)[1] in ("int", "null")]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()}
Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
Reader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[0-9]+\.[0-9]+$"),
                             list("0123456789"))


def schema_takes(text):
    return VALIDATOR.is_valid(yaml.load(text, Reader))


def route(more, to="echo"):
    return "routes:\n  - {path: /a, to: %s, %s}\n" % (to, more)


def rooted(line):
    return line + "\nroutes:\n  - {path: /a, to: echo}\n"


LONG = "'ws://server-with-a-name-of-some-length.internal.example.org:8080/and/a/prefix'"
GOOD = [
    rooted(""), "routes:\n  - path: /a\n    to: [%s, 'ws://127.0.0.1:9']\n" % LONG,
    route("balance: client", LONG), route("allow: {origins: [null]}"),
    route("allow: {origins: ['null', none]}"), route("headers: {X-Gone: , X-N: 5, X-B: true}", LONG),
    route("host: 5", LONG), route("limits: {connections: '5', message: 1024}"),
    route("limits: {message: 1 gib, messages: 007/s, idle: 24h}"),
    route("limits: {message: '1073741824', handshakes: 4294967295 / Minute}"),
    route("limits: {message: 1GB, idle: 86400000ms}"), rooted("refusal: {close: 'true'}"),
    rooted("refusal: {close: false, disclose: full}"), rooted("workers: '256'"),
    rooted("journal: {max_size: 1MiB}"), rooted("journal: {max_size: 1048576}"),
    rooted("stop: {spread: 0s, deadline: 100ms}"), rooted("pid_file: 5"),
    rooted("admin: {}"), rooted("log: {format: json}"),
    rooted("") + "tests:\n  - {url: /b, expect: 404}\n",
    rooted("") + "tests:\n  - {url: /a, certificate: [subject:CN=someone, 'san:dns:a.example'],"
    " expect: admit}\n",
]
BAD = [
    rooted("rooutes: []"), "routes: []\n", "routes:\n  - {to: echo}\n", "routes:\n  - {path: /a}\n",
    rooted("workers: 0"), rooted("workers: 257"), rooted("workers: '257'"), rooted("workers: many"),
    route("mode: Observe"), route("allow: {origins: []}"), route("allow: {origins: none}"),
    route("limits: {message: 0}"), route("limits: {message: 0KiB}"), route("limits: {message: 2GiB}"),
    route("limits: {message: 1025 MiB}"), route("limits: {message: 1XB}"),
    route("limits: {message: 1073741825}"), route("limits: {idle: 5}"), route("limits: {idle: 1.5m}"),
    route("limits: {idle: 999ms}"), route("limits: {idle: 25h}"), route("limits: {idle: 0s}"),
    route("limits: {handshakes: 20}"), route("limits: {handshakes: 0/minute}"),
    route("limits: {handshakes: 4294967296/s}"), route("limits: {handshakes: 2/fortnight}"),
    route("limits: {connections: 0}"), route("limits: {connections: five}"),
    rooted("refusal: {close: 1}"), rooted("refusal: {close: 'no'}"), rooted("refusal: {disclose: all}"),
    rooted("journal: {max_size: 10}"), rooted("journal: {max_size: 2000000 MiB}"),
    rooted("stop: {spread: 0}"), rooted("stop: {deadline: 99ms}"), route("headers: {}", LONG),
    rooted("") + "tests:\n  - {url: /a, exepct: admit}\n", "routes: 5\n", "just words\n",
]


def checked(folder, text):
    (folder / "sesame.yaml").write_text(text)
    return run("check", "sesame.yaml", cwd=folder)


def test_the_schema_is_one_and_takes_the_examples():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    examples = sorted((ROOT / "examples").rglob("sesame.yaml"))
    assert len(examples) >= 2
    for file in examples:
        assert run("check", str(file)).returncode == 0, file
        assert not list(VALIDATOR.iter_errors(yaml.load(file.read_text(), Reader))), file


@pytest.mark.parametrize("text", GOOD)
def test_the_schema_takes_what_check_takes(tmp_path, text):
    r = checked(tmp_path, text)
    assert r.returncode == 0, r.stderr
    assert schema_takes(text), list(VALIDATOR.iter_errors(yaml.load(text, Reader)))


@pytest.mark.parametrize("text", BAD)
def test_the_schema_refuses_the_kinds_and_ranges_that_check_refuses(tmp_path, text):
    assert checked(tmp_path, text).returncode == 2
    assert not schema_takes(text)


def ends(row):
    """The least and the most of a number's row, and what is beside them."""
    for schema in row.get("anyOf", []):
        if schema.get("type") == "integer":
            return schema["minimum"], schema["maximum"]
    return None


def test_the_patterns_of_numbers_hold_at_both_ends():
    def walk(schema):
        for row in schema.get("properties", {}).values():
            yield row
            yield from walk(row.get("items", row))
    rows = [(row, *ends(row)) for row in walk(SCHEMA) if ends(row)]
    assert len(rows) > 10
    for row, least, most in rows:
        fits = jsonschema.Draft202012Validator({"anyOf": row["anyOf"]}).is_valid
        for number in {least, least + 1, most - 1, most, (least + most) // 2}:
            if least <= number <= most:
                assert fits(number) and fits(str(number)) and fits("0%d" % number), (row, number)
        for number in (least - 1, most + 1, most * 10):
            assert not fits(number) and not fits(str(number)), (row, number)
