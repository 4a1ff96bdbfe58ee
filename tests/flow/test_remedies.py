# SPDX-License-Identifier: MIT
"""The lines that people are told to paste, read by the programs themselves.

Each snippet is put where it belongs in a configuration, by the hands of the
zoo (tests/zoo/lib/paste), and the real program checks the result. Nothing is
started.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "zoo/lib"))
import paste  # noqa: E402

SESAME = os.environ["SESAME"]
VALUES = {"origin": "https://app.example", "host": "app.example",
          "port": "8080", "path": "/chat", "url": "wss://app.example/chat",
          "scheme": "wss", "subprotocol": "chat.v1", "address": "203.0.113.9",
          "user_agent": "ExampleClient/1.0",
          "expected": "https://app.example", "host_port": "app.example:8080",
          "upstream": "127.0.0.1:3000", "slashed": "/chat/",
          "origin_host": "app.example", "bare_path": "chat", "http": "http",
          "user": "ann", "from": "ip 203.0.113.9"}
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
MODULES = ("mpm_event authz_core authz_host rewrite proxy proxy_http "
           "proxy_wstunnel proxy_balancer lbmethod_byrequests slotmem_shm authz_user "
           "headers ssl socache_shmcb proxy_connect alias env cache").split()
MODULE_DIR = "/usr/lib/apache2/modules"


def fill(snippet):
    lines = re.sub(r"\{([a-z_]+)\}", lambda m: VALUES.get(m[1], m[0]), snippet)
    return lines.replace("PROXY_ADDRESS", "10.0.0.9")


def snippets(stack):
    """What belongs into a file of one stack, filled: a list of (cause, lines)."""
    told = subprocess.run([SESAME, "explain", stack, "--json"], check=True,
                          capture_output=True, text=True, timeout=20)
    found = []
    for cause in json.loads(told.stdout)["causes"]:
        for remedy in cause["remedies"]:
            if remedy["stack"] != stack or not remedy["snippet"]:
                continue
            if remedy["who"] == "client" or "the shell" in (remedy["where"] or ""):
                continue
            found.append((cause["id"], fill(remedy["snippet"])))
    assert found
    return found


def check(command, cause, lines):
    env = dict(os.environ, PATH=PATH)
    done = subprocess.run(command, env=env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, f"{cause}:\n{lines}\n{done.stderr}"


# What Debian's versions do not know yet, or only with another module.
NEWER = ("trusted_proxies static", "modsecurity_rules")
# Files that are the reader's own.
OWN_FILES = ("ssl_certificate", "SSLCertificate", "RULE_ID")


def is_readable(lines):
    return not any(word in lines for word in NEWER + OWN_FILES)


def need(program):
    path = shutil.which(program, path=PATH)
    if not path:
        pytest.skip(f"{program} is not installed")
    return path


def pasted(stack, text, lines):
    """The lines where they belong in a configuration that has a place for all."""
    request = paste.Request("app.example", 8080, "/chat", "127.0.0.1:3000")
    return paste.paste(stack, text, lines, request)


NGINX = """
pid {tmp}/pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  limit_req_zone $binary_remote_addr zone=r:1m rate=1r/s;
  limit_conn_zone $binary_remote_addr zone=c:1m;
  map $http_origin $origin_ok {{ default 0; "https://other.example" 1; }}
  map $http_user_agent $agent_ok {{ default 1; "~curl" 0; }}
  upstream app {{ server 10.0.0.1:3000; }}
  server {{
    listen 127.0.0.1:8080 http2; server_name app.example; client_max_body_size 1m;
    if ($origin_ok = 0) {{ return 403; }}
    location / {{
      if ($agent_ok = 0) {{ return 403; }}
      allow 10.0.0.0/8; deny all; limit_req zone=r; limit_conn c 1;
      proxy_pass http://app; proxy_set_header Sec-WebSocket-Protocol "";
      proxy_set_header Sec-WebSocket-Version 8;
      proxy_hide_header Sec-WebSocket-Accept;
    }}
  }}
}}
"""


def test_nginx_takes_its_lines(tmp_path):
    program = need("nginx")
    for cause, lines in snippets("nginx"):
        conf = tmp_path / "nginx.conf"
        conf.write_text(pasted("nginx", NGINX.format(tmp=tmp_path), lines))
        if is_readable(lines):
            check([program, "-t", "-p", tmp_path, "-c", conf], cause, lines)


APACHE = """
ServerRoot {tmp}
PidFile {tmp}/pid
ErrorLog {tmp}/log
ServerName localhost
{load}
Listen 127.0.0.1:8080
<VirtualHost *:8080>
ServerName app.example
RewriteEngine On
RewriteCond %{{HTTP:Origin}} !=https://other.example
RewriteRule ^ - [F]
RequestHeader unset Sec-WebSocket-Protocol
RequestHeader set Sec-WebSocket-Version 8
Header unset Sec-WebSocket-Accept
ProxyPass / http://127.0.0.1:3000/
AllowCONNECT 443
<Location "/chat">
  Require ip 10.0.0.0/8
