# SPDX-License-Identifier: MIT
"""What is measured: sesame, the limits, and the peers that this machine has."""
import argparse
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORIGIN = "https://app.example"
NODE = dict(os.environ, NODE_PATH=os.pathsep.join([str(HERE / "peers/node_modules"),
                                                    "/usr/share/nodejs"]))
URING = dict(os.environ, SESAME_LOOP="io_uring")


class Absent(Exception):
    """It cannot be measured here; why."""


class Server:
    """A program that runs, on a core of its own, and where it listens."""

    def __init__(self, spec, cores):
        self.name, self.path, self.bytes = spec.name, spec.path, spec.bytes
        port = free_port()
        command = [word.replace("{port}", str(port)) for word in spec.command]
        self.log = open(spec.folder / (slug(spec.name) + ".log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *command], env=spec.env,
            cwd=spec.folder, stdout=subprocess.PIPE, stderr=self.log, text=True,
            # whose peer leaves while it sends gets an error, and is not killed by it
            restore_signals=False)
        try:
            self.port = (spec.port or port) if spec.waits else self.read_port()
            self.wait_until_open()
        except Absent:
            self.stop()
            raise

    def read_port(self):
        for line in self.process.stdout:
            port = re.search(r":(\d+)/?\s*$", line)
            if port:
                return int(port.group(1))
        raise Absent(self.last_words() or "it did not say where it listens")

    def wait_until_open(self):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise Absent(self.last_words() or "nobody listens at its port")

    def last_words(self):
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        errors = [line for line in lines if "Error:" in line]
        last = (errors or lines or [""])[-1]
        return last + "; make bench-peers installs it" if "Cannot find module" in last else last

    def obituary(self):
        """How it ended, when it has; else nothing."""
        try:
            return f"it ended, with status {self.process.wait(0.5)}; "
        except subprocess.TimeoutExpired:
            return ""

    def pids(self):
        """The process, and what it has started."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
                todo += map(int, children.split())
            except OSError:
                pass
        return found

    def threads(self):
        """CPU nanoseconds of each so far."""
        tasks = [task for pid in self.pids() for task in Path(f"/proc/{pid}/task").iterdir()]
        return {task.name: int((task / "schedstat").read_text(encoding="ascii").split()[0])
                for task in tasks}

    def memory(self):
        """Bytes that are its own, and its children's."""
        status = [Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in self.pids()]
        return sum(int(re.search(r"RssAnon:\s*(\d+)", text).group(1)) for text in status) * 1024

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.log.close()


class Spec:
    """How a server is started. @waits: it says nothing, but listens at {port}."""

    def __init__(self, folder, name, command, env=None, path="/", waits=False, raw=False):
        self.folder, self.name, self.env, self.path = folder, name, env, path
        self.command = [str(word) for word in command]
        self.waits = waits or "{port}" in " ".join(self.command)
        self.port = None  # where it listens, when that is settled before
        self.bytes = raw  # it knows nothing of WebSocket


def slug(name):
    return re.sub(r"\W+", "-", name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events { worker_connections 20000; }
http {
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  proxy_buffer_size 16k; proxy_buffers 8 16k;
  server {
    listen 127.0.0.1:{port} backlog=4096;
    location / {
      {rule}
      proxy_pass http://127.0.0.1:{behind};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
    }
  }
}
"""

NGINX_RULE = f'if ($http_origin != "{ORIGIN}") {{ return 403; }}'

HAPROXY = """global
  nbthread 1
  maxconn 9000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
frontend front
  bind 127.0.0.1:{port} backlog 4096
  {rule}
  default_backend back
backend back
  server one 127.0.0.1:{behind}
"""

HAPROXY_RULE = f"http-request deny deny_status 403 unless {{ req.hdr(Origin) -m str {ORIGIN} }}"

GATEWAY = """listen:
  - address: 127.0.0.1:{port}
workers: {workers}
journal: {{file: journal.db}}
log: {{file: none}}
routes:
  - path: {path}
    to: {to}
{more}"""

ALLOW = f"""    allow:
      origins: ["https://www.example", "{ORIGIN}"]
"""


class House:
    """Makes the specs of every kind of server, in a folder for their files."""

    def __init__(self, build, folder, peers, without):
        self.build, self.folder, self.peers = Path(build).resolve(), Path(folder), peers
        self.without, self.behind = set(without), None
        self.cert, self.key = self.folder / "cert.pem", self.folder / "key.pem"

    @contextmanager
    def served_behind(self, cores):
        """Meanwhile there is a server that proxies may pass on to."""
        server = Server(self.library()[0], cores)
        self.behind = server.port
        try:
            yield
        finally:
            server.stop()

    def make_certificate(self):
        if not self.cert.exists():
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                            "2", "-subj", "/CN=localhost", "-keyout", self.key, "-out", self.cert],
                           check=True, capture_output=True)

    def wanted(self, workload):
        return [spec for spec in workload.specs(self) if spec.name not in self.without]

    def spec(self, name, *command, **more):
        return Spec(self.folder, name, command, **more)

    def library(self, *words):
        server = self.build / "examples/echo_server"
        return [self.spec("sesame", server, "--port", "0", *words),
                self.spec("sesame, io_uring", server, "--port", "0", *words, env=URING)]

    def gateway(self, name, to, path="/", more="", workers=1, env=None):
        port, folder = free_port(), self.folder / slug(name)
        folder.mkdir(exist_ok=True)
        config = folder / "sesame.yaml"
        config.write_text(GATEWAY.format(port=port, workers=workers, path=path, to=to, more=more),
                          encoding="utf-8")
        spec = self.spec(name, self.build / "sesame", "serve", "-c", config, env=env)
        spec.folder, spec.path = folder, path.replace("*", "all")
        return spec

    def gateways(self, to, path="/", more=""):
        return [self.gateway("sesame", to, path, more),
                self.gateway("sesame, io_uring", to, path, more, env=URING)]

    def others(self, kind, *words):
        """Servers that talk WebSocket, and those that were given by --peer."""
        specs = [self.spec("libwebsockets", self.build / "bench/lws_echo", *words),
                 self.spec("ws (node)", "node", HERE / "peers/ws_echo.js", *words, env=NODE),
                 self.spec("uWebSockets.js", "node", HERE / "peers/uws_echo.js", *words, env=NODE)]
        for name, its_kind, command in self.peers:
            if its_kind == kind:
                command = command.replace("{cert}", str(self.cert)).replace("{key}", str(self.key))
                specs.append(self.spec(name, *shlex.split(command)))
        return specs

    def proxy(self, name, program, config, *words):
        path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
        port, file = free_port(), self.folder / (program + ".conf")
        file.write_text(config.replace("{port}", str(port)), encoding="utf-8")
        spec = self.spec(name, path or program, *words, file, waits=True)
        spec.port = port
        return spec

    def proxies(self, behind, rules=("", "")):
        texts = [text.replace("{rule}", rule).replace("{behind}", str(behind))
                 .replace("{folder}", str(self.folder))
                 for text, rule in zip([NGINX, HAPROXY], rules)]
        return [self.proxy("nginx", "nginx", texts[0], "-e", self.folder / "nginx.log", "-c"),
                self.proxy("HAProxy", "haproxy", texts[1], "-db", "-f")]

    def bare(self, *words):
        """They check nothing and wait for nobody: the limit of who answers and sends."""
        return [self.spec("bytes", self.build / "bench/bare_server", *words),
                self.spec("bytes, io_uring", self.build / "bench/bare_server_uring", *words)]

    # ---- the kinds ----

    def echo(self, words=()):
        limit, uring = self.build / "bench/tcp_echo", self.build / "bench/tcp_echo_uring"
        return [*self.library(), self.spec("bytes", limit, raw=True),
                self.spec("bytes, io_uring", uring, *words, raw=True), *self.others("echo")]

    def tls(self):
        self.make_certificate()
        words = ["--cert", self.cert, "--key", self.key]
        return [*self.library(*words), *self.others("tls", *words)]

    def deflate(self):
        return [*self.library("--deflate"), *self.others("deflate", "--deflate")]

    def broadcast(self):
        return [*self.gateways("hub", "/chat/*"), *self.bare(),
                *self.others("broadcast", "--broadcast")]

    def handshakes(self):
        return [*self.gateways("echo", more=ALLOW), *self.bare(), *self.others("echo")]

    def refused(self):
        return [*self.gateways("echo", more=ALLOW), *self.bare("--refuse"),
                *self.proxies(1, [NGINX_RULE, HAPROXY_RULE]),
                *self.others("refused", "--origin", ORIGIN)]

    def relays(self, behind):
        return [*self.gateways(f"ws://127.0.0.1:{behind}"), *self.proxies(behind),
                self.spec("bytes", self.build / "bench/tcp_echo", "--relay", behind)]

    def workers(self):
        return [self.gateway("one worker", "echo"),
                self.gateway("two workers", "echo", workers=2)]


def read_peer(word):
    """--peer NAME[@KIND]=COMMAND, for argparse."""
    name, equals, command = word.partition("=")
    name, _, kind = name.partition("@")
    if not equals or not name:
        raise argparse.ArgumentTypeError("NAME=COMMAND or NAME@KIND=COMMAND")
    return name, kind or "echo", command


def is_there(spec):
    """Whether it can be started here at all; if not, what is missing."""
    program = spec.command[0]
    if not shutil.which(program):
        raise Absent(f"{Path(program).name} is not there")
    return True
