# SPDX-License-Identifier: MIT
"""The manners of every command: help, mistakes, pipes, terminals, shortages."""
import base64
import contextlib
import hashlib
import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from held import GIVES_BACK, Held
from ports import free_port
from terminals import CLEAN, on_terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
SESAME = os.path.abspath(os.environ.get("SESAME", "build/sesame"))
COMMANDS = re.findall(r"^COMMAND\((\w+)",
                      (ROOT / "src/cli/commands.def").read_text(), re.M)
EXAMPLE = str(ROOT / "examples/sesame.yaml")
NOBODY = 65534
LIMITED = os.path.exists(SESAME) and \
    b"__asan_init" not in pathlib.Path(SESAME).read_bytes()


def run(*words, env=None, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([SESAME, *words], capture_output=True, text=True,
                          timeout=30, env={**CLEAN, **(env or {})}, **more)


# ---- help ----

@pytest.mark.parametrize("command", COMMANDS)
def test_help_goes_to_standard_output_however_it_is_asked_for(command):
    asked = run(command, "--help")
    assert asked.returncode == 0 and asked.stderr == ""
    for words in ((command, "-h"), ("help", command), ("--help", command), ("-h", command)):
        other = run(*words)
        assert (other.returncode, other.stdout, other.stderr) == \
            (0, asked.stdout, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_usage_examples_and_exit_statuses(command):
    text = run(command, "--help").stdout
    assert text.startswith("Usage: sesame %s" % command)
    assert "Exit status" in text
    examples = [line for line in text.splitlines()
                if line.startswith("  ") and "sesame %s" % command in line]
    assert len(examples) >= 2, text
    long = [line for line in text.splitlines() if len(line) > 80]
    assert not long, long


@pytest.mark.parametrize("words", [
    ["serve", "-c", "x.yaml", "--help"], ["check", "x.yaml", "-h"],
    ["why", "7K2M-Q4XD", "--help"], ["explain", "403", "-h"],
    ["doctor", "--json", "ws://h", "--help"], ["connect", "ws://h", "--help"],
    ["completion", "bash", "--help"]])
def test_help_is_given_wherever_it_stands(words):
    asked = run(*words)
    assert asked.returncode == 0 and asked.stdout.startswith("Usage: ")


def test_the_program_s_own_help_names_every_command():
    for words in (["--help"], ["-h"], ["help"]):
        done = run(*words)
        assert done.returncode == 0 and done.stderr == ""
        for command in COMMANDS:
            assert re.search(r"^  %s " % command, done.stdout, re.M)
        assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("words", [["help"], ["help", "--help"], ["help", "-h"]])
def test_help_on_help_is_the_program_s_own(words):
    done = run(*words)
    assert (done.returncode, done.stdout) == (0, run("--help").stdout)


def test_the_version_is_one_line():
    for words in (["--version"], ["-V"]):
        done = run(*words)
        assert done.returncode == 0
        assert re.fullmatch(r"sesame \d+\.\d+\.\d+\n", done.stdout)


# ---- mistakes ----

def options_of(command):
    """The long options that the help of @command lists."""
    return re.findall(r"^  (?:-\w,|   ) (--[a-z0-9-]+)",
                      run(command, "--help").stdout, re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_gets_a_suggestion(command):
    options = options_of(command)
    assert "--help" in options
    for option in [o for o in options if len(o) > 6]:
        typo = option[:4] + option[5:]  # a letter was left out
        done = run(command, typo)
        assert done.returncode == 2 and done.stdout == "", typo
        assert "did you mean --" in done.stderr, typo
        assert "--help" in done.stderr
    far = run(command, "--zzzzqqqq")
    assert far.returncode == 2 and "did you mean" not in far.stderr


@pytest.mark.parametrize("command", ["doctor", "why", "connect", "completion"])
def test_a_missing_argument_gets_two_examples(command):
    done = run(command)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n  sesame %s " % command) == 2, done.stderr
    assert len(done.stderr.splitlines()) <= 6


@pytest.mark.parametrize("words", [
    ["serve", "-c"], ["serve", "--listen"], ["check", "--url"],
    ["why", "--journal"], ["connect", "-m"], ["doctor", "--origin"],
    ["explain", "--stack"]])
def test_an_option_without_its_value_is_told(words):
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert re.search(r" (-\S+) wants a value: \1 '?[A-Z]{3}", done.stderr), done.stderr


@pytest.mark.parametrize("words, expected", [
    (["check", "--config=" + EXAMPLE], 0), (["check", "-c" + EXAMPLE], 0),
    (["check", "--", EXAMPLE], 0), (["check", EXAMPLE, EXAMPLE], 2),
    (["check", "--json=yes", EXAMPLE], 2), (["explain", "--stack=nginx", "403"], 0),
    (["explain", "403", "404"], 2), (["completion", "bash", "zsh"], 2), (["why", "--last=0"], 2),
    (["why", "--last=many"], 2)])
def test_values_may_be_joined_to_their_options(words, expected):
    done = run(*words)
    assert done.returncode == expected, done.stderr


@pytest.mark.parametrize("typed, meant", [
    ("docter", "doctor"), ("serv", "serve"), ("conect", "connect"),
    ("explian", "explain"), ("chekc", "check"), ("completions", "completion")])
def test_a_typo_in_a_command_s_name_gets_a_suggestion(typed, meant):
    for words in ([typed], ["help", typed]):
        done = run(*words)
        assert done.returncode == 2 and done.stdout == ""
        assert 'did you mean "%s"?' % meant in done.stderr


@pytest.mark.parametrize("words", [
    ["explain", "foo"], ["explain", "o"], ["completion", "tcsh"], ["docs"],
    ["explain", "--stack", "foo"], ["why", "--foo"], ["-x"]])
def test_a_word_that_has_little_in_common_with_any_is_not_guessed_at(words):
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert "did you mean" not in done.stderr


@pytest.mark.parametrize("typed, meant", [
    ("--bogus", ""), ("-x", ""), ("--json", ""),
    ("--hlep", "; did you mean --help?"), ("--verison", "; did you mean --version?")])
def test_an_option_before_a_command_is_told_as_one(typed, meant):
    for words in ([typed], ["help", typed]):
        done = run(*words)
        assert done.returncode == 2 and done.stdout == ""
        assert done.stderr.splitlines() == [
            "sesame: there is no option %s before a command%s" % (typed, meant),
            "`sesame --help` lists the commands."]


def test_a_url_alone_is_told_which_command_it_lacks():
    done = run("wss://example.org/chat")
    assert done.returncode == 2
    assert "sesame doctor wss://example.org/chat" in done.stderr


@pytest.mark.parametrize("words", [
    ["\033[31m"], ["help", "\033[31m"], ["serve", "--\033[31m"],
    ["explain", "\033[31m"], ["completion", "\033[31m"], ["doctor", "--\033[31m"],
    ["why", "\033[31m"], ["why", "--last=\033[31m"],
    ["check", EXAMPLE, "--url", "/", "--from", "\033[31m"],
    ["serve", "--listen", "\033[31m"], ["connect", "\033[31m"],
    ["connect", "--\033[31m"], ["connect", "-n", "\033[31m", "ws://h"]])
def test_what_was_typed_cannot_paint_the_terminal(words):
    done = run(*words)
    assert done.returncode in (2, 3), done.stderr
    assert "\033" not in done.stdout + done.stderr


@pytest.mark.parametrize("url, told", [
    pytest.param("/" + "x" * 4095, "too long", id="path"),
    pytest.param("ws://h/" + "x" * 4095, "too long", id="url"),
    ("/any#x", "leave it out"), ("ws://h/any#x", "leave it out"),
    ("wss//x", "colon"), ("ftp://h/x", "another protocol"), ("x y", "blank")])
def test_check_says_what_is_wrong_with_a_url(url, told):
    done = run("check", EXAMPLE, "--url", url)
    assert done.returncode == 2 and told in done.stderr, done.stderr
    assert done.stderr.startswith("sesame check: --url ")


def test_check_takes_the_address_of_a_page_too():
    assert run("check", EXAMPLE, "--url", "https://h/chat",
               "--origin", "https://app.example").returncode == 0


def test_faults_are_told_in_json_whatever_the_file_is_called(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(name, "w") as f:
        f.write("nothing: here\n")
    done = run("check", name, "--json")
    assert done.returncode == 2
    assert len(json.loads(done.stdout)["errors"]) == 2, done.stdout


# ---- colours ----

SHOWN = [["--help"], ["explain", "403"], ["explain", "access.origin"],
         ["check", EXAMPLE, "--url", "/chat", "--origin", "https://evil.example"]]


@pytest.mark.parametrize("words", SHOWN)
def test_colours_are_for_terminals(words):
    assert "\033" not in run(*words).stdout
    assert b"\033[" in on_terminal(words)[0]
    assert "\033[" in run(*words, env={"CLICOLOR_FORCE": "1"}).stdout


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"},
                                 {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}])
@pytest.mark.parametrize("words", SHOWN)
def test_who_wants_no_colours_gets_none(words, env):
    shown, _ = on_terminal(words, env)
    assert len(shown) > 100 and b"\033" not in shown


def test_the_doctor_s_colours_follow_the_same_rules():
    words = ["doctor", "--max-probes", "1", "ws://127.0.0.1:%d/" % free_port()]
    assert "\033" not in run(*words).stdout
    assert b"\033" not in on_terminal(words, {"NO_COLOR": "1"})[0]
    assert b"\033" not in on_terminal(words, {"TERM": "dumb"})[0]
    assert b"\033[" in on_terminal(words)[0]


# ---- standard input and output ----

@pytest.mark.parametrize("command", [*COMMANDS, "explain --markdown"])
def test_a_reader_that_leaves_is_no_error(command):
    words = command.split() if " " in command else [command, "--help"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        done = subprocess.run([SESAME, *words], stdout=out, text=True,
                              stderr=subprocess.PIPE, timeout=20, env=CLEAN)
    assert done.returncode == 0 and done.stderr == ""


OUTPUTS = [["--help"], ["--version"], ["help"], ["explain"], ["explain", "403"],
           ["explain", "--json"], ["explain", "--markdown"], ["completion", "bash"],
           ["check", EXAMPLE], ["doctor", "--help"], ["connect", "--help"],
           ["doctor", "--max-probes", "1", "ws://127.0.0.1:9/"]]


@pytest.mark.parametrize("words", OUTPUTS)
def test_a_full_disk_is_told(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run([SESAME, *words], stdout=full, text=True,
                              stderr=subprocess.PIPE, timeout=20, env=CLEAN)
    assert done.returncode == 3
    assert done.stderr.count("standard output cannot be written") == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", OUTPUTS)
def test_a_closed_standard_output_is_told(words):
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >&-', SESAME, *words],
                          stderr=subprocess.PIPE, text=True, timeout=20, env=CLEAN)
    assert done.returncode == 3
    assert "standard output cannot be written" in done.stderr


def test_a_journal_never_becomes_the_standard_output_that_was_closed(tmp_path):
    journal = tmp_path / "journal.db"
    child = subprocess.Popen(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', SESAME, "serve", "--listen",
         "127.0.0.1:0", "--journal", str(journal)], env=CLEAN)
    try:
        end = time.monotonic() + 10
        while not journal.exists() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.2)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=10)
    assert b"listening" not in journal.read_bytes()
    done = run("why", "--last", "--journal", str(journal))
    assert done.returncode == 1 and "nothing was refused yet" in done.stderr


