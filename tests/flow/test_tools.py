# SPDX-License-Identifier: MIT
"""What stands behind `make`: it says what it does, and what is wrong, in time."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from gateways import SESAME

ROOT = Path(__file__).resolve().parents[2]


def build(folder, seconds, ends=0):
    """tools/build with a compiler's day of so many seconds."""
    shims = folder / "shims"
    shims.mkdir()
    (shims / "cmake").write_text("""#!/bin/sh
[ "$1" = --build ] || exit 0
echo '[ 43%%] Building C object'
sleep %d
exit %d
""" % (seconds, ends))
    (shims / "cmake").chmod(0o755)
    return subprocess.run([ROOT / "tools/build", folder / "build"], capture_output=True, text=True,
                          env={**os.environ, "PATH": "%s:%s" % (shims, os.environ["PATH"])},
                          timeout=60)


def test_a_build_that_lasts_says_that_it_is_at_work(tmp_path):
    done = build(tmp_path, 14)
    assert done.returncode == 0 and not done.stderr
    assert done.stdout == "Building in %s ...\n  43 %%\n" % (tmp_path / "build")


@pytest.mark.parametrize("ends", [0, 1])
def test_a_build_that_is_short_says_nothing(tmp_path, ends):
    done = build(tmp_path, 0, ends)  # and ends with whoever holds its output
    assert done.returncode == ends and not done.stdout
    assert ("The build failed" in done.stderr) == bool(ends)


def test_a_page_is_not_offered_once_more_at_what_is_no_address():
    done = subprocess.run([ROOT / "tools/demo-page", "chat", "foo"], capture_output=True,
                          text=True, env={**os.environ, "SESAME": os.path.abspath(SESAME)},
                          timeout=30)
    assert done.returncode == 2 and "--listen foo needs a port" in done.stderr
    assert "Once more" not in done.stdout


@pytest.mark.skipif(not shutil.which("nginx"), reason="no nginx here")
def test_the_demo_prints_the_lines_that_open_the_door():
    done = subprocess.run([ROOT / "tools/demo"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SESAME": os.path.abspath(SESAME)})
    assert done.returncode == 0, done.stdout + done.stderr
    before, after = done.stdout.split("\n7. ")  # its head, no reference that ends in 7
    fix = after.split("$ sesame")[0].split("\n")[2:]
    assert 'proxy_set_header Connection "upgrade";' in [line.strip() for line in fix]
    assert all(line.strip() in before for line in fix)
    assert not [line for line in done.stdout.split("\n") if line and not line.strip()]
