# SPDX-License-Identifier: MIT
"""A redis-server of a test's own: started on a free port, stopped by its pid,
killed and started again with what it wrote to its folder."""
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

from ports import free_port

PROGRAM = shutil.which("redis-server") or "/usr/bin/redis-server"
HERE = os.path.exists(PROGRAM)


def encode(*words):
    words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class RedisServer:
    """@options are lines of redis.conf, as ("appendonly yes", "maxmemory 10mb");
    without any it writes nothing to the disk. @wrap comes before the program:
    ("ip", "netns", "exec", "name")."""

    def __init__(self, folder, *options, port=None, host="127.0.0.1", wrap=(), password=None):
        self.folder, self.host, self.wrap, self.password = folder, host, wrap, password
        self.port = port or free_port()
        self.options = options
        self.process = None
        self.start()

    @property
    def url(self):
        secret = ":%s@" % self.password if self.password else ""
        return "redis://%s%s:%d/0" % (secret, self.host, self.port)

    def start(self):
        assert self.process is None
        config = self.folder / "redis.conf"
        lines = ["port %d" % self.port, "bind %s" % self.host, "dir %s" % self.folder,
                 "daemonize no", 'save ""', "protected-mode no", "enable-debug-command yes",
                 "set-proc-title no",  # it overwrites what tests/flow/caretaker.py knows it by
                 *self.options]
        if self.password:
            lines.append("requirepass %s" % self.password)
        config.write_text("\n".join(lines) + "\n")
        with open(self.folder / "redis.log", "a") as log:
            self.process = subprocess.Popen([*self.wrap, PROGRAM, str(config)], stdout=log,
                                            stderr=log, start_new_session=True)
        if not self.wrap:
            try:
                self.await_answer()
            except BaseException:
                self.end(signal.SIGKILL)
                raise

    def await_answer(self, seconds=30):
        end = time.time() + seconds
        while True:
            try:
                if self.ask("PING") == b"+PONG":
                    return
            except OSError:
                pass
            assert self.process.poll() is None, (self.folder / "redis.log").read_text()[-2000:]
            assert time.time() < end, "redis-server does not answer"
            time.sleep(0.02)

    def ask(self, *words, timeout=5):
        """One command; the answer as it comes, without its last line's end."""
        with socket.create_connection((self.host, self.port), timeout) as s:
            if self.password:
                s.sendall(encode("AUTH", self.password))
                assert s.recv(100) == b"+OK\r\n"
            s.sendall(encode(*words))
            answer = b""
            while not complete(answer):
                data = s.recv(65536)
                if not data:
                    break
                answer += data
        return answer[:-2]

    def kill(self):
        """As by a crash: nothing more is written."""
        self.end(signal.SIGKILL)

    def stop(self):
        if self.process is None:
            return
        self.resume()
        self.end(signal.SIGTERM)

    def end(self, by):
        if self.process.poll() is None:
            os.killpg(self.process.pid, by)
        self.process.wait(10)
        self.process = None

    def pause(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGCONT)


def complete(answer, at=0):
    return end_of(answer, at) is not None


def end_of(answer, at):
    line = answer.find(b"\r\n", at)
    if line < 0:
        return None
    kind, rest, at = answer[at:at + 1], answer[at + 1:line], line + 2
    if kind == b"$" and int(rest) >= 0:
        at += int(rest) + 2
        return at if at <= len(answer) else None
    if kind == b"*":
        for _ in range(max(int(rest), 0)):
            at = end_of(answer, at)
            if at is None:
                return None
    return at


@contextmanager
def redis_server(folder, *options, **more):
    server = RedisServer(folder, *options, **more)
    try:
        yield server
    finally:
        server.stop()
