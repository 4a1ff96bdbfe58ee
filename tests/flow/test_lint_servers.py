# SPDX-License-Identifier: MIT
"""Broken configurations of the real Apache, HAProxy and Caddy: the knock is
refused (or the server does not even start), `sesame lint --fix` is applied, the
server's own check is content, the knock opens."""
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from test_lint import Server, free_port, knock, websockets

SESAME = os.environ["SESAME"]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
MODULES = "/usr/lib/apache2/modules"
ORIGIN = "https://shop.example"
AGENT = "python-requests/2.31"

APACHE_HEAD = "".join(
    [f"LoadModule {m}_module {MODULES}/mod_{m}.so\n" for m in
     "mpm_event authz_core authz_host alias rewrite headers setenvif env proxy "
     "proxy_http proxy_balancer slotmem_shm lbmethod_byrequests".split()] +
    ["ServerRoot @DIR@\nServerName localhost\nPidFile pid\nErrorLog log\n"
     "DefaultRuntimeDir @DIR@\nMutex file:@DIR@ default\nDocumentRoot @DIR@\n"
     "Listen 127.0.0.1:@PORT@\n"])
HAPROXY_HEAD = """defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
  timeout tunnel 1h
frontend web
  bind 127.0.0.1:@PORT@
"""
CADDY_HEAD = """{
	admin off
	auto_https off
}
http://127.0.0.1:@PORT@ {
	bind 127.0.0.1
"""
TO_APP = "backend app\n  server a 127.0.0.1:@APP@\n"
DEAD = "backend dead\n  server a 127.0.0.1:@DEAD@\n"


def apache(*lines):
    return "apache2", APACHE_HEAD + "\n".join(lines) + "\n"


def haproxy(*lines):
    return "haproxy", HAPROXY_HEAD + "\n".join(lines) + "\n"


def caddy(*lines):
    return "caddy", CADDY_HEAD + "\n".join("\t" + x for x in lines) + "\n}\n"


UPGRADE = "RewriteCond %{HTTP:Upgrade} websocket [NC]"
TO_WS = "RewriteRule ^/(.*) ws://127.0.0.1:@APP@/$1 [P,L]"
HTTP_APP = "ProxyPass / http://127.0.0.1:@APP@/"
IS_WS = "  acl is_ws hdr(Upgrade) -i websocket"