@pytest.mark.parametrize("words, status", [
    (["explain", "403"], 0), (["check", EXAMPLE], 0),
    (["connect", "ws://127.0.0.1:9/"], 1)])
def test_a_closed_standard_input_harms_nobody(words, status):
    done = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&-', SESAME, *words],
                          capture_output=True, text=True, timeout=20, env=CLEAN)
    assert done.returncode == status
    assert done.stdout or done.stderr


# ---- shortages ----

def limit_files(n):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))


@pytest.mark.skipif(not LIMITED, reason="sanitizers open files of their own")
@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 8])
def test_without_file_descriptors_nothing_is_diagnosed(n):
    """A shortage of our own is no fault of the network."""
    bundle = ["--cacert", "/etc/ssl/certs/ca-certificates.crt"]
    for more in ([], bundle if os.path.exists(bundle[1]) else []):
        try:
            done = run("doctor", *more, "ws://127.0.0.1:9/",
                       preexec_fn=limit_files(n))
        except subprocess.SubprocessError:
            pytest.skip("too few to start a program at all")
        if done.returncode == 127:
            continue  # the loader of programs has none either
        assert done.returncode in (2, 3) and done.stdout == ""
        assert re.search("file descriptors|open files", done.stderr)


@pytest.mark.skipif(not LIMITED, reason="sanitizers open files of their own")
@pytest.mark.parametrize("n", range(4, 10))
def test_a_gateway_without_file_descriptors_says_what_to_raise(n, tmp_path):
    done = subprocess.run(
        [SESAME, "serve", "--listen", "127.0.0.1:0", "--journal",
         str(tmp_path / "j.db")], preexec_fn=limit_files(n), timeout=10,
        capture_output=True, text=True, env=CLEAN)
    if done.returncode == 127:
        return
    assert done.returncode == 3
    assert "ulimit -n" in done.stderr, done.stderr


