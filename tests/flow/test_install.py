# SPDX-License-Identifier: MIT
"""Installed under a prefix of its own, the library can be built against, as
docs/library.md says."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from rawsocket import BUILD, Peer, serving

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(BUILD) / "CMakeCache.txt"

pytestmark = [
    pytest.mark.skipif(not all(map(shutil.which, ("cmake", "cc", "pkg-config"))),
                       reason="no compiler here"),
    pytest.mark.skipif(not CACHE.is_file() or "SANITIZE:BOOL=ON" in CACHE.read_text(),
                       reason="a library with a sanitizer wants one in the program")]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    at = tmp_path_factory.mktemp("opt") / "x"
    subprocess.run(["cmake", "--install", BUILD, "--prefix", at], check=True,
                   capture_output=True)
    return at


def environment(prefix):
    return {**os.environ, "PKG_CONFIG_PATH": str(next(prefix.rglob("pkgconfig")))}


def page_says(beginning, prefix):
    """The command of docs/library.md that begins so, for another prefix."""
    text = (ROOT / "docs/library.md").read_text()
    command = next(c for c in re.findall(r"^    (cc (?:.*\\\n)*.*)", text, re.M)
                   if beginning in c)
    return command.replace("own_loop.c", str(ROOT / "examples/own_loop.c")).replace(
        "/opt/sesame/lib", str(next(prefix.rglob("libsesame.a")).parent))


@pytest.mark.parametrize("way", ["-rpath", "libsesame.a"])
def test_an_example_builds_and_runs_against_another_prefix(prefix, tmp_path, way):
    subprocess.run(["sh", "-c", page_says(way, prefix)], check=True, cwd=tmp_path,
                   env=environment(prefix))
    with serving(tmp_path / "own_loop", "--port", "0") as url, Peer(url) as peer:
        peer.send("hello")
        assert peer.recv() == "hello"


def test_the_loader_can_be_told_as_well(prefix, tmp_path):
    subprocess.run(["sh", "-c", page_says("sesame) -o", prefix)], check=True, cwd=tmp_path,
                   env=environment(prefix))
    command = ["env", "LD_LIBRARY_PATH=%s" % next(prefix.rglob("libsesame.so")).parent,
               tmp_path / "own_loop", "--port", "0"]
    with serving(*command) as url, Peer(url) as peer:
        peer.send("hello")
        assert peer.recv() == "hello"


def test_what_is_installed_is_whole(prefix):
    done = subprocess.run([prefix / "bin/sesame", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("sesame ")
    assert (prefix / "share/man/man1/sesame-doctor.1").is_file()
    assert list(prefix.rglob("bash-completion/completions/sesame"))
