# SPDX-License-Identifier: MIT
"""A password that stands at a wrong place of the configuration is not repeated."""
import json
import pathlib
import re

import pytest

from gateways import run

ROWS = (pathlib.Path(__file__).parents[2] / "src/gate/settings.def").read_text()
PATHS = re.findall(r'^SETTING\(\w+, "([^"]+)"', ROWS, re.M)
SECRET = "cAnAry7pass"
URLS = ["redis://:%s@db.example:6379/0", "redis://ann:%s@db.example/0?prefix=a",
        "rediss://ann%%40b:%s/more@db.example", "redis:/:%s@db.example", "ann:%s@db.example:6379",
        "redis://ann:%s@" + "long." * 30 + "example", "redis://" + "ann" * 40 + ":%s@db.example",
        "ws://db.example/?password=%s"]


def merge(into, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list):
            merge(into[key][0], value[0])
        else:
            into.setdefault(key, value)
    return into


def placed(path, value):
    """A configuration that has @value at @path of the settings."""
    for step in reversed(path.split(".")):
        key, is_list = step.removesuffix("[]"), step.endswith("[]")
        value = {key: [value] if is_list else value}
    return value


def configuration(paths, value):
    config = {}
    for path in paths:
        merge(config, placed(path, value))
    config.setdefault("routes", [{}])
    for route in config["routes"]:
        if isinstance(route, dict):
            merge(route, {"path": "/a", "to": "echo"})
    return config


def check(folder, config, *words):
    (folder / "sesame.yaml").write_text(json.dumps(config))
    return run("check", *words, cwd=folder)


def levels():
    """Settings that can stand beside each other: no two of which one is above the other."""
    depth = {}
    for path in PATHS:
        depth.setdefault(path.count("."), []).append(path)
    return [some[at:at + 20] for some in depth.values() for at in range(0, len(some), 20)]


def test_all_settings_are_known_here():
    assert len(PATHS) > 100 and "backplane" in PATHS and "routes[].to" in PATHS


# What a test sends is its own business, and a pattern is no URL.
SHOWN = ("tests[].", "routes[].allow.user_agents")


@pytest.mark.parametrize("url", URLS)
def test_a_password_at_a_wrong_place_is_not_repeated(tmp_path, url):
    url %= SECRET
    for paths in levels():
        paths = [path for path in paths if not path.startswith(SHOWN)]
        for value in (url, [url], {url: "x"}, {"x": url}):
            config = configuration(paths, value)
            r = check(tmp_path, config)
            assert SECRET not in r.stdout + r.stderr, config
            assert r.returncode == 2 or not paths, config


@pytest.mark.parametrize("path", [
    path for path in PATHS if path.endswith(("name", "host", "key", "node", "user", "group", "headers",
                                             "paths_claim", "issuer", "audience", "claims"))])
def test_nor_is_one_that_is_taken(tmp_path, path):
    config = configuration([path], {"x": URLS[0] % SECRET} if path.endswith(("headers", "claims"))
                           else URLS[0] % SECRET)
    r = check(tmp_path, config, "--url", "/a", "--json")
    assert SECRET not in r.stdout + r.stderr, config


@pytest.mark.parametrize("text", [
    "redis://:%s@db.example/0", "routes: redis://:%s@db.example", "redis://:%s@db.example: x",
    "routes: [{path: /a, to: echo}]\nbackplane: redis://:%s@db.example: 6379",
    "routes: [{path: /a, to: echo}]\nbackplane: *redis://:%s@db.example",
    "routes: [{path: /a, to: echo}]\nnode: !redis://:%s@db.example x",
    "routes: [{path: /a, to: echo}]\nnode: &redis://:%s@db.example x\nuser: [",
    "routes: [{path: /a, to: echo}]\nnode: \"redis://:%s@db.example\\q\"",
    "routes: [{path: /a, to: echo}]\n? redis://:%s@db.example\n? redis://:%s@db.example\n"])
def test_nor_is_one_where_the_file_is_no_yaml(tmp_path, text):
    (tmp_path / "sesame.yaml").write_text(text.replace("%s", SECRET))
    r = run("check", cwd=tmp_path)
    assert r.returncode != 0 and SECRET not in r.stdout + r.stderr, r.stderr


def test_what_is_told_is_still_of_use(tmp_path):
    r = check(tmp_path, configuration(["node"], "redis://:%s@db.example/0" % SECRET))
    assert "node: `redis://***@db.example/0` is no name" in r.stderr, r.stderr