# name: what is written, and what has to be found; whether it is told which
# request is meant, and what the knock brings along.
CASES = {
    "apache without upgrade": (apache(
        "ProxyPass /ws http://127.0.0.1:@APP@/ws"),
        "upgrade-not-forwarded"),
    "apache balancer": (apache(
        "<Proxy balancer://app>", "  BalancerMember http://127.0.0.1:@APP@",
        "</Proxy>", "ProxyPass /ws balancer://app/ws"),
        "upgrade-not-forwarded"),
    "apache balancer with a word too much": (apache(
        "<Proxy \"balancer://app\">", "  BalancerMember \"http://127.0.0.1:@APP@\"",
        "  BalancerMember \"http://127.0.0.1:@APP@/\" route=2",
        "</Proxy>", "ProxyPass /ws balancer://app/ws upgrade=websocket"),
        "upgrade-not-forwarded"),
    "apache order": (apache(
        HTTP_APP, "ProxyPass /ws ws://127.0.0.1:@APP@/ws"), "order"),
    "apache order of sections": (apache(
        "<Location /ws>", "  ProxyPass ws://127.0.0.1:@APP@/ws", "</Location>",
        "<Location />", "  ProxyPass http://127.0.0.1:@APP@/", "</Location>"),
        "order"),
    "apache case": (apache(
        "RewriteEngine On", "RewriteCond %{HTTP:Upgrade} WebSocket", TO_WS,
        HTTP_APP), "never-true"),
    "apache no such variable": (apache(
        "RewriteEngine On", "RewriteCond %{HTTP_UPGRADE} websocket [NC]", TO_WS,
        HTTP_APP), "misspelt-variable"),
    "apache no such field": (apache(
        "RewriteEngine On", "RewriteCond %{HTTP:Upgrdae} websocket [NC]", TO_WS,
        HTTP_APP), "misspelt-variable"),
    "apache no such field of an expression": (apache(
        "RewriteEngine On",
        "RewriteCond expr \"%{HTTP:Conection} =~ /upgrade/i\"", TO_WS, HTTP_APP),
        "misspelt-variable"),
    "apache without [P]": (apache(
        "RewriteEngine On", UPGRADE,
        "RewriteRule ^/(.*) ws://127.0.0.1:@APP@/$1 [L]"),
        "upgrade-not-forwarded"),
    "apache [P] to http": (apache(
        "RewriteEngine On", UPGRADE,
        "RewriteRule ^/(.*) http://127.0.0.1:@APP@/$1 [P,L]"),
        "upgrade-not-forwarded"),
    "apache engine off": (apache(UPGRADE, TO_WS, HTTP_APP), "engine-off"),
    "apache unsets Upgrade": (apache(
        "RequestHeader unset Upgrade", "ProxyPass /ws ws://127.0.0.1:@APP@/ws"),
        "upgrade-removed"),
    "apache HTTP/1.0": (apache(
        "SetEnv force-proxy-request-1.0 1",
        "ProxyPass /ws ws://127.0.0.1:@APP@/ws"), "http-version"),
    "apache skips": (apache(
        "<IfModule mod_proxy_wstunnel.c>",
        "  ProxyPass /ws ws://127.0.0.1:@APP@/ws", "</IfModule>", HTTP_APP),
        "module-missing"),
    "apache Host": (apache("ProxyPass /ws ws://127.0.0.1:@APP@/ws"),
                    "host-replaced", "same origin"),
    "apache Origin": (apache(
        "ProxyPass /ws ws://127.0.0.1:@APP@/ws", "RewriteEngine On",
        "RewriteCond %{HTTP:Origin} !^https://app\\.example$",
        "RewriteRule ^/ws - [F]"), "origin-rule", "asked"),
    "apache Require env": (apache(
        "<Location /ws>", "  SetEnvIf Origin ^https://app\\.example$ good",
        "  Require env good", "</Location>",
        "ProxyPass /ws http://127.0.0.1:@APP@/ws upgrade=websocket"),
        "origin-rule", "asked"),
    "apache Require env among others": (apache(
        "<Location /ws>", "  SetEnvIf Origin ^https://app\\.example$ good",
        "  <RequireAll>", "    Require ip 127.0.0.1", "    Require env good",
        "  </RequireAll>", "</Location>",
        "ProxyPass /ws http://127.0.0.1:@APP@/ws upgrade=websocket"),
        "origin-rule", "asked"),
    "apache User-Agent": (apache(
        "ProxyPass /ws ws://127.0.0.1:@APP@/ws", "RewriteEngine On",
        "RewriteCond %{HTTP_USER_AGENT} ^(python|curl) [NC]",
        "RewriteRule ^ - [F]"), "agent-rule", "asked"),

    "haproxy deletes Upgrade": (haproxy(
        "  http-request del-header Upgrade", IS_WS,
        "  default_backend app", TO_APP), "upgrade-removed", "asked"),
    "haproxy closes": (haproxy(
        "  default_backend ws", "backend ws", "  server a 127.0.0.1:@APP@",
        "  http-request set-header Connection close"), "upgrade-removed"),
    "haproxy case": (haproxy(
        "  acl is_ws hdr(Upgrade) WebSocket", "  use_backend app if is_ws",
        "  default_backend dead", TO_APP + DEAD), "never-true"),
    "haproxy no such field": (haproxy(
        "  acl is_ws hdr(Upgrd) -i websocket", "  use_backend app if is_ws",
        "  default_backend dead", TO_APP + DEAD), "misspelt-variable"),
    "haproxy no such field for a match": (haproxy(
        "  acl is_ws req.hdr(Conection) -m sub -i upgrade",
        "  use_backend app if is_ws", "  default_backend dead", TO_APP + DEAD),
        "misspelt-variable"),
    "haproxy order": (haproxy(
        IS_WS, "  use_backend dead if { path_beg / }",
        "  use_backend app if is_ws", TO_APP + DEAD), "order"),
    "haproxy order, its acl between": (haproxy(
        "  use_backend dead if { path_beg / }", IS_WS,
        "  use_backend app if is_ws", TO_APP + DEAD), "order"),
    "haproxy no such acl": (haproxy(
        "  acl is_websocket hdr(Upgrade) -i websocket",
        "  use_backend app if is_websockt", TO_APP), "undeclared"),
    "haproxy no such backend": (haproxy(
        IS_WS, "  use_backend websockets if is_ws", "backend websocket",
        "  server a 127.0.0.1:@APP@"), "undeclared"),
    "haproxy of old": (haproxy(
        "  option http-tunnel", IS_WS, "  use_backend app if is_ws", TO_APP),
        "outdated"),
    "haproxy HTTP/2 behind": (haproxy(
        "  default_backend ws", "backend ws",
        "  server a 127.0.0.1:@APP@ proto h2"), "http-version"),
    "haproxy Host": (haproxy(
        "  default_backend ws", "backend ws", "  server a 127.0.0.1:@APP@",
        "  http-request set-header Host internal"), "host-replaced",
        "same origin"),
    "haproxy Origin": (haproxy(
        "  acl good req.hdr(origin) -i https://app.example",
        "  http-request deny if { req.hdr(origin) -m found } !good",
        "  default_backend app", TO_APP), "origin-rule", "asked"),
    "haproxy User-Agent": (haproxy(
        "  http-request deny if { req.fhdr(user-agent) -m beg -i python }",
        "  default_backend app", TO_APP), "agent-rule", "asked"),

    "caddy -Upgrade": (caddy(
        "reverse_proxy /ws 127.0.0.1:@APP@ {", "\theader_up -Upgrade", "}"),
        "upgrade-removed"),
    "caddy Connection": (caddy(
        "reverse_proxy /ws 127.0.0.1:@APP@ {", "\theader_up Connection close",
        "}"), "upgrade-removed"),
    "caddy placeholder of old": (caddy(
        "reverse_proxy /ws 127.0.0.1:@APP@ {",
        "\theader_up Connection {>Connection}",
        "\theader_up Upgrade {>Upgrade}", "}"), "misspelt-variable"),
    "caddy request_header": (caddy(
        "request_header -Connection", "reverse_proxy /ws 127.0.0.1:@APP@"),
        "upgrade-removed"),
    "caddy case": (caddy(
        "@ws {", "\theader Connection upgrade", "\theader Upgrade WebSocket",
        "}", "reverse_proxy @ws 127.0.0.1:@APP@"), "never-true"),
    "caddy no such field": (caddy(
        "@ws {", "\theader Connection *Upgrade*", "\theader Upgrdae websocket",
        "}", "reverse_proxy @ws 127.0.0.1:@APP@"), "misspelt-variable"),
    "caddy order": (caddy(
        "route {", "\treverse_proxy 127.0.0.1:@DEAD@",
        "\treverse_proxy /ws 127.0.0.1:@APP@", "}"), "order"),
    "caddy h2c": (caddy("reverse_proxy /ws h2c://127.0.0.1:@APP@"),
                  "http-version"),
    "caddy of old": (caddy(
        "reverse_proxy /ws 127.0.0.1:@APP@ {", "\twebsocket", "}"), "outdated"),
    "caddy misses": (caddy("reverse_proxy /ws/* 127.0.0.1:@APP@"), "no-route",
                     "asked"),
    "caddy strips": (caddy(
        "handle_path /ws* {", "\treverse_proxy /ws* 127.0.0.1:@APP@", "}"),
        "path-changed", "asked"),
    "caddy Host": (caddy(
        "reverse_proxy /ws 127.0.0.1:@APP@ {",
        "\theader_up Host {upstream_hostport}", "}"), "host-replaced",
        "same origin"),
    "caddy Origin": (caddy(
        "@bad not header Origin https://app.example", "respond @bad 403",
        "reverse_proxy 127.0.0.1:@APP@"), "origin-rule", "asked"),
    "caddy Origin in braces": (caddy(
        "@bad {", "\tpath /ws*", "\tnot header Origin https://app.example", "}",
        "respond @bad 403", "reverse_proxy 127.0.0.1:@APP@"), "origin-rule",
        "asked"),
    "caddy no such matcher": (caddy(
        "@websocket header Upgrade websocket",
        "reverse_proxy @websockets 127.0.0.1:@APP@"), "undeclared"),
}


