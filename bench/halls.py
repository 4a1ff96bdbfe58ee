# SPDX-License-Identifier: MIT
"""Servers of channels, as one node and as several with a Redis between them."""
import subprocess
import time
from pathlib import Path

from servers import HERE, NODE, URING, Absent, House, Server, Spec, free_port, is_there, slug

NCHAN_MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

NCHAN = """load_module {module};
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events { worker_connections 19000; }
http {
  access_log off;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  nchan_max_reserved_memory 256M;
  {upstream}
  server {
    listen 127.0.0.1:{port} backlog=4096;
    nchan_channel_id $arg_id;
    nchan_message_buffer_length 100;
    location = /sub { {pass} nchan_subscriber websocket; nchan_subscriber_first_message newest; }
    location = /pub { {pass} nchan_publisher websocket; }
  }
}
"""

# No heartbeats while it is measured, here and in peers/socketio.js.
ROUTE = "    hub: {members: 20000, presence: %s}\n    limits: {idle: 1h}\n"


class Invalid(Exception):
    """What a server did is not what was asked of it, so nothing was measured."""


class Hall:
    """
    A kind of server. @node makes the spec of one (of a House, and the URL of
    Redis or None), @words are for bench/channel_bench. A channel's path is
    @path, or to publish @publish_path, and its name.
    """

    def __init__(self, name, node, words=(), path="/chat/", publish_path=None, nodes=True):
        self.name, self.node, self.words = name, node, list(words)
        self.path, self.publish_path = path, publish_path
        self.nodes = nodes  # whether there can be several


def gateway(env=None, presence=False):
    def node(house, redis):
        more = ROUTE % ("true" if presence else "false")
        return house.gateway("sesame", "hub", "/chat/*", env=env,
                             more=more + (f"backplane: {redis}\n" if redis else ""))
    return node


def byte_fan(house, _redis):
    """The limit: bytes, by the same calls."""
    return house.spec("bytes", house.build / "bench/tcp_fan")


def ws_node(house, _redis):
    return house.spec("ws", "node", HERE / "peers/ws_echo.js", "--broadcast", env=NODE)


def socketio(house, redis):
    return house.spec("Socket.IO", "node", HERE / "peers/socketio.js",
                      *(["--redis", redis] if redis else []), env=NODE)


def nchan(house, redis):
    if not NCHAN_MODULE.exists():
        raise Absent("nginx has no nchan")
    texts = {"module": str(NCHAN_MODULE), "folder": str(house.folder),
             "upstream": f"upstream redis {{ nchan_redis_server {redis}; }}" if redis else "",
             "pass": "nchan_redis_pass redis;" if redis else ""}
    config = NCHAN
    for name, text in texts.items():
        config = config.replace("{" + name + "}", text)
    return house.proxy("nchan", "nginx", config, "-e", house.folder / "nginx.log", "-c")


ENVELOPES = ["--protocol", "sesame.v1"]
HALLS = [
    Hall("sesame", gateway()),
    Hall("sesame, io_uring", gateway(URING)),
    Hall("sesame.v1", gateway(), ENVELOPES),
    Hall("bytes", byte_fan, nodes=False),
    Hall("ws (node)", ws_node, nodes=False),
    Hall("Socket.IO", socketio, ["--socketio"],
         "/socket.io/?EIO=4&transport=websocket&room="),
    Hall("nchan", nchan, path="/sub?id=", publish_path="/pub?id="),
]
# Whose members are weighed.
WEIGHED = [
    Hall("plain", gateway()),
    Hall("sesame.v1", gateway(), ENVELOPES),
    Hall("plain, presence", gateway(presence=True)),
    Hall("sesame.v1, presence", gateway(presence=True), ENVELOPES),
]


def redis_spec(folder):
    """A Redis of its own that writes nothing to disk."""
    port = free_port()
    spec = Spec(folder, "redis", ["redis-server", "--port", port, "--bind", "127.0.0.1",
                                  "--save", "", "--appendonly", "no", "--dir", folder],
                waits=True)
    spec.port = port
    return spec


class Cast:
    """The nodes of a hall, and their Redis if there are several; they run."""

    def __init__(self, hall, asked, folder, cores, nodes):
        self.name, self.hall, self.redis, self.nodes = hall.name, hall, None, []
        place = Path(folder) / slug(f"{hall.name}-{nodes}-{free_port()}")
        place.mkdir()
        try:
            if nodes > 1:
                self.redis = self.start(redis_spec(place), cores)
            url = self.redis and f"redis://127.0.0.1:{self.redis.port}/0"
            for n in range(nodes):
                own = place / str(n)
                own.mkdir()
                house = House(asked.build, own, [], [])
                self.nodes.append(self.start(hall.node(house, url), cores))
            time.sleep(nodes > 1 and 1)  # until they have found Redis
        except (Absent, OSError):
            self.stop()
            raise

    @staticmethod
    def start(spec, cores):
        is_there(spec)
        return Server(spec, cores)

    def pids(self):
        return [pid for node in self.nodes for pid in node.pids()]

    def memory(self):
        return sum(node.memory() for node in self.nodes)

    def stop(self):
        for server in [*self.nodes, *([self.redis] if self.redis else [])]:
            server.stop()


class Members:
    """Members of channels that are there, and publishers that wait for a word."""

    def __init__(self, bench, cast, channels, members, size):
        hall, shape = cast.hall, f"{channels}x{members}-"
        words = ["--ports", ",".join(str(node.port) for node in cast.nodes),
                 "--pids", ",".join(map(str, cast.pids())),
                 "--channels", channels, "--members", members, "--size", size,
                 "--path", hall.path + shape, *hall.words]
        if hall.publish_path:
            words += ["--publish-path", hall.publish_path + shape]
        if cast.redis:
            words += ["--between", cast.redis.process.pid]
        self.process = subprocess.Popen(
            bench.pinned(bench.build / "bench/channel_bench", *words),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.answer()
        except Invalid:
            self.leave()
            raise

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Invalid(self.process.stderr.read().strip() or "the load ended without a word")
        return line

    def measure(self, seconds, depth, rate=0):
        """Of one delivery: what the nodes, Redis and the load took, and how long it took."""
        try:
            self.process.stdin.write(f"{seconds} {depth} {rate}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # its last words say why
        words = self.answer().split()
        return {name: float(value) for name, value in zip(words[::2], words[1::2])}

    def leave(self):
        try:
            self.process.stdin.close()
        except OSError:
            pass
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
