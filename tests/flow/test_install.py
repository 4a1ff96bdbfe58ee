# SPDX-License-Identifier: MIT
"""Installed under a prefix of its own, the library can be built against, as
docs/library.md says."""
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from ports import free_port
from rawsocket import BUILD, Peer, serving

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(BUILD) / "CMakeCache.txt"
MANIFEST = Path(BUILD) / "install_manifest.txt"

pytestmark = [
    pytest.mark.skipif(not all(map(shutil.which, ("cmake", "cc", "pkg-config"))),
                       reason="no compiler here"),
    pytest.mark.skipif(not CACHE.is_file() or "SANITIZE:BOOL=ON" in CACHE.read_text(),
                       reason="a library with a sanitizer wants one in the program")]


@pytest.fixture(autouse=True, scope="module")
def what_make_install_remembers():
    """Whoever installed from this build can take away that, and not ours."""
    before = MANIFEST.read_bytes() if MANIFEST.exists() else None
    yield
    if before is None:
        MANIFEST.unlink(missing_ok=True)
    else:
        MANIFEST.write_bytes(before)


def install(prefix, **environment):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True,
                   capture_output=True, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    at = tmp_path_factory.mktemp("opt") / "x"
    install(at)
    return at


def environment_of(prefix):
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
                   env=environment_of(prefix))
    with serving(tmp_path / "own_loop", "--port", "0") as url, Peer(url) as peer:
        peer.send("hello")
        assert peer.recv() == "hello"


def test_the_loader_can_be_told_as_well(prefix, tmp_path):
    subprocess.run(["sh", "-c", page_says("sesame) -o", prefix)], check=True, cwd=tmp_path,
                   env=environment_of(prefix))
    command = ["env", "LD_LIBRARY_PATH=%s" % next(prefix.rglob("libsesame.so")).parent,
               tmp_path / "own_loop", "--port", "0"]
    with serving(*command) as url, Peer(url) as peer:
        peer.send("hello")
        assert peer.recv() == "hello"


def ask_pkg_config(prefix, *words, **environment):
    return subprocess.run(["pkg-config", *words, "sesame"], capture_output=True, text=True,
                          env={**environment_of(prefix), **environment})


def test_who_compiles_needs_no_package_but_this(prefix):
    only = {"PKG_CONFIG_PATH": "", "PKG_CONFIG_LIBDIR": environment_of(prefix)["PKG_CONFIG_PATH"]}
    done = ask_pkg_config(prefix, "--cflags", **only)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"-I\S+/include", done.stdout.strip()), done.stdout
    done = ask_pkg_config(prefix, "--libs", **only)
    assert re.fullmatch(r"-L\S+ -lsesame", done.stdout.strip()), done.stdout


def test_who_links_statically_is_told_all_that_the_library_needs(prefix):
    words = ask_pkg_config(prefix, "--static", "--libs").stdout.split()
    needed = subprocess.run(["ldd", next(prefix.rglob("libsesame.so"))], capture_output=True,
                            text=True, check=True).stdout
    assert {"-lssl", "-lcrypto", "-lz", "-pthread"} <= set(words)
    for name in re.findall(r"^\tlib(gssapi_krb5|uring|deflate)[.-]\S* =>", needed, re.M):
        assert "-l" + name in words
    assert len(words) == len(set(words)) and "-L/usr/lib" not in words
    assert words.index("-lsesame") < words.index("-lssl") < words.index("-lcrypto")


