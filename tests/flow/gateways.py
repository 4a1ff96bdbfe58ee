# SPDX-License-Identifier: MIT
"""A gateway that runs for a test, and hands that knock at it."""
import json
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from held import GIVES_BACK, Held
from redis_server import RedisServer

SESAME = os.environ.get("SESAME", str(Path(__file__).resolve().parents[2] / "build/sesame"))
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
REFERENCE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")
UPGRADE = ("Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n" % KEY)

def run(*args, cwd=None):
    env = dict(os.environ, NO_COLOR="1")
    return subprocess.run([SESAME, *args], capture_output=True, text=True, cwd=cwd, env=env,
                          timeout=30)


class Gateway:
    """With SESAME_BACKPLANE=redis a real one is behind the channels, so that their
    tests hold for both."""

    def __init__(self, folder, config):
        self.folder = folder
        self.config = folder / "sesame.yaml"
        self.redis, self.more = None, ""
        if (os.environ.get("SESAME_BACKPLANE") == "redis" and "to: hub" in config
                and "backplane:" not in config):
            (folder / "redis").mkdir(exist_ok=True)
            self.redis = RedisServer(folder / "redis")
            self.more = "backplane: %s\n" % self.redis.url
        self.configure(config)
        self.err = open(folder / "err", "w+")
        self.process = subprocess.Popen([SESAME, "serve", "-c", "sesame.yaml"], cwd=folder,
                                        stdout=subprocess.PIPE, stderr=self.err, text=True,
                                        env=dict(os.environ, **GIVES_BACK))
        try:
            self.await_begin(config)
            self.held = Held(self.process.pid)
        except BaseException:
            self.stop()
            raise

    def await_begin(self, config):
        self.urls, self.admin = [], None
        for line in self.process.stdout:
            if "admin: http://" in line:
                self.admin = "http://" + line.split("http://")[1].split()[0].rstrip("/,")
            if "listening on " in line:
                self.urls.append(line.split("listening on ")[1].strip())
            if len(self.urls) + (self.admin is not None) == config.count("address: "):
                break
        assert self.urls, (self.folder / "err").read_text()
        self.url = self.urls[0]
        self.port = int(self.url.rsplit(":", 1)[1])

    def configure(self, config):
        self.config.write_text(self.more + config)

    def stop(self):
        try:
            return self.end()
        finally:
            if self.redis:
                self.redis.stop()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(15)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.err.close()
        return status

    def why(self, *args):
        return run("why", *args, "-c", "sesame.yaml", cwd=self.folder)

    def headline(self, reference):
        """What `sesame why` opens with, in one line."""
        return " ".join(self.why(reference).stdout.split("\n\n")[0].split())

    def story(self, reference):
        r = self.why(reference, "--json")
        assert r.returncode == 0, r.stderr
        return json.loads(r.stdout)

    def last(self, n=50):
        r = self.why("--last", str(n), "--json")
        return [json.loads(line) for line in r.stdout.splitlines()]


@contextmanager
def gateway(folder, config):
    g = Gateway(folder, config)
    try:
        yield g
        if g.process.poll() is None:
            g.held.check()
    finally:
        status = g.stop()
    assert status == 0, (folder / "err").read_text()


def dial(port):
    return socket.create_connection(("127.0.0.1", port), 10)


def read_all(s, limit=1 << 26):
    out = b""
    try:
        while len(out) < limit:
            data = s.recv(65536)
            if not data:
                break
            out += data
    except ConnectionResetError:
        pass
    return out


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if raw else 0
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        self.text = self.body.decode("latin-1")
        self.reference = self.fields.get("sesame-reference", "")


def request(port, path, *fields, upgrade=UPGRADE):
    head = "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s" % (path, port, upgrade)
    return (head + "".join(f + "\r\n" for f in fields) + "\r\n").encode("latin-1")


def send(port, raw, seconds=5):
    """Send bytes; all that comes back until the other side closes."""
    with dial(port) as s:
        s.settimeout(seconds)
        s.sendall(raw)
        return read_all(s)


def ask(port, path, *fields, **more):
    return Answer(send(port, request(port, path, *fields, **more)))


def opens(port, path, *fields):
    with dial(port) as s:
        s.sendall(request(port, path, *fields))
        return s.recv(4096).startswith(b"HTTP/1.1 101 ")


def reload(g, config, words):
    """Write the configuration, send SIGHUP, wait for @words in the log."""
    before = (g.folder / "err").read_text()
    g.configure(config)
    g.process.send_signal(signal.SIGHUP)
    end = time.time() + 5
    while words not in (g.folder / "err").read_text()[len(before):]:
        assert time.time() < end, (g.folder / "err").read_text()
        time.sleep(0.02)
