# SPDX-License-Identifier: MIT
"""Cases of the zoo: found, started on free ports, stopped, checked."""
import difflib
import functools
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from knock import knock  # noqa: E402

ZOO = Path(__file__).resolve().parents[1]
PORTS = 5  # a case may use PORT .. PORT+4
LISTENERS = (12000, 32000)


def names(zoo=ZOO):
    return sorted(p.parent.name for p in zoo.glob("*/case.json"))


def check_names(asked, zoo=ZOO):
    """Ends with a sentence if there is no case of one of these names."""
    known = names(zoo)
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, 3)
            sys.exit("there is no case '%s'%s" % (
                name, "; did you mean %s?" % " or ".join(near) if near
                else ": those of %s are its folders that have a case.json" % zoo))


def load(name):
    return json.loads((ZOO / name / "case.json").read_text())


def daily():
    """The cases that are quick, and whose stacks `make test` installs."""
    return [name for name in names() if load(name).get("daily")]


@functools.lru_cache(maxsize=None)
def installed(package):
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Status}", package], capture_output=True)
    return query.stdout.split()[-1:] == [b"installed"]


@functools.lru_cache(maxsize=None)
def node_version():
    told = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(told.lstrip("v").partition(".")[0] or 0)


# Tools that may be there without the package that brings them.
TOOLS = {"nodejs": "node", "golang-go": "go", "default-jdk-headless": "javac"}


def missing(case):
    """What a case needs and the machine has not."""
    needs = case["needs"]
    lacking = [p for p in needs["apt"]
               if not (installed(p) or (p in TOOLS and shutil.which(TOOLS[p])))]
    lacking += [p for p in needs["npm"] if not (ZOO / "node_modules" / p).is_dir()]
    if needs.get("node", 0) > (node_version() if shutil.which("node") else 0):
        lacking.append("node %d" % needs["node"])
    if needs.get("root") and os.geteuid():
        lacking.append("root")
    return lacking


def build():
    """Compile the servers that are not scripts, if that is not done."""
    subprocess.run([ZOO / "lib/build"], check=True)


_lock = threading.Lock()
_given = set()    # ports that were given to a case; several may run at once
_running = set()  # the cases that are up


def free_ports(count=PORTS):
    """The first of @count neighbouring ports that nobody uses. They are below those that
    the system gives to clients: one of these would be taken before the stack is up."""
    while True:
        first = random.randrange(*LISTENERS, PORTS)
        with _lock:
            ours = set(range(first, first + count))
            if ours & _given:
                continue
            _given.update(ours)
        taken = []
        try:
            for port in range(first, first + count):
                for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                    s = socket.socket(family)
                    taken.append(s)
                    s.bind((host, port))
            return first
        except (OSError, OverflowError):
            release_ports(first, count)
        finally:
            for s in taken:
                s.close()


def release_ports(first, count=PORTS):
    with _lock:
        _given.difference_update(range(first, first + count))


def stop_all():
    """For a run that is cut off: no server and no file stays behind."""
    for case in list(_running):
        case.stop()


class Case:
    """with Case(name, fixed=False) as case: case.args(case.doc["args"])"""

    def __init__(self, name, fixed=False):
        self.name, self.fixed, self.doc = name, fixed, load(name)

    def __enter__(self):
        self.port = free_ports()
        self.out = tempfile.mkdtemp()
        os.chmod(self.out, 0o755)
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        env["ZOO_OUT"] = self.out
        command = [str(ZOO / self.name / "up"), str(self.port)] + ["fixed"] * self.fixed
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors)
        _running.add(self)
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_ready(self, seconds=60):
        end, told = time.monotonic() + seconds, b""
        while b"READY\n" not in told:
            left = end - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            more = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not more:
                self.errors.seek(0)
                raise RuntimeError("%s did not start: %s" % (self.name, self.errors.read()[-800:].decode()))
            told += more

    def __exit__(self, *_):
        self.stop()
        _running.discard(self)
        release_ports(self.port)
        self.process.stdout.close()
        self.errors.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.out, ignore_errors=True)

    def args(self, words):
        def fill(word):
            for i in range(PORTS - 1, 0, -1):
                word = word.replace("{port%d}" % i, str(self.port + i))
            word = re.sub(r"\{x(\d+)\}", lambda m: "x" * int(m[1]), word)
            return word.replace("{port}", str(self.port)).replace("{out}", self.out)
        return [fill(w) for w in words]


# The servers whose settings tests/zoo/fix changes by what the doctor prints.
FIX_STACKS = ("nginx", "apache", "haproxy", "caddy")


def verify(name):
    """None, or how the case does not do what its case.json says."""
    doc = load(name)
    if "fix_stack" in doc and not (doc["fix_stack"] in FIX_STACKS and doc["fix_server"]):
        return "fix_stack is none of the four, or there is no fix_server"
    with Case(name) as case:
        status, opened = knock(case.args(doc["args"]))
        opens = (doc["cause"] == "ok" or doc["cause"].startswith("browser.") or
                 doc.get("opens", False))
        if status != doc["status"] or opened != opens:
            return "status %s, open %s; case.json says %s" % (status, opened, doc["status"])
        if doc["fix_args"] and not knock(case.args(doc["fix_args"]))[1]:
            return "fix_args do not open it"
    if doc["fix_server"]:
        with Case(name, fixed=True) as case:
            if not knock(case.args(doc["args"]))[1]:
                return "the server-side fix does not open it"
    if not (doc["fix_args"] or doc["fix_server"] or doc.get("nofix")):
        return "no fix is given"
    return None


def diagnose(program, name, options=(), limit=60):
    """(document or None, seconds) of `sesame doctor --json` on a case."""
    with Case(name) as case:
        begin = time.monotonic()
        try:
            run = subprocess.run([program, "doctor", "--json", *options] + case.args(case.doc["args"]),
                                 stdin=subprocess.DEVNULL, capture_output=True, timeout=limit)
            document = json.loads(run.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            document = None
        return document, time.monotonic() - begin
