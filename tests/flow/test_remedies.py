# SPDX-License-Identifier: MIT
"""The lines that people are told to paste, read by the programs themselves.

Each snippet is put where its remedy says it belongs, and the real program
checks the configuration. Nothing is started.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

SESAME = os.environ["SESAME"]
VALUES = {"origin": "https://app.example", "host": "app.example",
          "port": "8080", "path": "/chat", "url": "wss://app.example/chat",
          "scheme": "wss", "subprotocol": "chat.v1", "address": "203.0.113.9",
          "user_agent": "ExampleClient/1.0",
          "expected": "https://app.example"}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
MODULES = ("mpm_event authz_core authz_host rewrite proxy proxy_http "
           "proxy_wstunnel proxy_balancer lbmethod_byrequests slotmem_shm "
           "headers ssl socache_shmcb proxy_connect alias env").split()
MODULE_DIR = "/usr/lib/apache2/modules"


def snippets(stack, *causes):
    """The filled snippets of one stack: a list of (cause, lines)."""
    told = subprocess.run([SESAME, "explain", stack, "--json"], check=True,
                          capture_output=True, text=True, timeout=20)
    found = []
    for cause in json.loads(told.stdout)["causes"]:
        for remedy in cause["remedies"]:
            if remedy["stack"] != stack or not remedy["snippet"]:
                continue
            if causes and cause["id"] not in causes:
                continue
            lines = re.sub(r"\{([a-z_]+)\}",
                           lambda m: VALUES.get(m[1], m[0]),
                           remedy["snippet"])
            found.append((cause["id"], lines))
    assert found
    return found


def check(command, cause, lines):
    env = dict(os.environ, PATH=PATH)
    done = subprocess.run(command, env=env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, f"{cause}:\n{lines}\n{done.stderr}"


def need(program):
    path = shutil.which(program, path=PATH)
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def test_nginx_takes_its_lines(tmp_path):
    program = need("nginx")
    for cause, lines in snippets(
            "nginx", "server.proxy-upgrade", "server.proxy-host",
            "server.proxy-proto", "access.ip", "net.idle-timeout",
            "access.origin", "url.path", "server.redirect", "browser.csp",
            "access.credentials", "server.no-websocket", "url.host"):
        http = ""
        if lines.startswith("map"):
            end = lines.index("\n}") + 2
            http, lines = lines[:end], lines[end:]
        lines = lines.replace("# in the location:", "")
        inside = lines.startswith(("location", "server_name"))
        body = lines if inside else f"location /here {{\n{lines}\n}}"
        conf = tmp_path / "nginx.conf"
        conf.write_text(f"pid {tmp_path}/pid; error_log stderr;\n"
                        f"events {{}}\nhttp {{\naccess_log off;\n{http}\n"
                        f"server {{\nlisten 127.0.0.1:9;\n{body}\n}}\n}}\n")
        check([program, "-t", "-p", tmp_path, "-c", conf], cause, lines)


def test_apache_takes_its_lines(tmp_path):
    program = need("apache2")
    load = "".join(f"LoadModule {m}_module {MODULE_DIR}/mod_{m}.so\n"
                   for m in MODULES)
    for cause, lines in snippets(
            "apache", "server.proxy-upgrade", "server.proxy-host",
            "server.proxy-proto", "access.ip", "access.origin",
            "access.user-agent", "net.idle-timeout", "server.redirect",
            "server.sticky-session", "tls.version", "browser.csp"):
        rule = "RewriteRule ^ - [F]\n" if "RewriteCond" in lines else ""
        conf = tmp_path / "apache.conf"
        conf.write_text(f"ServerRoot {tmp_path}\nPidFile {tmp_path}/pid\n"
                        f"ErrorLog {tmp_path}/log\nServerName localhost\n"
                        f"{load}Listen 127.0.0.1:9\n<VirtualHost *:9>\n"
                        f"RewriteEngine On\n{lines}\n{rule}</VirtualHost>\n")
        check([program, "-t", "-f", conf], cause, lines)


def test_haproxy_takes_its_lines(tmp_path):
    program = need("haproxy")
    front = ("access.origin", "access.ip", "access.rate",
             "server.proxy-proto", "server.redirect", "access.user-agent")
    back = ("server.proxy-upgrade", "server.sticky-session",
            "net.idle-timeout")
    for cause, lines in snippets("haproxy", *front, *back):
        conf = tmp_path / "haproxy.cfg"
        conf.write_text(
            "defaults\nmode http\ntimeout client 1s\ntimeout server 1s\n"
            "timeout connect 1s\nfrontend f\nbind 127.0.0.1:9\n"
            f"{lines if cause in front else ''}\ndefault_backend b\n"
            f"backend b\n{lines if cause in back else ''}\n")
        check([program, "-c", "-f", conf], cause, lines)


def test_caddy_takes_its_lines(tmp_path):
    program = need("caddy")
    for cause, lines in snippets("caddy", "access.origin", "access.ip",
                                 "server.proxy-upgrade", "server.proxy-host",
                                 "server.no-websocket"):
        conf = tmp_path / "Caddyfile"
        conf.write_text(f":9 {{\n{lines}\n}}\n")
        env = ["env", f"HOME={tmp_path}", f"XDG_DATA_HOME={tmp_path}",
               f"XDG_CONFIG_HOME={tmp_path}"]
        check([*env, program, "validate", "--adapter", "caddyfile",
               "--config", conf], cause, lines)


def test_our_own_gateway_takes_its_lines(tmp_path):
    for cause, lines in snippets("sesame"):
        if not lines.startswith(("routes:", "listen:")):
            continue
        if lines.startswith("listen:"):
            lines += "\nroutes:\n  - path: /chat\n    to: echo"
        conf = tmp_path / "sesame.yaml"
        conf.write_text(lines + "\n")
        check([SESAME, "check", conf], cause, lines)
