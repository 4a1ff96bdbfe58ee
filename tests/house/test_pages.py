# SPDX-License-Identifier: MIT
"""The manual pages know what the program knows, and nothing more."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = TOP / "docs/man"
SESAME = os.environ.get("SESAME", str(TOP / "build/sesame"))
COMMANDS = re.findall(r"^COMMAND\((\w+)",
                      (TOP / "src/cli/commands.def").read_text(), re.M)
ALL = sorted(PAGES.glob("*.[158]"))
SECTION = {c: "8" if c == "serve" else "1" for c in COMMANDS}  # serve is for its operator


def page(name):
    return (PAGES / name).read_text()


def ask(*words):
    return subprocess.run([SESAME, *words], capture_output=True, text=True,
                          timeout=20, check=True).stdout


def options_of_help(command):
    """{"--config": ("-c", "FILE")}; the letter is "" where there is none."""
    rows = re.findall(r"^  (-\w|  )(?:,| ) --([a-z0-9-]+)(?: ('[^']*'|[A-Z0-9:.|\[\]]+|[a-z]+(?:\|[a-z]+)+))?",
                      ask(command, "--help"), re.M)
    return {"--" + name: (letter.strip(), argument) for letter, name, argument in rows}


def options_of_page(command):
    found = {}
    for line in re.findall(r"^\.It (.*)$", page("sesame-%s.%s" % (command, SECTION[command])), re.M):
        name = re.search(r"Fl -([a-z0-9-]+)", line)
        if not name:
            continue
        letter = re.search(r"Fl (\w)\b", line)
        argument = re.search(r"(Op )?Ar (.+)$", line)
        text = argument.group(2) if argument else ""
        found["--" + name.group(1)] = (
            "-" + letter.group(1) if letter else "",
            "[%s]" % text if argument and argument.group(1) else text)
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_the_options_of_the_help_and_no_others(command):
    assert options_of_help(command)
    assert options_of_page(command) == options_of_help(command)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_synopsis_of_a_page_has_the_options_of_the_usage(command):
    usage = ask(command, "--help").split("\n\n")[0]
    synopsis = page("sesame-%s.%s" % (command, SECTION[command])).split(".Sh SYNOPSIS")[1].split(".Sh")[0]
    of_page = ["-" + o for o in re.findall(r"(?:\bFl |\| (?=-))(-?[a-z][a-z-]*)", synopsis)]
    assert sorted(of_page) == sorted(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", usage))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_exit_statuses_of_a_page_are_those_of_the_help(command):
    told = re.search(r"Exit status: (.*)", ask(command, "--help"), re.S).group(1)
    told = set(re.findall(r"\b(\d+) [a-z]", told)) - {"130"}
    section = page("sesame-%s.%s" % (command, SECTION[command])).split(".Sh EXIT STATUS")[1].split(".Sh")[0]
    assert set(re.findall(r"^\.It (\d+)$", section, re.M)) - {"130"} == told


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_a_page_has_the_sections_that_people_look_for(path):
    sections = re.findall(r"^\.Sh (.+)$", path.read_text(), re.M)
    wanted = ["NAME", "DESCRIPTION", "EXAMPLES", "SEE ALSO"]
    if path.suffix in (".1", ".8"):
        wanted += ["SYNOPSIS", "OPTIONS", "EXIT STATUS"]
    assert set(wanted) <= set(sections), sections


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_references_lead_to_pages_that_exist(path):
    for name, section in re.findall(r"^\.Xr (\S+) (\d)", path.read_text(), re.M):
        if name.startswith("sesame"):
            assert (PAGES / ("%s.%s" % (name, section))).exists(), name


def test_every_command_has_a_page_and_stands_in_the_first_one():
    names = {p.name for p in ALL}
    assert {"sesame-%s.%s" % (c, SECTION[c]) for c in COMMANDS} <= names
    for command in COMMANDS:
        assert ".It Cm %s" % command in page("sesame.1")
        assert ".Xr sesame-%s %s" % (command, SECTION[command]) in page("sesame.1")


def test_the_page_of_settings_is_made_from_the_rows():
    r = subprocess.run([str(TOP / "tools/settings-page"), "--check"],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr
    rows = re.findall(r'^SETTING\(\w+, "([^"]+)"',
                      (TOP / "src/gate/settings.def").read_text(), re.M)
    assert rows == re.findall(r"^\.It Li (\S+)$", page("sesame.yaml.5"), re.M)


def test_the_example_of_the_settings_page_is_a_valid_configuration(tmp_path):
    text = page("sesame.yaml.5").split(".Sh EXAMPLES")[1]
    text = re.search(r"\.Bd -literal.*?\n(.*?)\.Ed", text, re.S).group(1)
    (tmp_path / "sesame.yaml").write_text(text)
    assert "is valid" in ask("check", str(tmp_path / "sesame.yaml"))


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_mandoc_finds_no_fault(path):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(path)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("groff") or not shutil.which("man"),
                    reason="man is not installed")
@pytest.mark.parametrize("path", ALL, ids=lambda p: p.name)
def test_man_shows_a_page_without_a_warning(path):
    done = subprocess.run(["man", "--warnings", "-l", str(path)], text=True,
                          capture_output=True, env={**os.environ, "MANWIDTH": "80"})
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "NAME" in done.stdout