</Location>
</VirtualHost>
"""


def test_apache_takes_its_lines(tmp_path):
    program = need("apache2")
    load = "\n".join(f"LoadModule {m}_module {MODULE_DIR}/mod_{m}.so"
                     for m in MODULES)
    for cause, lines in snippets("apache"):
        conf = tmp_path / "apache.conf"
        text = APACHE.format(tmp=tmp_path, load=load)
        conf.write_text(pasted("apache", text, lines))
        if is_readable(lines):
            check([program, "-t", "-f", conf], cause, lines)


HAPROXY = """
global
  maxconn 100
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend f
  bind 127.0.0.1:8080
  http-request del-header Upgrade
  http-request del-header Sec-WebSocket-Protocol
  http-request set-header Sec-WebSocket-Version 8
  http-response del-header Sec-WebSocket-Accept
  http-request set-header Host app.internal
  stick-table type ipv6 size 1k expire 1m store http_req_rate(1m)
  default_backend b
backend b
  server s 127.0.0.1:3000
"""


def test_haproxy_takes_its_lines(tmp_path):
    program = need("haproxy")
    for cause, lines in snippets("haproxy"):
        conf = tmp_path / "haproxy.cfg"
        conf.write_text(pasted("haproxy", HAPROXY, lines))
        check([program, "-c", "-f", conf], cause, lines)


CADDY = """
http://other.example:8080 {
  request_header Host app.internal
  request_header -Upgrade
  @page not path /chat
  redir @page https://other.example
  basicauth {
    ann JDJhJDE0JHBSV0hVNGxMQnVFZ3dhRDVjYzlVTi5UT0VRLkFvVC5pLzNUUVR2WHA3MHhUa0xJemNZLk5H
  }
  tls internal
  reverse_proxy 127.0.0.1:3000 {
    header_up -Sec-WebSocket-Protocol
    header_up -Sec-WebSocket-Version
    unhealthy_request_count 5
    header_down -Sec-WebSocket-Accept
    transport http {
      read_timeout 5s
      versions 1.1 2
    }
  }
}
"""


def test_caddy_takes_its_lines(tmp_path):
    program = need("caddy")
    for cause, lines in snippets("caddy"):
        conf = tmp_path / "Caddyfile"
        if not is_readable(lines):
            continue
        text = CADDY
        if "tls ..." in lines:
            text = text.replace("http://other", "https://other")
        else:
            text = text.replace("tls internal", "")
        conf.write_text(pasted("caddy", text, lines))
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


# Where no program's text goes: other files, and what is typed or sent.
NO_PROGRAM = ("shell", "command line", "environment", ".toml", ".conf", ".ini",
              "URL", "Origin", "Authorization", "Cookie", "query",
              "Sec-WebSocket-Protocol", "option ws", "node option")


def programs(*stacks):
    """What belongs into a program of these stacks: (stack, cause, lines)."""
    for stack in stacks:
        told = subprocess.run([SESAME, "explain", stack, "--json"], check=True,
                              capture_output=True, text=True, timeout=20)
        for cause in json.loads(told.stdout)["causes"]:
            for remedy in cause["remedies"]:
                where = remedy["where"] or ""
                if remedy["stack"] != stack or not remedy["snippet"] or any(
                        word in where for word in NO_PROGRAM):
                    continue
                yield stack, cause["id"], fill(remedy["snippet"])


def reads(command, forms):
    """Is one of these forms a program, for this reader of standard input?"""
    return any(subprocess.run(command, input=text, capture_output=True,
                              text=True, timeout=20, check=False).returncode == 0
               for text in forms)


JAVASCRIPT = ("node-ws", "socket.io", "express", "node-http-proxy", "vite",
              "webpack-dev-server", "nextjs")
PYTHON = ("fastapi", "tornado", "jupyter", "aiohttp", "python-websockets",
          "python-engineio", "daphne", "django", "werkzeug", "autobahn")
RUBY = ("actioncable", "rails")
GO = ("gorilla", "coder-websocket", "x-net-websocket")


def test_node_reads_the_javascript():
    node = need("node")
    for stack, cause, lines in programs(*JAVASCRIPT):
        forms = [f"async () => {{\n{lines}\n}}", f"({{\n{lines}\n}})"]
        assert reads([node, "--check", "-"], forms), f"{stack} {cause}:\n{lines}"


def test_python_reads_the_python():
    for stack, cause, lines in programs(*PYTHON):
        inside = lines.replace("\n", "\n    ")
        forms = [lines, f"async def f():\n    {inside}", f"x = {{{lines}}}",
                 f"{lines}\n    pass"]
        reader = [sys.executable, "-c", "import ast, sys; ast.parse(sys.stdin.read())"]
        assert reads(reader, forms), f"{stack} {cause}:\n{lines}"


def test_ruby_reads_the_ruby():
    ruby = need("ruby")
    for stack, cause, lines in programs(*RUBY):
        assert reads([ruby, "-c"], [lines]), f"{stack} {cause}:\n{lines}"


def test_go_reads_the_go():
    gofmt = need("gofmt")
    for stack, cause, lines in programs(*GO):
        forms = [f"package p\nfunc f() {{\n{lines}\n}}\n",
                 f"package p\nvar x = {lines}\n"]
        assert reads([gofmt, "-e"], forms), f"{stack} {cause}:\n{lines}"


def request(port=8080, path="/chat"):
    return paste.Request("app.example", port, path, "127.0.0.1:9000")


INNER = {
    "nginx": ("http { server { listen 127.0.0.1:9001; location / { proxy_pass http://app; } } }",
              "proxy_http_version 1.1;"),
    "haproxy": ("frontend f\n  bind 127.0.0.1:9001\n  default_backend b\nbackend b\n  server s 10.0.0.1:3000\n",
                "http-request allow if { src 127.0.0.1 }"),
    "caddy": ("http://:9001 {\n  reverse_proxy 10.0.0.1:3000\n}\n", "handle /chat {\n}"),
    "apache": ("Listen 127.0.0.1:9001\nProxyPass / http://10.0.0.1:3000/\n", "ProxyPreserveHost On"),
}


@pytest.mark.parametrize("stack", INNER)
def test_a_server_behind_another_takes_the_lines_if_it_is_the_only_one(stack):
    text, lines = INNER[stack]
    assert paste.answers_at(stack, text, 9001)
    assert not paste.answers_at(stack, text, 8080)
    assert lines.split()[-1].strip("};") in paste.paste(stack, text, lines, request())
    if stack != "apache":  # which has a server besides its virtual hosts
        two = text[:-2] + text[7:] if stack == "nginx" else text + text.replace("9001", "9002")
        with pytest.raises(paste.NoPlace):
            paste.paste(stack, two, lines, request())


def test_a_location_that_passes_the_path_on_gets_what_its_line_lacks():
    text = "<Location />\nProxyPass http://127.0.0.1:9000/\n</Location>\n"
    for lines in ('ProxyPass "/chat" "http://127.0.0.1:3000/chat" upgrade=websocket',
                  'ProxyPass "/chat" ... upgrade=websocket'):
        assert "ProxyPass http://127.0.0.1:9000/ upgrade=websocket" in paste.paste(
            "apache", text, lines, request())


def test_names_of_fields_go_whichever_way_they_are_written():
    text = "RequestHeader unset upgrade early\nProxyPass / http://127.0.0.1:9000/\n"
    done = paste.paste("apache", text, "# remove: RequestHeader unset Upgrade ...", request())
    assert done == "ProxyPass / http://127.0.0.1:9000/\n"


def test_haproxy_looks_at_the_first_rule_that_fits():
    text = ("frontend f\n  bind :8080\n  tcp-request connection reject unless { src 10.0.0.0/8 }\n"
            "  use_backend pages if { path_beg / }\n  default_backend pages\n")
    done = paste.paste("haproxy", text, "tcp-request connection accept if { src 127.0.0.1 }\n"
                       "use_backend websocket if { path /chat }\nbackend websocket\n"
                       "  server app 127.0.0.1:3000", request())
    assert done.index("accept") < done.index("reject")
    assert done.index("use_backend websocket") < done.index("use_backend pages")
    assert "server app 127.0.0.1:9000" in done


def test_apache_has_one_line_that_is_enough_and_none_that_excludes():
    lines = "Require ip 203.0.113.9\n# remove: Require not ip 203.0.113.9"
    done = paste.paste("apache", "<Location />\n<RequireAll>\nRequire all granted\n"
                       "Require not ip 203.0.113.9\n</RequireAll>\n</Location>\n", lines, request())
    assert "not ip" not in done and "Require ip" not in done  # which all would have to be
    done = paste.paste("apache", "<Location />\n<RequireAny>\nRequire ip 10.0.0.1\n"
                       "</RequireAny>\n</Location>\n", lines, request())
    assert done.index("Require ip 203.0.113.9") < done.index("</RequireAny")


def test_an_exemption_goes_where_the_rule_is():
    text = ("frontend f\n  bind :8080\n  default_backend b\n"
            "backend b\n  http-request deny if { src 10.0.0.0/8 }\n  server s 127.0.0.1:9000\n")
    done = paste.paste("haproxy", text, "http-request allow if { src 10.0.0.1 }", request())
    assert done.index("backend b\n") < done.rindex("allow") < done.index("deny")


def test_caddy_looks_into_the_handle_that_has_the_path():
    text = ("http://:8080 {\n  handle /chat* {\n    respond 403\n  }\n"
            "  handle /other {\n    respond 404\n  }\n}\n")
    done = paste.paste("caddy", text, "@ws {\n\tpath /chat\n}\nhandle @ws {\n\treverse_proxy 127.0.0.1:3000\n}\n"
                       "http://:8080 {\n\trespond 200\n}", request())
    assert done.index("handle /chat*") < done.index("handle @ws") < done.index("respond 403")
    assert done.count("http://:8080") == 1


def test_nginx_may_listen_twice():
    text = "http { server { listen 127.0.0.1:8080; location / { return 404; } } }"
    done = paste.paste("nginx", text, "listen 8080;\nlisten [::]:8080;", request())
    assert done.count("listen ") == 3


def test_words_go_out_of_the_lines_that_serve_the_path():
    text = ("http { upstream app { server 127.0.0.1:9000 max_conns=1 weight=2; }\n"
            "upstream other { server 127.0.0.1:9001 max_conns=1; }\n"
            "server { listen 127.0.0.1:8080; location / { proxy_pass http://app; } } }")
    done = paste.paste("nginx", text, "# take out of server: max_conns=...", request())
    assert "server 127.0.0.1:9000 weight=2;" in done
    assert "server 127.0.0.1:9001 max_conns=1;" in done
    text = ("frontend f\n  bind :8080 ssl alpn h2 proto h2\n  bind :8081 ssl proto h2\n  default_backend b\n"
            "backend b\n  server s 127.0.0.1:9000\n")
    done = paste.paste("haproxy", text, "# take out of bind: proto h2\nbind ... alpn h2,http/1.1", request())
    assert "bind :8080 ssl alpn h2,http/1.1\n" in done
    assert "bind :8081 ssl proto h2\n" in done


def test_a_limit_of_the_process_is_raised_where_it_stands():
    text = ("global\n  maxconn 1\nfrontend f\n  bind :8080\n  default_backend b\n"
            "backend b\n  server s 127.0.0.1:9000\n")
    done = paste.paste("haproxy", text, "maxconn ... 4000", request())
    assert "maxconn 4000" in done and done.count("maxconn") == 1


def test_apache_has_aliases_in_virtual_hosts_alone():
    lines = "ServerAlias a.example\nRequire expr \"%{HTTP_HOST} == 'a.example'\""
    done = paste.paste("apache", "<Location />\nRequire local\n</Location>\n", lines, request())
    assert "ServerAlias" not in done and "Require expr" in done


def test_caddy_has_a_line_more_in_the_matcher_that_refuses():
    text = ("http://:8080 {\n  @foreign expression `{header.Origin} != ''`\n  @other path /x\n"
            "  redir @foreign / 302\n  reverse_proxy 127.0.0.1:9000\n}\n")
    done = paste.paste("caddy", text, "# into the matcher of redir: not remote_ip 127.0.0.1", request())
    words = done.split()
    assert words[words.index("@foreign"):][:2] == ["@foreign", "{"]
    assert words.index("expression") < words.index("not") < words.index("@other")
    assert "@other path /x" in done