def test_what_is_installed_is_whole(prefix):
    done = subprocess.run([prefix / "bin/sesame", "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("sesame ")
    assert (prefix / "share/man/man1/sesame-doctor.1").is_file()
    assert list(prefix.rglob("bash-completion/completions/sesame"))


# ---- what lies where ----

PLACES = """bin/sesame include/sesame/conn.h include/sesame/version.h lib/*/libsesame.a
lib/*/libsesame.so lib/*/pkgconfig/sesame.pc share/man/man1/sesame-check.1
share/man/man8/sesame-serve.8 share/man/man5/sesame.yaml.5
share/bash-completion/completions/sesame share/zsh/site-functions/_sesame
share/fish/vendor_completions.d/sesame.fish lib/systemd/system/sesame.service
lib/systemd/system/sesame.socket share/sesame/sesame.schema.json
share/doc/sesame/LICENSE share/doc/sesame/docs/doctor.md
share/doc/sesame/docs/curves.svg share/doc/sesame/clients/js/sesame.js
share/doc/sesame/examples/chat/page/index.html share/doc/sesame/examples/own_loop.c""".split()


def test_a_package_has_everything_in_the_usual_places(tmp_path):
    install("/usr", DESTDIR=str(tmp_path))
    top = tmp_path / "usr"
    # the folder of libraries has the machine's name in it, or has not
    missing = [p for p in PLACES if not list(top.glob(p)) and not list(top.glob(p.replace("*/", "")))]
    assert not missing
    assert [p.name for p in tmp_path.iterdir()] == ["usr"]
    pages = {p.name for p in (ROOT / "docs/man").iterdir()}
    assert {p.name for p in (top / "share/man").rglob("*.*")} == pages
    unit = (top / "lib/systemd/system/sesame.service").read_text()
    assert unit == (ROOT / "packaging/sesame.service").read_text()
    r = subprocess.run([top / "bin/sesame", "check", top / "share/doc/sesame/examples/sesame.yaml"],
                       capture_output=True, text=True)
    assert r.returncode == 0, r.stderr


def anchors(page):
    """What a link may lead to in @page, made of its headings as browsers of it do."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_the_pages_that_are_installed_lead_nowhere_that_is_not(prefix):
    top = prefix / "share/doc/sesame"
    pages = sorted(top.rglob("*.md"))
    assert {top / "README.md", top / "docs/library.md", top / "clients/js/README.md"} <= set(pages)
    for page in pages:
        text = page.read_text()
        source = (ROOT / page.relative_to(top)).read_text()
        links = re.findall(r"\]\((?!\w+:)([^()#\s]*)(?:#([^()\s]+))?\)", text)
        for path, anchor in links:
            to = page.parent / path if path else page
            assert to.exists(), (page, path)
            assert not anchor or to.suffix != ".md" or anchor in anchors(to), (page, path, anchor)
        unlinked = re.sub(r"\[([^][]*)\]\([^()]*\)", r"\1", source)
        assert re.sub(r"\[([^][]*)\]\([^()]*\)", r"\1", text) == unlinked


def uninstall(**environment):
    return subprocess.run(["cmake", "-DMANIFEST=%s" % MANIFEST, "-P", ROOT / "packaging/uninstall.cmake"],
                          capture_output=True, text=True, env={**os.environ, **environment})


@pytest.mark.parametrize("below", ["", "usr"])
def test_what_was_installed_is_taken_away_and_nothing_else(tmp_path, below):
    where = {"DESTDIR": str(tmp_path)} if below else {}
    install("/usr" if below else tmp_path, **where)
    top = tmp_path / below
    mine = [top / "bin/other", top / "include/other.h", top / "share/doc/sesame/docs/notes.md"]
    for path in mine:
        path.write_text("")
    done = uninstall(**where)
    assert done.returncode == 0 and re.search(r"\d{2,} files were removed", done.stdout), done.stderr
    assert {p for p in top.rglob("*") if not p.is_dir()} == set(mine)
    assert not (top / "include/sesame").exists() and not (top / "share/sesame").exists()
    assert not (top / "share/doc/sesame/examples").exists()


def test_what_is_not_known_to_be_installed_is_not_taken_away():
    MANIFEST.unlink(missing_ok=True)
    done = uninstall()
    assert done.returncode != 0 and "tells what was installed" in " ".join(done.stderr.split())


def test_the_unit_starts_the_program_that_was_installed(prefix):
    unit = (prefix / "lib/systemd/system/sesame.service").read_text()
    for line in re.findall(r"^Exec(?:Start|StartPre)=(\S+)", unit, re.M):
        assert line == str(prefix / "bin/sesame")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_understands_the_units_and_finds_them_hardened(prefix):
    units = [prefix / "lib/systemd/system" / name for name in ("sesame.service", "sesame.socket")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True,
                          text=True)
    told = [line for line in done.stderr.splitlines() if "sesame" in line]
    assert done.returncode == 0 and not told, done.stderr
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           units[0]], capture_output=True, text=True)
    exposure = re.search(r"exposure level for sesame\.service: ([\d.]+)", done.stdout)
    assert exposure and float(exposure.group(1)) <= 2.5, done.stdout[-400:] + done.stderr


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="no systemd here")
def test_a_socket_of_systemd_is_taken_over(prefix, tmp_path):
    port = free_port()
    (tmp_path / "sesame.yaml").write_text(
        "listen: [{address: '127.0.0.1:%d'}]\nroutes: [{path: /, to: echo}]\n"
        "journal: {file: none}\n" % port)
    with open(tmp_path / "err", "w") as err:
        p = subprocess.Popen(["systemd-socket-activate", "-l", "127.0.0.1:%d" % port,
                              prefix / "bin/sesame", "serve"], cwd=tmp_path, stderr=err,
                             stdout=subprocess.DEVNULL)
        try:
            end = time.time() + 10
            while "Listening on" not in (tmp_path / "err").read_text() and time.time() < end:
                time.sleep(0.05)
            for _ in range(3):  # the first one starts the program
                with Peer("ws://127.0.0.1:%d/" % port) as peer:
                    peer.send("hello")
                    assert peer.recv() == "hello"
        finally:
            p.terminate()
            assert p.wait(15) == 0, (tmp_path / "err").read_text()