class Running:
    """One of the servers with this configuration, until stop()."""

    def __init__(self, program, conf, folder):
        self.env = {**os.environ, "PATH": PATH, "HOME": str(folder),
                    "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.program, self.conf, self.folder = program, conf, folder
        self.child = None

    def command(self, check):
        return {
            "apache2": ["apache2", *(["-t"] if check else []), "-f", self.conf,
                        *([] if check else ["-DFOREGROUND"])],
            "haproxy": ["haproxy", "-c" if check else "-db", "-f", self.conf],
            "caddy": ["caddy", "validate" if check else "run", "--adapter",
                      "caddyfile", "--config", self.conf],
        }[self.program]

    def check(self):
        """The server's own opinion: '' when it is content."""
        done = subprocess.run(self.command(True), env=self.env, text=True,
                              capture_output=True, timeout=30, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def start(self, port):
        with open(self.folder / "out", "wb") as out:
            self.child = subprocess.Popen(self.command(False), env=self.env,
                                          stdout=out, stderr=out,
                                          start_new_session=True)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert self.child.poll() is None, (self.folder / "out").read_text()
            time.sleep(0.05)
        raise AssertionError("it does not listen")

    def stop(self, how=signal.SIGTERM):
        """All of its group: Apache may leave a child that has just begun."""
        if not self.child:
            return
        self.child.send_signal(how)
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait(5)
        self.child = None


def opens(running, port, fields):
    """The status of a knock at the server, or why it does not start."""
    said = running.check()
    if said:
        return said
    running.start(port)
    try:
        return knock(port, **fields)
    except (OSError, IndexError, ValueError) as e:  # cut, or no answer at all
        return repr(e)
    finally:
        running.stop()


def lint(*args):
    done = subprocess.run([SESAME, "lint", *args], capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


class Sick:
    """A broken configuration of CASES, its server and the app behind."""

    def __init__(self, name, folder):
        (program, text), self.rule, *rest = CASES[name]
        if not shutil.which(program, path=PATH) or not shutil.which("patch") or \
                not websockets:
            pytest.skip(f"{program}, patch or websockets is not installed")
        how = rest[0] if rest else ""
        self.port, dead = free_port(), free_port()
        app = Server(check_origin=how == "same origin")
        self.conf = folder / ("Caddyfile" if program == "caddy" else "server.cfg")
        for mark, value in (("@PORT@", self.port), ("@APP@", app.port),
                            ("@DEAD@", dead), ("@DIR@", folder)):
            text = text.replace(mark, str(value))
        self.conf.write_text(text)
        self.fields, self.asked = {}, []
        if how == "same origin":
            self.fields["Origin"] = f"http://127.0.0.1:{self.port}"
        if how == "asked":
            self.fields = {"Origin": ORIGIN, "User-Agent": AGENT}
            self.asked = ["--request", f"ws://127.0.0.1:{self.port}/ws", "--origin", ORIGIN,
                          "--user-agent", AGENT]
        self.language = ["--language", {"apache2": "apache"}.get(program, program)]
        self.running = Running(program, self.conf, folder)

    def opens(self):
        return opens(self.running, self.port, self.fields)

    def lint(self, *more):
        return lint(*self.language, *more, *self.asked, self.conf.name)


@pytest.mark.parametrize("name", CASES)
def test_what_is_mended_opens(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sick = Sick(name, tmp_path)
    try:
        assert sick.opens() != 101, "it was not broken"
        told = sick.lint()
        assert sick.rule in told, told
        (tmp_path / "it.patch").write_text(sick.lint("--fix"))
        subprocess.run(["patch", "-p0", "--batch", "-i", "it.patch"],
                       check=True, capture_output=True, timeout=20)
        assert sick.running.check() == "", sick.conf.read_text()
        assert sick.opens() == 101, sick.conf.read_text()
        again = json.loads(sick.lint("--json"))[0]["findings"]
        assert not [f for f in again if f["patched"]], "one patch mends all"
    finally:
        sick.running.stop()


def put_by_hand(text, told, rule):
    """The lines under the finding of @rule, put where it says; None: it does not."""
    lines = told.splitlines()
    at = next(i for i, line in enumerate(lines) if f" {rule}: " in line) + 1
    said = re.fullmatch(r"    \((in place of|below) line (\d+)\)", lines[at])
    if not said:
        return None
    new = [x[4:] for x in itertools.takewhile(lambda x: x.startswith("    "), lines[at + 1:])]
    have, line = text.splitlines(), int(said[2])
    have[line - (said[1] == "in place of"):line] = new
    return "\n".join(have) + "\n"


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n][1] in ("origin-rule", "agent-rule")])
def test_what_is_told_can_be_put_there_by_hand(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sick = Sick(name, tmp_path)
    try:
        told = sick.lint()
        mended = put_by_hand(sick.conf.read_text(), told, sick.rule)
        assert mended, told
        sick.conf.write_text(mended)
        assert sick.running.check() == "", mended
        assert sick.opens() == 101, mended
    finally:
        sick.running.stop()
