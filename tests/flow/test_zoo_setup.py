# SPDX-License-Identifier: MIT
"""What the zoo needs is installed and compiled as far as that can be: one package
or one server that fails costs its own cases, not all."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OFFERS = """Package: first
Version: 1

Package: rival
Conflicts: older (<< 2), first, fourth

Package: third
"""


@pytest.fixture
def shims(tmp_path):
    """A function that puts a program, NAME: SCRIPT, in front of the real ones."""
    folder = tmp_path / "shims"
    folder.mkdir()

    def put(name, script):
        (folder / name).write_text("#!/bin/sh\n" + script)
        (folder / name).chmod(0o755)
    put.env = {**os.environ, "PATH": "%s:%s" % (folder, os.environ["PATH"])}
    return put


@pytest.fixture
def machine(tmp_path, shims):
    """Where all is installed but what OFFERS names and a package that nobody offers;
    apt-get leaves in `asked` what it is asked to install."""
    (tmp_path / "offers").write_text(OFFERS)
    shims("id", "echo 1000")
    shims("sudo", 'case $1 in env | apt-get) exec "$@" ;; esac')
    shims("npm", "exit 0")
    shims("dpkg-query", 'for p; do :; done\n'
          'case $p in first | rival | third | fourth | nowhere) exit 1 ;; esac\n'
          'echo install ok installed')
    shims("apt-cache", "cat %s/offers" % tmp_path)
    shims("apt-get", 'case $* in *install*) echo "$@" >%s/asked ;; esac' % tmp_path)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/setup", tmp_path / "tools")
    case = tmp_path / "tests/zoo/one/case.json"
    case.parent.mkdir(parents=True)
    case.write_text('{"needs": {"apt": ["first", "nowhere", "rival",\n "third"], "npm": []}}')
    (tmp_path / "tests/zoo/package.json").write_text("{}")
    return tmp_path


def test_a_package_that_cannot_be_installed_does_not_keep_the_others_away(machine, shims):
    setup = subprocess.run([machine / "tools/setup", "zoo"], env=shims.env,
                           capture_output=True, text=True)
    assert setup.returncode == 0, setup
    assert "nowhere: not offered here (its cases are skipped)\n" in setup.stdout
    assert "rival: cannot stand beside first (its cases are skipped)\n" in setup.stdout
    assert (machine / "asked").read_text().split()[-2:] == ["first", "third"]
    left_out = (machine / "build/absent-packages").read_text()
    assert left_out == "nowhere\nrival\n"


def test_a_server_that_does_not_compile_is_told_and_the_others_are_built(tmp_path, shims):
    shutil.copytree(ROOT / "tests/zoo/lib", tmp_path / "lib")
    for compiler in "gcc", "g++", "go", "crystal", "ghc":
        shims(compiler, "exit 1")
    shims("javac", 'case $* in *JdkServer*) touch "$2/JdkServer.class" ;; *) exit 1 ;; esac')
    native = tmp_path / "lib/native"
    run = subprocess.run([tmp_path / "lib/build"], env=shims.env, capture_output=True, text=True)
    assert run.returncode == 0, run
    assert (tmp_path / ".build/java/JdkServer.class").exists()
    if Path("/usr/include/libwebsockets.h").exists():
        assert "this failed, and its cases will not start: gcc -o" in run.stderr
        assert str(native / "lws.c") in run.stderr
