# SPDX-License-Identifier: MIT
"""The rules of the house that a machine can check: floors look only down,
pure rooms ask the system for nothing, headers stand alone."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
SRC = TOP / "src"
BUILD = Path(os.environ.get("SESAME_BUILD", TOP / "build"))

# What each floor may include from (itself is always allowed).
BELOW = {
    "base": set(),
    "wire": {"base"},
    "net": {"base", "wire"},
    "ws": {"base", "wire", "net"},
    "why": {"base"},
    "lint": {"base", "why"},
    "hub": {"base", "wire", "net", "ws"},
    "gate": {"base", "wire", "net", "ws", "hub", "why"},
    "doctor": {"base", "wire", "net", "ws", "why", "lint"},
    "load": {"base"},
    "cli": {"base", "wire", "net", "ws", "why", "lint", "hub", "gate",
            "doctor", "load"},
}

# Libraries that have one door each.
DOORS = {
    "openssl/": {"net/tls.c", "net/tls_context.c", "net/tls_files.c", "net/tls_info.c",
                 "net/tls_inner.h", "wire/digest.c", "wire/signature.c"},
    "gssapi/": {"net/negotiate.c"},
    "zlib.h": {"wire/deflate.c"},
    "libdeflate.h": {"wire/deflate_once.c"},
    "crypt.h": {"gate/password.c"},
    "sqlite3.h": {"gate/columns.h", "gate/journal_db.h"},
    "libfyaml.h": {"gate/yaml.c"},
    "nghttp2/": {"doctor/h2.c"},
    "hiredis/": {"hub/redis_link.c"},
    "liburing.h": {"net/uring_inner.h"},
}

# Rooms that decide: no system call, no clock, no randomness. Beside them are
# those whose header says so.
PURE = ["base/*", "wire/*", "why/*", "lint/*",
        "hub/channel.c", "hub/marks.c", "hub/state.c", "hub/id.c", "hub/message.c",
        "gate/admit.c", "gate/match.c", "gate/nearest.c", "gate/limits.c", "gate/amend.c",
        "gate/rehearsal.c", "gate/fault.c", "gate/json.c", "gate/jwt.c", "gate/password.c",
        "gate/credential.c",
        "doctor/case_questions.c", "doctor/finding.c", "doctor/context.c",
        "doctor/answer.c", "doctor/writer.c",
        "doctor/symptom.c", "doctor/telltale.c", "doctor/pair*.c", "doctor/experiment.c",
        "doctor/candidates.c", "doctor/verdict.c", "doctor/facts.c", "doctor/prescribe.c",
        "doctor/this_side.c",
        "doctor/report*.c",
        "load/plan.c", "load/report*.c", "load/plot.c"]


def says_pure(header):
    comments = re.findall(r"/\*.*?\*/", header.read_text(), re.S)
    return len(comments) > 1 and re.search(r"\bPure\.[\s*]*\*/$", comments[1])


def pure_rooms():
    said = [str(h.relative_to(SRC).with_suffix(".c")) for h in sorted(SRC.glob("*/*.h"))
            if h.with_suffix(".c").exists() and says_pure(h)]
    return PURE + [room for room in said if room.split("/")[0] + "/*" not in PURE]

# Symbols of libc by which a pure room would have reached the system.
IMPURE = set("""
accept accept4 bind clock clock_gettime close connect creat dup epoll_ctl
epoll_wait eventfd exit fclose fcntl fgets fopen fork fread fwrite fputs
getaddrinfo getenv getpid getrandom gettimeofday ioctl listen localtime
localtime_r mmap nanosleep open openat poll popen printf puts putchar pthread_create
rand random read recv recvmsg select send sendmsg setsockopt sleep socket
srand srandom stat system time unlink usleep write writev perror syslog
""".split())


def sources(pattern="*"):
    return sorted(p for p in SRC.glob(pattern + "/*") if p.suffix in (".c", ".h", ".def"))


def includes(path):
    text = path.read_text()
    return re.findall(r'^\s*#\s*include\s+([<"])([^">]+)[">]', text, re.M)


def test_every_folder_is_a_known_floor():
    assert {p.name for p in SRC.iterdir() if p.is_dir()} == set(BELOW)


@pytest.mark.parametrize("floor", sorted(BELOW))
def test_a_floor_includes_only_what_it_stands_on(floor):
    allowed = BELOW[floor] | {floor}
    wrong = []
    for path in sources(floor):
        for kind, name in includes(path):
            if kind == '"' and name.split("/")[0] not in allowed:
                wrong.append("%s includes %s" % (path.relative_to(TOP), name))
            if kind == '"' and "/" not in name:
                wrong.append("%s: write %s from src/ on" % (path.relative_to(TOP), name))
    assert not wrong, "\n".join(wrong)


def test_public_headers_include_public_headers_alone():
    wrong = []
    for path in (TOP / "include/sesame").glob("*.h*"):
        for kind, name in includes(path):
            if kind == '"' or not (name.startswith("sesame/") or re.fullmatch(r"std\w+\.h", name)):
                wrong.append("%s includes %s" % (path.name, name))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("program", ["src/cli/connect.c"] +
                         sorted(str(p.relative_to(TOP)) for p in (SRC / "load").glob("*.[ch]")) +
                         sorted(str(p.relative_to(TOP)) for p in (TOP / "examples").glob("*.c")))
def test_the_library_s_users_need_its_public_headers_alone(program):
    mine = ({"cli/", "base/text.h"} if program.startswith("src/cli") else
            {"load/", "base/"} if program.startswith("src/load") else set())
    inner = [name for kind, name in includes(TOP / program)
             if kind == '"' and not any(name.startswith(m) for m in mine)]
    assert not inner, inner


@pytest.mark.parametrize("door", sorted(DOORS))
def test_a_foreign_library_has_one_door(door):
    users = {str(p.relative_to(SRC)) for p in sources()
             for kind, name in includes(p) if kind == "<" and name.startswith(door)}
    assert users <= DOORS[door], users - DOORS[door]


def headers():
    return sorted((TOP / "include/sesame").glob("*.h")) + sorted(SRC.glob("*/*.h"))


@pytest.mark.parametrize("header", headers(), ids=lambda p: str(p.relative_to(TOP)))
def test_a_header_compiles_alone(header):
    for language in ["c"] + (["c++"] if "include" in header.parts else []):
        standard = "gnu17" if language == "c" else "gnu++17"
        if language == "c++" and subprocess.run(["which", "g++"], capture_output=True).returncode:
            continue
        r = subprocess.run(
            ["g++" if language == "c++" else "gcc", "-std=" + standard, "-D_GNU_SOURCE", "-Wall",
             "-Werror", "-fsyntax-only", "-I", str(TOP / "src"), "-I", str(TOP / "include"),
             "-I", str(BUILD / "include"), "-x", language, "-"],
            input='#include "%s"\n' % header, capture_output=True, text=True)
        assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("pattern", pure_rooms())
def test_a_pure_room_asks_the_system_for_nothing(pattern):
    folder, _, name = pattern.partition("/")
    objects = list((BUILD / "CMakeFiles" / ("floor_%s.dir" % folder)).rglob(
        (name + ".o") if name != "*" else "*.o"))
    assert objects, "no object files for %s under %s" % (pattern, BUILD)
    wrong = []
    for path in objects:
        out = subprocess.run(["nm", "-u", str(path)], capture_output=True, text=True, check=True).stdout
        used = {line.split()[-1].split("@")[0] for line in out.splitlines() if line.strip()}
        for symbol in sorted(used & IMPURE):
            wrong.append("%s calls %s()" % (path.name, symbol))
    assert not wrong, "\n".join(wrong)
