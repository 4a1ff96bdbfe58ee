# SPDX-License-Identifier: MIT
"""Servers of Node's `ws` and of nginx, to be killed and started again."""
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
PLACES = os.pathsep.join(["/usr/share/nodejs",
                          str(Path(__file__).resolve().parents[1] / "zoo/node_modules")])
ENV = dict(os.environ, NODE_PATH=PLACES)

# argv: port, name, [certificate, key]. SIGUSR2: /healthz from 200 to 503 and back.
SERVER = r"""
const [port, name, cert, key] = process.argv.slice(1), fs = require('fs');
let well = true, seen = 0;
process.on('SIGUSR2', () => { well = !well; });
const answer = (request, response) => {
  seen++;
  if (request.url === '/seen') response.end(String(seen));
  else { response.writeHead(well ? 200 : 503); response.end(name); }
};
const web = cert ? require('https').createServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)}, answer)
                 : require('http').createServer(answer);
const {WebSocketServer} = require('ws');
const options = {server: web, perMessageDeflate: {threshold: 0}, maxPayload: 1 << 28};
new WebSocketServer(options).on('connection', (ws, request) => {
  ws.send(name);
  ws.on('message', (data, binary) => ws.send(data, {binary}));
  ws.on('close', (code, reason) => console.log('closed', code, String(reason)));
  ws.on('error', () => {});
});
web.listen(Number(port), '127.0.0.1');
"""


def has_ws():
    return shutil.which("node") and subprocess.run(
        ["node", "-e", "require('ws').WebSocketServer"], env=ENV, capture_output=True,
        timeout=20).returncode == 0


needs_ws = pytest.mark.skipif(not has_ws(), reason="no node with ws here")
needs_nginx = pytest.mark.skipif(not os.path.exists(NGINX), reason="no nginx here")


class Program:
    """Something that listens at a port, and may be killed and started again."""

    def __init__(self, port, *command, log=None):
        self.port, self.command, self.log = port, [str(c) for c in command], log
        self.process = None

    def start(self):
        out = open(self.log, "a") if self.log else subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, env=ENV, stdout=out, stderr=out)
        if self.log:
            out.close()
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, self.command
                time.sleep(0.05)
        raise AssertionError("nobody listens at %d" % self.port)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    __enter__ = start

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()


def node(port, name, *tls, log=None):
    return Program(port, "node", "-e", SERVER, port, name, *tls, log=log)


def nginx(folder, port, behind):
    """Passes everything on to the server at the port @behind, /healthz too."""
    folder.mkdir(exist_ok=True)
    conf = folder / "nginx.conf"
    conf.write_text("""\
daemon off;
worker_processes 1;
master_process off;
pid %(folder)s/pid;
error_log %(folder)s/error.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2;
  fastcgi_temp_path %(folder)s/t3; uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5;
  server {
    listen 127.0.0.1:%(port)d;
    location / {
      proxy_pass http://127.0.0.1:%(behind)d;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host $host;
    }
    location = /healthz { return 204; }
  }
}
""" % {"folder": folder, "port": port, "behind": behind})
    return Program(port, NGINX, "-e", str(folder / "error.log"), "-c", str(conf))