@contextlib.contextmanager
def gateway(*words, env=None, **more):
    child = subprocess.Popen([SESAME, "serve", "--listen", "127.0.0.1:0", *words],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env={**(env if env is not None else CLEAN), **GIVES_BACK},
                             **more)
    lines = []
    try:
        for line in child.stdout:
            lines.append(line)
            if "listening on" in line:
                break
        held = Held(child.pid) if child.poll() is None else None
        yield child, lines
        if held and child.poll() is None:
            held.check()
    finally:
        child.send_signal(signal.SIGTERM)
        rest = child.communicate(timeout=15)
        lines += [rest[0], rest[1]]


def as_nobody():
    """Root may write anywhere; the tests then speak as somebody else."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} \
        if os.geteuid() == 0 else {}


def reachable():
    """Whether others may run the program where it stands."""
    return os.geteuid() != 0 or subprocess.run(
        ["test", "-x", SESAME], cwd="/", **as_nobody()).returncode == 0


def test_a_gateway_without_a_home_runs_without_a_journal():
    if not reachable():
        pytest.skip("nobody else may run the program here")
    env = {k: v for k, v in CLEAN.items() if k not in
           ("HOME", "XDG_STATE_HOME", "STATE_DIRECTORY")}
    with gateway(env=env, cwd="/", **as_nobody()) as (child, lines):
        assert "listening on" in lines[-1]
    assert "no journal" in lines[-1] and "journal.file" in lines[-1]
    done = subprocess.run([SESAME, "why", "--last"], env=env, cwd="/",
                          capture_output=True, text=True, timeout=10,
                          **as_nobody())
    assert done.returncode == 3 and "--journal FILE" in done.stderr


def test_a_home_that_cannot_be_written_costs_only_the_journal():
    if not reachable():
        pytest.skip("nobody else may run the program here")
    env = {**CLEAN, "HOME": "/proc/nowhere"}
    env.pop("XDG_STATE_HOME", None)
    env.pop("STATE_DIRECTORY", None)
    with gateway(env=env, cwd="/", **as_nobody()) as (child, lines):
        assert "listening on" in lines[-1]
    assert "running without a journal" in lines[-1]


def test_a_journal_that_was_asked_for_and_cannot_be_kept_stops_the_gateway():
    done = run("serve", "--listen", "127.0.0.1:0", "--journal", "/proc/nowhere/j.db")
    assert done.returncode == 3
    assert "the journal /proc/nowhere/j.db cannot be opened: No such file" in done.stderr


def test_a_folder_that_cannot_be_written_harms_nobody(tmp_path):
    if not reachable():
        pytest.skip("nobody else may run the program here")
    for words in (["explain", "403"], ["check", EXAMPLE],
                  ["completion", "zsh"], ["doctor", "--help"]):
        done = subprocess.run([SESAME, *words], cwd="/proc", env=CLEAN,
                              capture_output=True, text=True, timeout=10)
        assert done.returncode == 0, done.stderr
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o555)
    for part in [tmp_path, *tmp_path.parents]:  # to let somebody else in
        if part.stat().st_uid == os.geteuid() and part != pathlib.Path("/"):
            part.chmod(part.stat().st_mode | 0o111)
    done = subprocess.run([SESAME, "serve", "--journal", "j.db", "--listen",
                           "127.0.0.1:0"], cwd=folder, env=CLEAN, timeout=10,
                          capture_output=True, text=True, **as_nobody())
    assert done.returncode == 3
    assert "the journal j.db cannot be opened: Permission denied" in done.stderr


def test_a_port_in_use_is_told_with_its_remedy():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        done = run("serve", "--journal", "none", "--listen",
                   "127.0.0.1:%d" % busy.getsockname()[1])
    assert done.returncode == 3
    assert "cannot listen at" in done.stderr and "in use" in done.stderr
    assert ";" in done.stderr  # the remedy stands behind it


@pytest.mark.parametrize("words, status, says", [
    (["serve", "-c", "/nonexistent.yaml"], 2, "cannot be opened"),
    (["serve", "-c", "/"], 2, "directory"),
    (["check", "/nonexistent.yaml"], 2, "cannot be opened"),
    (["check", "/dev/null"], 2, "empty"),
    (["why", "--last", "--journal", "/nonexistent.db"], 3, "cannot be read"),
    (["why", "--last", "--journal", "/dev/null"], 3, "not a plain file"),
    (["why", "--last", "-c", "/nonexistent.yaml"], 2, "cannot be opened"),
    (["doctor", "--cacert", "/nonexistent.pem", "wss://h"], 2, "No such file"),
    (["doctor", "--key", "/nonexistent.pem", "wss://h"], 2, "--cert"),
    (["connect", "--cacert", "/nonexistent.pem", "wss://127.0.0.1:9"], 2,
     "No such file"),
])
def test_a_file_that_is_not_there_is_told_at_once(words, status, says):
    done = run(*words)
    assert done.returncode == status, done.stderr
    assert says in done.stderr and done.stdout == ""


# ---- what a peer sends ----

def play_server(message, once):
    """Accept one WebSocket and send it @message as text, then wait for its end."""
    def play():
        peer, _ = once.accept()
        with peer:
            peer.settimeout(10)
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(4096)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", head, re.I).group(1)
            accept = base64.b64encode(hashlib.sha1(
                key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
            peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket"
                         b"\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
                         + accept + b"\r\n\r\n"
                         + bytes([0x81, len(message)]) + message)
            with contextlib.suppress(OSError):
                if peer.recv(4096):  # it closes, and so do we
                    peer.sendall(b"\x88\x02\x03\xe8")
    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("message", [
    b"\033[31mred\033[0m", b"\033]0;title\007", b"\xc2\x9b31m", b"a\rb\bc",
    b"\033[2J\033[H"])
def test_a_message_cannot_paint_the_terminal(message):
    with socket.create_server(("127.0.0.1", 0)) as once:
        thread = play_server(message, once)
        shown, status = on_terminal(
            ["connect", "--one", "ws://127.0.0.1:%d/" % once.getsockname()[1]],
            {"NO_COLOR": "1"})
        thread.join(timeout=10)
    text = shown.replace(b"\r\n", b"\n")
    assert status == 0, shown
    for bad in (b"\033", b"\r", b"\b", b"\007", b"\xc2\x9b"):
        assert bad not in text, shown
    assert b"\\x" in text or b"\\u" in text or b"\\r" in text, shown


def test_a_pipe_gets_a_message_as_it_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as once:
        thread = play_server(b"\033[31mred", once)
        done = run("connect", "--one", "ws://127.0.0.1:%d/" % once.getsockname()[1])
        thread.join(timeout=10)
    assert (done.returncode, done.stdout) == (0, "\033[31mred\n")


# ---- completions ----

def complete(*words):
    """What bash would offer for the last of @words."""
    script = ('source <("$0" completion bash); COMP_WORDS=(sesame "$@"); '
              'COMP_CWORD=$#; _sesame; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-c", script, SESAME, *words],
                          cwd=ROOT, capture_output=True, text=True, timeout=20,
                          env=CLEAN)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def test_bash_completes_commands():
    assert set(complete("")) == {*COMMANDS, "help"}
    assert complete("doc") == ["doctor"]
    assert complete("--v") == ["--version"]
    assert complete("help", "exp") == ["explain"]
    assert complete("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_completes_exactly_the_options_of_the_help(command):
    offered = complete(command, "-")
    assert {o for o in offered if o.startswith("--")} == set(options_of(command))
    letters = re.findall(r"^  (-\w), --", run(command, "--help").stdout, re.M)
    assert {o for o in offered if not o.startswith("--")} == set(letters)


@pytest.mark.parametrize("words", [
    ["serve", "-c", "examples/sesame.y"], ["serve", "--config", "examples/sesame.y"],
    ["serve", "--config", "=", "examples/sesame.y"], ["check", "examples/sesame.y"],
    ["why", "--last", "-c", "examples/sesame.y"],
    ["doctor", "--cacert", "examples/sesame.y"],
    ["connect", "--cert", "examples/sesame.y"]])
def test_bash_completes_files_where_files_belong(words):
    assert complete(*words) == ["examples/sesame.yaml"]


def test_bash_offers_nothing_where_only_you_know():
    assert complete("doctor", "--origin", "") == []
    assert complete("serve", "--listen", "") == []
    assert complete("doctor", "") == []


def test_bash_completes_the_languages_of_lint():
    languages = complete("lint", "--language", "")
    assert languages == ["nginx", "apache", "haproxy", "caddy"]
    assert complete("lint", "--language", "=", "ap") == ["apache"]
    for language in languages:  # each of them is one
        done = run("lint", "--language", language, "/dev/null")
        assert "is not known" not in done.stderr


def test_bash_completes_what_can_be_explained():
    assert complete("explain", "access.orig") == ["access.origin",
                                                  "access.origin-missing"]
    assert "403" in complete("explain", "4")
    assert complete("explain", "same") == ["same-origin"]
    assert complete("explain", "uvic") == ["uvicorn"]
    assert complete("explain", "--stack", "ngin") == ["nginx"]
    for cause in complete("explain", "net."):
        assert run("explain", cause).returncode == 0


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_the_same(tmp_path):
    script = tmp_path / "sesame.fish"
    script.write_text(run("completion", "fish").stdout)

    def offered(line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", "source %s; complete -C '%s'" % (script, line)],
            capture_output=True, text=True, timeout=20, cwd=ROOT,
            env={**CLEAN, "HOME": str(tmp_path)})
        assert done.stderr == ""
        return {entry.split("\t")[0] for entry in done.stdout.splitlines()}

    assert offered("sesame ") == {*COMMANDS, "help"}
    for command in COMMANDS:
        assert offered("sesame %s --" % command) == set(options_of(command))
    assert offered("sesame explain access.orig") == {"access.origin",
                                                     "access.origin-missing"}
    assert offered("sesame serve -c examples/ses") == {"examples/sesame.yaml"}
    assert offered("sesame explain --stack ngin") == {"nginx"}
    assert offered("sesame lint --language ") == {"nginx", "apache", "haproxy", "caddy"}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, folder, words, set_up):
        self.pid, self.tty = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(words[0], words,
                       {**CLEAN, "TERM": "dumb", "HOME": str(folder),
                        "PS1": "> ", "COLUMNS": "200", "INPUTRC": "/dev/null",
                        "PATH": os.path.dirname(SESAME) + ":" + CLEAN["PATH"]})
        self.type(set_up + "; echo rea''dy\r", "ready")

    def type(self, keys, until):
        """Press @keys and wait until @until is shown."""
        os.write(self.tty, keys.encode())
        seen, end = "", time.monotonic() + 15
        while time.monotonic() < end and until not in seen:
            if select.select([self.tty], [], [], 0.1)[0]:
                seen += os.read(self.tty, 65536).decode(errors="replace")
        assert until in seen, (keys, seen)
        os.write(self.tty, b"\x15")  # empties the line
        return seen

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.tty)


# what is typed before the tab, and what the tab adds
TYPED = [("sesame doct", "or "), ("sesame doctor --cace", "rt"),
         ("sesame serve -c examples/sesa", "me.yaml"),
         ("sesame serve --config=examples/sesa", "me.yaml"),
         ("sesame explain access.cred", "entials"),
         ("sesame explain --stack ingress-n", "ginx"),
         ("sesame lint --language hap", "roxy "),
         ("sesame completion fi", "sh"), ("sesame help chec", "k ")]


def type_all(shell):
    try:
        for typed, added in TYPED:
            shell.type(typed + "\t", added)
    finally:
        shell.end()


def test_bash_completes_what_is_typed(tmp_path):
    type_all(Shell(tmp_path, ["bash", "--norc", "--noprofile", "-i"],
                   "source <(sesame completion bash)"))


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_what_is_typed(tmp_path):
    (tmp_path / "_sesame").write_text(run("completion", "zsh").stdout)
    type_all(Shell(tmp_path, ["zsh", "-f", "-i"],
                   "fpath=(%s $fpath); autoload -Uz compinit; compinit -u -D"
                   % tmp_path))


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_from_a_sourced_script_too(tmp_path):
    type_all(Shell(tmp_path, ["zsh", "-f", "-i"],
                   "autoload -Uz compinit; compinit -u -D; "
                   "source <(sesame completion zsh)"))


@pytest.mark.parametrize("command", COMMANDS)
def test_zsh_is_given_exactly_the_options_of_the_help(command):
    script = run("completion", "zsh").stdout
    part = re.search(r"^\t%s\)\n(.*?) ;;$" % command, script, re.M | re.S).group(1)
    assert {"--" + name for name in re.findall(r"^\t\t\t\S*?--([a-z0-9-]+)", part, re.M)} | \
        {"--" + name for name in re.findall(r",--([a-z0-9-]+)", part)} == \
        set(options_of(command))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))


# ---- half a question ----

@pytest.mark.parametrize("option", [("--origin", "https://a.example"), ("--from", "192.0.2.1"),
                                    ("--user-agent", "x")])
def test_what_describes_a_request_needs_one(option):
    done = run("check", *option, str(ROOT / "examples/sesame.yaml"))
    assert done.returncode == 2 and "--url" in done.stderr and done.stdout == ""


def test_a_journal_that_is_none_holds_nothing_to_look_up():
    done = run("why", "7K2M-Q4XD", "--journal", "none")
    assert done.returncode == 2 and "keeps no refusals" in done.stderr


def test_why_knows_a_configuration_without_a_journal(tmp_path):
    (tmp_path / "sesame.yaml").write_text("routes: [{path: /, to: echo}]\njournal: {file: none}\n")
    done = run("why", "--last", "3", "-c", "sesame.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "keeps no refusals" in done.stderr
