# SPDX-License-Identifier: MIT
"""Who plays: Redis, the nodes, and the crowd of clients."""
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from rooms import BACK, CLIENTS, PAIR, Machine

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SESAME_BUILD", TOP / "build")).resolve()
SESAME = os.environ.get("SESAME", str(BUILD / "sesame"))
TOKEN = "let-me-publish"
CONFIG = """listen:
  - address: %(address)s:8080
workers: %(workers)d
%(backplane)sroutes:
  - path: /deep/*
    to: hub
    hub:
      echo: true
      history: {messages: 200000, bytes: 256MiB, age: 1h}
      queue: 32MiB
      kept: 2GiB
      publish: {hashes_file: hashes}
  - path: /shallow/*
    to: hub
    hub:
      echo: true
      presence: true
      history: {messages: 100, age: 1h}
      publish: {hashes_file: hashes}
journal: {file: journal.db}
"""


class Program:
    """A process in a machine, whose output goes to a file."""

    def __init__(self, machine, folder):
        self.machine, self.folder, self.process = machine, folder, None
        folder.mkdir(parents=True, exist_ok=True)

    def launch(self, *words):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                self.machine.words(*words) if self.machine else [str(w) for w in words],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As a crash does. Says whether it had ended by itself before."""
        assert self.runs(), "%s ended by itself: %s" % (self.folder.name, self.tail())
        self.process.kill()
        self.process.wait(10)

    def stop(self):
        assert self.runs(), "%s ended by itself: %s" % (self.folder.name, self.tail())
        self.process.terminate()
        self.process.wait(20)

    def tail(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]


def wait_for_port(address, port, program, seconds=30):
    end = time.time() + seconds
    while True:
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            assert program.runs(), program.tail()
            assert time.time() < end, "%s does not listen" % program.folder.name
            time.sleep(0.02)


class Redis(Program):
    """Its own address is at PAIR; nodes know it by the one at BACK."""
    PROGRAM = "redis-server"

    def __init__(self, machine, folder):
        super().__init__(machine, folder)
        self.address = machine.address(PAIR)

    def start(self, persists=True):
        self.launch(self.PROGRAM, "--bind", "0.0.0.0", "--port", 6379, "--save", "",
                    "--protected-mode", "no", "--daemonize", "no",
                    "--repl-diskless-sync-delay", 0,
                    "--appendonly", "yes" if persists else "no", "--appendfsync", "always",
                    "--dir", self.folder)

    def serve(self):
        """Wait until it has read what it had, and answers."""
        end = time.time() + 60
        wait_for_port(self.address, 6379, self)
        while not self.ask("PING").startswith(b"+PONG"):
            assert time.time() < end, self.tail()
            time.sleep(0.05)

    def forget(self):
        for name in ("appendonlydir", "dump.rdb"):
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def ask(self, *words):
        request = "*%d\r\n" % len(words) + "".join("$%d\r\n%s\r\n" % (len(w), w) for w in words)
        with socket.create_connection((self.address, 6379), 5) as s:
            s.sendall(request.encode())
            return s.recv(65536)

    def replication(self):
        return dict(re.findall(r"(\w+):(\S+)", self.ask("INFO", "replication").decode()))

    def follow(self, other):
        """Be a replica of @other, which has all that this one has by now."""
        self.ask("REPLICAOF", other.address, "6379")
        self.catch_up(other)

    def catch_up(self, other, seconds=60):
        """Wait until a replica has all that @other has by now."""
        end, last = time.time() + seconds, int(other.replication()["master_repl_offset"])
        while True:
            told = self.replication()
            if told["master_link_status"] == "up" and int(told["slave_repl_offset"]) >= last:
                return
            assert time.time() < end, self.tail()
            time.sleep(0.02)

    def lead(self):
        assert self.ask("REPLICAOF", "NO", "ONE").startswith(b"+OK"), self.tail()


class Node(Program):
    def __init__(self, number, folder, redis, workers):
        machine = Machine("n%d" % number, 10 + number, (CLIENTS, BACK))
        super().__init__(machine, folder)
        self.number, self.address = number, machine.address(CLIENTS)
        backplane = "backplane: redis://%s:6379/0\n" % redis.address(BACK) if redis else ""
        digest = hashlib.sha256(TOKEN.encode()).hexdigest()
        (folder / "hashes").write_text("backend:%s\n" % digest)
        (folder / "sesame.yaml").write_text(CONFIG % {
            "address": self.address, "workers": workers, "backplane": backplane})

    def start(self):
        self.launch(SESAME, "serve", "-c", "sesame.yaml")

    def serve(self):
        wait_for_port(self.address, 8080, self)

    def history(self, path, limit=1000):
        """All that a channel holds, as (id, data)."""
        since, held = "", []
        while True:
            page = json.loads(self.get("%s?limit=%d%s" % (path, limit, since)))
            assert "gap" not in page or not since, page["gap"]
            held += [(m["id"], m["data"]) for m in page["messages"]]
            if "next" not in page:
                return held
            since = "&since=" + page["next"]

    def get(self, target):
        with socket.create_connection((self.address, 8080), 10) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: cluster\r\nAuthorization: Bearer %s\r\n\r\n"
                       % (target, TOKEN)).encode())
            answer = b"".join(iter(lambda: s.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], answer[:500]
        return body


class Crowd:
    """The clients (crowd.c), and what they say of themselves."""

    def __init__(self, folder, nodes, words):
        self.stderr = open(folder / "crowd.log", "a")
        program = BUILD / "tests/cluster_crowd"
        self.process = subprocess.Popen(
            [str(program), "-t", TOKEN] + words + ["%s:8080" % n.address for n in nodes],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, text=True)
        self.answers, self.going, self.verdict = queue.Queue(), threading.Event(), None
        self.acked = self.heard = self.open = self.stats = 0
        self.faults = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "stat":
                figures = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", rest)}
                self.acked, self.heard = figures["acked"], figures["heard"]
                self.open = figures["open"]
                self.stats += 1
            elif word == "ok":
                self.answers.put(rest)
            elif word == "go":
                self.going.set()
            elif word == "fault":
                self.faults.append(rest)
            elif word == "verdict":
                self.verdict = json.loads(rest)

    def say(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()
        self.answers.get(timeout=30)

    def hears_no_more(self, seconds=30):
        """Wait until all clients together have heard nothing for a second, and
        have said so."""
        end = time.time() + seconds
        while time.time() < end:
            before, stats = (self.acked, self.heard), self.stats
            time.sleep(1)
            if (self.acked, self.heard) == before and self.stats >= stats + 5:
                return
        raise AssertionError("clients hear on for %d s" % seconds)

    def end(self, seconds=200):
        self.say("end")
        try:
            return self.process.wait(seconds)
        finally:
            self.process.kill()
            self.reader.join(10)
            self.stderr.close()
