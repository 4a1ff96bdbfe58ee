# SPDX-License-Identifier: MIT
"""Three hops in a row, and the report names them in the order of the way."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ports import free_port
from rawsocket import PROGRAM

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
WHICH = {name: shutil.which(name, path=PATH) for name in ("nginx", "varnishd", "node")}

pytestmark = pytest.mark.skipif(not all(WHICH.values()),
                                reason="nginx, Varnish or node is not here")

APP = """
const server = require('http').createServer((request, answer) => {
  answer.writeHead(403, {'X-Powered-By': 'Express'});
  answer.end('no');
});
server.listen(%d, '127.0.0.1');
"""


@contextlib.contextmanager
def running(port, *command):
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            assert child.poll() is None, command[0]
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait(20)


@contextlib.contextmanager
def app(folder):
    port = free_port()
    with running(port, WHICH["node"], "-e", APP % port):
        yield port


@contextlib.contextmanager
def nginx(folder, behind):
    port = free_port()
    conf = folder / "nginx.conf"
    temps = "".join("%s_temp_path %s/%s;" % (name, folder, name)
                    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf.write_text("daemon off; master_process off; pid %s/pid; error_log %s/log;"
                    "events {} http { access_log off; %s server { listen 127.0.0.1:%d;"
                    "location / { proxy_pass http://127.0.0.1:%d; } } }"
                    % (folder, folder, temps, port, behind))
    with running(port, WHICH["nginx"], "-e", str(folder / "log"), "-c", str(conf)):
        yield port


@contextlib.contextmanager
def varnish(folder, behind):
    port = free_port()
    vcl = folder / "default.vcl"
    vcl.write_text('vcl 4.1; backend app { .host = "127.0.0.1"; .port = "%d"; }'
                   "sub vcl_recv { return (pass); }" % behind)
    with running(port, WHICH["varnishd"], "-F", "-n", str(folder / "varnish"), "-s", "malloc,8m",
                 "-a", "127.0.0.1:%d" % port, "-f", str(vcl)):
        wait_for_an_answer(port)
        yield port


def wait_for_an_answer(port):
    """Varnish listens before its worker does."""
    for _ in range(100):
        with contextlib.suppress(OSError), \
                socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            if s.recv(100):
                return
        time.sleep(0.05)
    raise AssertionError("no answer")


@pytest.mark.parametrize("first, second", [(nginx, varnish), (varnish, nginx)])
def test_the_hops_stand_in_the_order_of_the_way(first, second):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with app(folder) as at, second(folder, at) as at, first(folder, at) as at:
            done = subprocess.run([PROGRAM, "doctor", "--json", "--max-probes", "3",
                                   "ws://127.0.0.1:%d/" % at],
                                  capture_output=True, text=True, timeout=60)
            hops = json.loads(done.stdout)["responder"]["hops"]
    assert [hop.split("/")[0].split()[0] for hop in hops] == \
        [first.__name__, second.__name__, "express"]
