# SPDX-License-Identifier: MIT
"""Constructs of the four languages, one small configuration for each: a knock at
the real server says whether a WebSocket opens, and lint, which is told the
request, must not contradict. Of those that it understands it also has to see
when they keep the door shut; the others it may leave alone (docs/lint.md has the
list), but it must not be sure of anything that is not so."""
import os
import shutil
import signal
import socket

import pytest

from test_lint import HEAD, findings, free_port, knock, quiet, websockets
from test_lint import nginx as run_nginx
# The fixture; pytest finds it by name.
from test_lint import make_servers  # noqa: F401  pylint: disable=unused-import
from test_lint_servers import APACHE_HEAD, CADDY_HEAD, HAPROXY_HEAD, PATH, Running

NGINX = shutil.which("nginx", path=PATH)
ORIGIN, AGENT = "https://shop.example", "Mozilla/5.0 (X11) Chrome/131.0"
# What shuts no door, or only to some.
OPEN_DOORS = {"short-timeout", "host-replaced", "host-without-port", "scheme-lost", "cannot-read",
              "header-limit", "rate-rule", "module-missing", "unused", "shadowed", "plain-vhost-only"}

PASS = ("proxy_pass http://127.0.0.1:@APP@; proxy_http_version 1.1;"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;")
FIELDS = ("proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
          " proxy_set_header Connection upgrade;")
DOWN = "proxy_pass http://127.0.0.1:@DEAD@;"


def server(*lines):
    return "server { listen 127.0.0.1:@PORT@;\n%s\n}" % "\n".join(lines)


UNDERSTOOD_NGINX = {
    "prefix": server("location /ws { %s }" % PASS),
    "exact": server("location = /ws { %s }" % PASS, "location / { return 404; }"),
    "exact, not": server("location = /w { %s }" % PASS, "location / { return 404; }"),
    "slash": server("location /ws/ { %s }" % PASS),
    "slash, redirected": server("location /ws/ { proxy_pass http://127.0.0.1:@APP@; }",
                                "location / { return 404; }"),
    "strong prefix": server("location ^~ /w { %s }" % PASS, "location ~ ws { return 403; }"),
    "expression first": server("location /ws { %s }" % PASS, "location ~ ws$ { return 403; }"),
    "expression without case": server("location ~* ^/WS$ { %s }" % PASS),
    "named group": server("location ~ ^/(?<app>[a-z]+)$ { %s }" % PASS),
    "group in proxy_pass": server(
        "location ~ ^/(w.)$ { %s proxy_pass http://127.0.0.1:@APP@/x/$1; }" % FIELDS),
    "nested": server("location / { location /ws { %s } return 404; }" % PASS),
    "nested, fields around": server(
        "location / { %s location /ws { proxy_pass http://127.0.0.1:@APP@; } }" % FIELDS),
    "nested, fields cancelled": server(
        "location / { %s location /ws { proxy_set_header Host x;"
        " proxy_pass http://127.0.0.1:@APP@; } }" % FIELDS),
    "fields of http": FIELDS + server("location / { proxy_pass http://127.0.0.1:@APP@; }"),
    "fields of http cancelled": FIELDS + server(
        "proxy_set_header Host $http_host;", "location / { proxy_pass http://127.0.0.1:@APP@; }"),
    "quotes": server("location '/ws' { proxy_pass 'http://127.0.0.1:@APP@'; proxy_http_version \"1.1\";"
                     " proxy_set_header 'Upgrade' \"${http_upgrade}\";"
                     " proxy_set_header Connection 'up''grade'; }".replace("'up''grade'", "'upgrade'")),
    "value of the client": server(
        "location / { proxy_pass http://127.0.0.1:@APP@; proxy_http_version 1.1;"
        " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }"),
    "map": "map $http_upgrade $up { default upgrade; '' close; }" + server(
        "location / { %s }" % PASS.replace("Connection upgrade", "Connection $up")),
    "map without default": "map $http_upgrade $up { websocket upgrade; }" + server(
        "location / { %s }" % PASS.replace("Connection upgrade", "Connection $up")),
    "map that misses": "map $http_upgrade $up { WebSockets upgrade; default close; }" + server(
        "location / { %s }" % PASS.replace("Connection upgrade", "Connection $up")),
    "map of expressions": "map $http_upgrade $up { ~*^web upgrade; default ''; }" + server(
        "location / { %s }" % PASS.replace("Connection upgrade", "Connection $up")),
    "map of maps": "map $http_upgrade $a { websocket 1; } map $a $up { 1 upgrade; default close; }" +
                   server("location / { %s }" % PASS.replace("Connection upgrade", "Connection $up")),
    "map of the path": "map $uri $to { ~^/ws 127.0.0.1:@APP@; default 127.0.0.1:@DEAD@; }" + server(
        "location / { %s proxy_pass http://$to; }" % FIELDS),
    "map of the Origin": "map $http_origin $bad { default 1; https://shop.example 0; }" + server(
        "if ($bad) { return 403; }", "location / { %s }" % PASS),
    "map of the Origin refuses": "map $http_origin $bad { default 1; https://x.example 0; }" + server(
        "if ($bad) { return 403; }", "location / { %s }" % PASS),
    "set": server("set $app 127.0.0.1:@APP@;", "location / { %s proxy_pass http://$app; }" % FIELDS),
    "set in if": server("set $no 0;", "if ($http_upgrade = websocket) { set $no 1; }",
                        "if ($no) { return 403; }", "location / { %s }" % PASS),
    "if of Upgrade": server("location / { if ($http_upgrade = '') { return 426; } %s }" % PASS),
    "if of the method": server("if ($request_method !~ ^(GET|HEAD)$) { return 405; }",
                               "location / { %s }" % PASS),
    "if of the agent": server("location / { if ($http_user_agent ~* chrome) { return 403; } %s }" % PASS),
    "if of the scheme": server("if ($scheme = http) { return 301 https://$host$request_uri; }",
                               "location / { %s }" % PASS),
    "if that proxies": server("location / { %s if ($http_upgrade) {"
                              " proxy_pass http://127.0.0.1:@APP@; } %s }" % (FIELDS, DOWN)),
    "418": server("error_page 418 = @ws;", "location / { if ($http_upgrade) { return 418; } return 404; }",
                  "location @ws { %s }" % PASS),
    "try_files": server("location / { root /nonexistent; try_files $uri @app; }", "location @app { %s }" % PASS),
    "try_files without fields": server("location / { root /nonexistent; try_files $uri @app; }",
                                       "location @app { proxy_pass http://127.0.0.1:@APP@; }"),
    "server return": server("return 404;", "location / { %s }" % PASS),
    "rewrite to elsewhere": server("rewrite ^/w(.*)$ https://other.example/w$1 permanent;",
                                   "location / { %s }" % PASS),
    "rewrite last": server("location /ws { rewrite ^/ws(.*)$ /live$1 last; }",
                           "location /live { %s }" % PASS, "location / { return 404; }"),
    "rewrite break": server("location / { rewrite ^/ws(.*)$ /live$1 break; %s }" % PASS),
    "auth_request lets in": server("location = /a { internal; return 204; }",
                                   "location / { auth_request /a; %s }" % PASS),
    "auth_request refuses": server("location = /a { internal; return 403; }",
                                   "location / { auth_request /a; %s }" % PASS),
    "auth_request by the Origin": server(
        "location = /a { internal; if ($http_origin ~ shop) { return 401; } return 204; }",
        "auth_request /a;", "location / { %s }" % PASS),
    "two servers": "server { listen 127.0.0.1:@PORT@; server_name x.example; return 403; }" +
                   "server { listen 127.0.0.1:@PORT@; server_name 127.0.0.1; location / { %s } }" % PASS,
    "default server": "server { listen 127.0.0.1:@PORT@; server_name x; location / { %s } }" % PASS +
                      "server { listen 127.0.0.1:@PORT@ default_server; server_name y; return 403; }",
    "server of an expression": "server { listen 127.0.0.1:@PORT@; server_name ~^10\\.; return 403; }" +
                               "server { listen 127.0.0.1:@PORT@; server_name ~^127\\.; location / { %s } }" % PASS,
    "satisfy any": server("location / { satisfy any; allow 127.0.0.1; deny all; auth_basic x;"
                          " auth_basic_user_file /dev/null; %s }" % PASS),
    "deny": server("location / { deny all; %s }" % PASS),
    "allow": server("location / { allow 127.0.0.0/8; deny all; %s }" % PASS),
    "limit_except": server("location / { %s limit_except GET { deny all; } }" % PASS),
    "http2 without TLS": server("location / { %s }" % PASS).replace("@PORT@;", "@PORT@ http2;"),
    "files": server("root /nonexistent;", "location /api { %s }" % PASS),
    "slash at the end": server("location /ws { %s proxy_pass http://127.0.0.1:@APP@/; }" % FIELDS),
    "field given twice": server("location / { proxy_pass http://127.0.0.1:@APP@; proxy_http_version 1.1;"
                                " proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
                                " proxy_set_header Connection ''; }"),
    "merged slashes": server("location = /ws { %s }" % PASS, "location / { return 404; }"),
}
LEFT_ALONE_NGINX = {
    "geo": "geo $far { default 1; 127.0.0.0/8 0; }" + server("if ($far) { return 403; }",
                                                               "location / { %s }" % PASS),
    "geo refuses": "geo $near { default 0; 127.0.0.0/8 1; }" + server(
        "if ($near) { return 403; }", "location / { %s }" % PASS),
    "split_clients": "split_clients $remote_addr $part { 50% a; * b; }" + server(
        "if ($part = c) { return 403; }", "location / { %s }" % PASS),
    "if of a file": server("if (-f /nonexistent) { return 403; }", "location / { %s }" % PASS),
    "if of no file": server("if (!-e /nonexistent) { return 403; }", "location / { %s }" % PASS),
    "cookie": server("if ($cookie_session = '') { return 401; }", "location / { %s }" % PASS),
    "no cookie": server("if ($cookie_session) { return 401; }", "location / { %s }" % PASS),
    "argument": server("if ($arg_token = '') { return 401; }", "location / { %s }" % PASS),
    "address": server("if ($remote_addr ~ ^127) { return 403; }", "location / { %s }" % PASS),
    "another address": server("if ($remote_addr ~ ^10) { return 403; }", "location / { %s }" % PASS),
    "map of an address": "map $remote_addr $bad { ~^127 1; default 0; }" + server(
        "if ($bad) { return 403; }", "location / { %s }" % PASS),
    "look-ahead": server("location ~ ^/(?!ws) { return 403; }", "location / { %s }" % PASS),
    "look-ahead that takes it": server("location ~ ^/(?=ws) { return 403; }", "location / { %s }" % PASS),
    "group in a rewrite": server("location /ws { rewrite ^/(.)s$ /$1x last; }", "location /wx { %s }" % PASS,
                                 "location / { return 404; }"),
    "error_page of a path": server("error_page 403 = /live;", "location /ws { deny all; }",
                                   "location /live { %s }" % PASS),
    "error_page of a refusal": server("error_page 401 403 = @ws;",
                                      "location /ws { deny all; }", "location @ws { %s }" % PASS),
    "try_files of a path": server("location /ws { root /nonexistent; try_files $uri /live; }",
                                  "location /live { %s }" % PASS),
    "backend behind a variable": "map $arg_x $to { default 127.0.0.1:@APP@; y 127.0.0.1:@DEAD@; }" + server(
        "location / { %s proxy_pass http://$to; }" % FIELDS),
}

WS = "ProxyPass /ws ws://127.0.0.1:@APP@/ws"
HTTP = "ProxyPass / http://127.0.0.1:@APP@/"
TO_WS = "RewriteRule ^/?(.*) ws://127.0.0.1:@APP@/$1 [P,L]"
ON = "RewriteEngine On"
IS_WS = "RewriteCond %{HTTP:Upgrade} websocket [NC]"
UNDERSTOOD_APACHE = {
    "ws": [WS], "http": [HTTP], "upgrade": [HTTP + " upgrade=websocket"], "upgrade=ANY": [HTTP + " upgrade=ANY"],
    "first": [WS, HTTP], "last": [HTTP, WS], "excluded": ["ProxyPass /ws !", "ProxyPass / ws://127.0.0.1:@APP@/"],
    "match": ["ProxyPassMatch ^/(w.)$ ws://127.0.0.1:@APP@/$1"],
    "match, not": ["ProxyPassMatch ^/(v.)$ ws://127.0.0.1:@APP@/$1"],
    "section": ["<Location /ws>", "ProxyPass ws://127.0.0.1:@APP@/ws", "</Location>", HTTP],
    "section of an expression": ["<LocationMatch \"^/(w|v)s$\">", "ProxyPassMatch ws://127.0.0.1:@APP@/$1",
                                 "</LocationMatch>"],
    "section with a tilde": ["<Location ~ \"^/ws$\">", "ProxyPassMatch ws://127.0.0.1:@APP@/", "</Location>"],
    "last section": ["<Location /ws>", "ProxyPass ws://127.0.0.1:@APP@/ws", "</Location>",
                     "<Location />", "ProxyPass http://127.0.0.1:@APP@/", "</Location>"],
    "rewrite": [ON, IS_WS, TO_WS, HTTP], "engine off": [IS_WS, TO_WS, HTTP],
    "rewrite by path": [ON, "RewriteRule ^/ws$ ws://127.0.0.1:@APP@/ [P]", HTTP],
    "rewrite by another path": [ON, "RewriteRule ^/live ws://127.0.0.1:@APP@/ [P]", HTTP],
    "condition of the path": [ON, "RewriteCond %{REQUEST_URI} ^/ws", IS_WS, TO_WS, HTTP],
    "condition of another path": [ON, "RewriteCond %{REQUEST_URI} ^/live", IS_WS, TO_WS, HTTP],
    "one of two conditions": [ON, "RewriteCond %{REQUEST_URI} ^/live [OR]", IS_WS, TO_WS, HTTP],
    "equal": [ON, "RewriteCond %{HTTP:Upgrade} =websocket", TO_WS, HTTP],
    "equal, with its case": [ON, "RewriteCond %{HTTP:Upgrade} =WebSocket", TO_WS, HTTP],
    "not": [ON, "RewriteCond %{HTTP:Upgrade} !websocket [NC]", "RewriteRule ^ - [F]", WS],
    "not the other way": [ON, "RewriteCond %{HTTP:Upgrade} !=websocket [NC]",
                          "RewriteRule /(.*) http://127.0.0.1:@DEAD@/$1 [P,L]", TO_WS],
    "Connection": [ON, "RewriteCond %{HTTP:Connection} ^Upgrade$ [NC]", TO_WS, HTTP],
    "no such variable": [ON, "RewriteCond %{HTTP_UPGRADE} websocket [NC]", TO_WS, HTTP],
    "forbidden": [ON, "RewriteRule ^/ws - [F]", WS], "gone": [ON, "RewriteRule ^/ws - [G]", WS],
    "redirected": [ON, "RewriteRule ^/ws /live [R]", WS], "last rule": [ON, "RewriteRule ^ - [L]", TO_WS, HTTP],
    "ended": [ON, "RewriteRule ^ - [END]", TO_WS, HTTP],
    "Redirect": ["Redirect /ws /live"], "Redirect and ProxyPass": ["Redirect /ws /live", WS],
    "redirect in a section": [WS, "<Location /ws>", "Redirect /ws /live", "</Location>"],
    "module not there": ["<IfModule mod_nothing.c>", WS, "</IfModule>", HTTP],
    "module there": ["<IfModule mod_proxy_http.c>", WS, "</IfModule>"],
    "negated module": ["<IfModule !mod_nothing.c>", WS, "</IfModule>"],
    "defined": ["Define HERE", "<IfDefine HERE>", WS, "</IfDefine>"],
    "not defined": ["<IfDefine THERE>", WS, "</IfDefine>"],
    "variable": ["Define TO ws://127.0.0.1:@APP@", "ProxyPass /ws ${TO}/ws"],
    "continued": ["ProxyPass \\", "  /ws \\", "  ws://127.0.0.1:@APP@/ws"],
    "virtual host by name": [
        "<VirtualHost *:@PORT@>", "ServerName x.example", HTTP, "</VirtualHost>",
        "<VirtualHost *:@PORT@>", "ServerName 127.0.0.1", WS, "</VirtualHost>"],
    "first virtual host": [
        "<VirtualHost *:@PORT@>", "ServerName x.example", "ProxyPass / http://127.0.0.1:@DEAD@/", "</VirtualHost>",
        "<VirtualHost *:@PORT@>", "ServerName y.example", WS, "</VirtualHost>"],
    "virtual host of an address": [
        "<VirtualHost *:@PORT@>", "ProxyPass / http://127.0.0.1:@DEAD@/", "</VirtualHost>",
        "<VirtualHost 127.0.0.1:@PORT@>", WS, "</VirtualHost>"],
    "main server": [WS, "<VirtualHost *:1>", "</VirtualHost>"],
    "unset Upgrade": ["RequestHeader unset Upgrade", WS], "unset Connection": ["RequestHeader unset Connection", WS],
    "unset in another section": ["<Location /x>", "RequestHeader unset Upgrade", "</Location>", WS],
    "denied": [WS, "<Location /ws>", "Require all denied", "</Location>"],
    "granted within denied": [WS, "<Location />", "Require all denied", "</Location>",
                              "<Location /ws>", "Require all granted", "</Location>"],
    "Origin": [WS, "<Location /ws>", "Require expr \"%{HTTP:Origin} == 'https://x.example'\"", "</Location>"],
    "environment": ["SetEnvIf Origin ^https://shop\\.example$ mine", WS, "<Location /ws>", "Require env mine",
                    "</Location>"],
    "balancer": ["<Proxy balancer://b>", "BalancerMember http://127.0.0.1:@APP@", "</Proxy>",
                 "ProxyPass / balancer://b/"],
    "balancer of ws": ["<Proxy balancer://b>", "BalancerMember ws://127.0.0.1:@APP@", "</Proxy>",
                       "ProxyPass / balancer://b/"],
}
LEFT_ALONE_APACHE = {
    "query": [ON, "RewriteCond %{REQUEST_URI} ^/ws", "RewriteCond %{QUERY_STRING} transport=websocket [NC]",
              "RewriteRule /(.*) ws://127.0.0.1:@APP@/$1 [P,L]", HTTP],
    "no query": [ON, "RewriteCond %{QUERY_STRING} ^$", TO_WS, HTTP],
    "If": [WS, "<If \"%{HTTP:Upgrade} == 'websocket'\">", "Require all denied", "</If>"],
    "If, not": [WS, "<If \"%{HTTP:Upgrade} != 'websocket'\">", "Require all denied", "</If>"],
    "Else": [WS, "<If \"%{HTTP:Upgrade} == 'websocket'\">", "Require all granted", "</If>", "<Else>",
             "Require all denied", "</Else>"],
    "environment of a rule": [ON, IS_WS, "RewriteRule ^ - [E=ws:1]", "RewriteCond %{ENV:ws} =1", TO_WS, HTTP],
    "skipped": [ON, IS_WS, "RewriteRule ^ - [S=1]", "RewriteRule ^ - [F]", WS],
    "chained": [ON, "RewriteRule ^/nothing - [C]", "RewriteRule ^ - [F]", WS],
    "condition of an address": [ON, "RewriteCond %{REMOTE_ADDR} ^10\\.", "RewriteRule ^ - [F]", WS],
    "condition of a cookie": [ON, "RewriteCond %{HTTP_COOKIE} !session", "RewriteRule ^ - [F]", WS],
    "condition of a file": [ON, "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f", TO_WS, HTTP],
    "condition of time": [ON, "RewriteCond %{TIME_HOUR} >30", "RewriteRule ^ - [F]", WS],
    "rewritten path": [ON, "RewriteRule ^/ws$ /live [PT]", "ProxyPass /live ws://127.0.0.1:@APP@/"],
    "expression": [ON, "RewriteCond expr \"%{HTTP:Upgrade} == 'websocket'\"", TO_WS, HTTP],
    "unset by expression": ["RequestHeader unset Upgrade \"expr=%{HTTP:Origin} == 'https://x'\"", WS],
    "edited": ["RequestHeader edit Upgrade websocket websocket", WS],
    "Proxy section": [WS, "<Proxy *>", "Require all denied", "</Proxy>"],
    "by address": [WS, "<Location /ws>", "Require ip 127.0.0.0/8", "</Location>"],
    "by another address": [WS, "<Location /ws>", "Require ip 10.0.0.0/8", "</Location>"],
    "no-proxy": ["SetEnvIf Upgrade websocket no-proxy", WS],
}

APP = ["backend app", "  server a 127.0.0.1:@APP@"]
DEAD = ["backend dead", "  server a 127.0.0.1:@DEAD@"]
TO_APP = ["  default_backend app"] + APP
UNDERSTOOD_HAPROXY = {
    "default": TO_APP, "nothing": ["  option forwardfor"] + APP,
    "acl": ["  acl ws hdr(Upgrade) -i websocket", "  use_backend app if ws", "  default_backend dead"] + APP + DEAD,
    "acl with case": ["  acl ws hdr(Upgrade) WebSocket", "  use_backend app if ws", "  default_backend dead"] + APP +
                     DEAD,
    "acl in braces": ["  use_backend app if { path_beg /ws }", "  default_backend dead"] + APP + DEAD,
    "acl of both": ["  acl ws hdr(Upgrade) -i websocket", "  acl ws path /nothing", "  use_backend app if ws"] + APP,
    "and": ["  use_backend app if { path /ws } { hdr(Upgrade) -i websocket }"] + APP,
    "and, not": ["  use_backend app if { path /ws } !{ hdr(Upgrade) -i websocket }"] + APP,
    "or": ["  use_backend app if { path /live } or { path /ws }"] + APP,
    "unless": ["  use_backend app unless { path_beg /ws }"] + APP,
    "order": ["  use_backend dead if { path_beg / }", "  use_backend app if { path /ws }"] + APP + DEAD,
    "sub": ["  use_backend app if { hdr_sub(Connection) -i upgrade }"] + APP,
    "expression": ["  use_backend app if { path_reg ^/w[s]$ }"] + APP,
    "end": ["  use_backend app if { path_end s }"] + APP,
    "found": ["  use_backend app if { req.hdr(Sec-WebSocket-Key) -m found }"] + APP,
    "converter": ["  use_backend app if { req.hdr(Upgrade),lower -m str websocket }"] + APP,
    "host": ["  use_backend app if { hdr(host) -m beg 127.0.0.1 }"] + APP,
    "method": ["  http-request deny unless METH_GET"] + TO_APP,
    "denied": ["  http-request deny if { path /ws }"] + TO_APP,
    "allowed first": ["  http-request allow if { path /ws }", "  http-request deny"] + TO_APP,
    "allowed too late": ["  http-request deny", "  http-request allow if { path /ws }"] + TO_APP,
    "origin": ["  http-request deny if { req.hdr(Origin) -m sub shop }"] + TO_APP,
    "another origin": ["  http-request deny if { req.hdr(Origin) -m sub nothing }"] + TO_APP,
    "redirected": ["  http-request redirect location /live if { path /ws }"] + TO_APP,
    "not redirected": ["  redirect scheme https if { path /live }"] + TO_APP,
    "answered": ["  http-request return status 200 content-type text/plain string no if { path /ws }"] + TO_APP,
    "deleted": ["  http-request del-header Upgrade"] + TO_APP,
    "closed": ["  http-request set-header Connection close"] + TO_APP,
    "closed for others": ["  http-request set-header Connection close if { path /live }"] + TO_APP,
    "in the backend": ["  default_backend app"] + APP + ["  http-request deny if { path_beg /ws }"],
    "options": ["  option httpclose"] + TO_APP, "h2 behind": ["  default_backend app", "backend app",
                                                                  "  server a 127.0.0.1:@APP@ proto h2"],
    "ws h1": ["  default_backend app", "backend app", "  server a 127.0.0.1:@APP@ proto h1 ws h1"],
    "listen": ["listen other", "  bind 127.0.0.1:@DEAD@", "  server a 127.0.0.1:@APP@"],
    "basic": ["  acl ok http_auth(u)", "  http-request auth unless ok"] + TO_APP +
             ["userlist u", "  user a insecure-password b"],
}
LEFT_ALONE_HAPROXY = {
    "dynamic": ["  use_backend %[path,field(2,/),map_str(/dev/null,app)]", "  default_backend dead"] + APP + DEAD,
    "dynamic, no such": ["  use_backend %[path,field(2,/)]", "  default_backend app"] + APP,
    "variable": ["  http-request set-var(txn.ws) req.hdr(Upgrade)",
                 "  use_backend app if { var(txn.ws) -m str websocket }", "  default_backend dead"] + APP + DEAD,
    "variable, not": ["  http-request set-var(txn.ws) path", "  http-request deny if { var(txn.ws) -m str /x }"] + TO_APP,
    "address": ["  http-request deny if { src 10.0.0.0/8 }"] + TO_APP,
    "own address": ["  http-request deny if { src 127.0.0.0/8 }"] + TO_APP,
    "port": ["  http-request deny unless { dst_port 1:65535 }"] + TO_APP,
    "file": ["  http-request deny if { path -f /dev/null }"] + TO_APP,
    "cookie": ["  http-request deny unless { req.cook(s) -m found }"] + TO_APP,
    "argument": ["  http-request deny unless { url_param(t) -m found }"] + TO_APP,
    "path set": ["  http-request set-path /live", "  http-request deny if { path /ws }"] + TO_APP,
    "replaced": ["  http-request replace-header Connection (.*) close"] + TO_APP,
    "set anew": ["  http-request del-header Upgrade", "  http-request set-header Upgrade websocket"] + TO_APP,
    "rejected": ["  tcp-request content reject if { src 127.0.0.0/8 }"] + TO_APP,
    "counted": ["  stick-table type ip size 10 store conn_cur", "  tcp-request connection track-sc0 src",
                "  http-request deny if { sc_conn_cur(0) gt 100 }"] + TO_APP,
    "random": ["  http-request deny if { rand(100) lt 0 }"] + TO_APP,
    "number": ["  http-request deny if { hdr_cnt(Upgrade) gt 5 }"] + TO_APP,
    "use-server": ["  default_backend two", "backend two", "  use-server b if { path /live }",
                   "  server a 127.0.0.1:@APP@", "  server b 127.0.0.1:@APP@ weight 0"],
}

UNDERSTOOD_CADDY = {
    "proxy": ["reverse_proxy 127.0.0.1:@APP@"], "path": ["reverse_proxy /ws 127.0.0.1:@APP@"],
    "other path": ["reverse_proxy /live 127.0.0.1:@APP@"], "star": ["reverse_proxy /w* 127.0.0.1:@APP@"],
    "star behind a slash": ["reverse_proxy /ws/* 127.0.0.1:@APP@"],
    "longest first": ["reverse_proxy 127.0.0.1:@DEAD@", "reverse_proxy /ws 127.0.0.1:@APP@"],
    "matcher": ["@ws {", "header Connection *Upgrade*", "header Upgrade websocket", "}",
                "reverse_proxy @ws 127.0.0.1:@APP@"],
    "matcher with case": ["@ws header Upgrade WebSocket", "reverse_proxy @ws 127.0.0.1:@APP@"],
    "matcher of two": ["@ws path /live /ws", "reverse_proxy @ws 127.0.0.1:@APP@"],
    "not": ["@no not path /ws", "respond @no 404", "reverse_proxy 127.0.0.1:@APP@"],
    "not the path": ["@no {", "not path /live", "}", "respond @no 404", "reverse_proxy 127.0.0.1:@APP@"],
    "expression of the path": ["@ws path_regexp ^/w", "reverse_proxy @ws 127.0.0.1:@APP@"],
    "expression of a field": ["@bad header_regexp Origin shop", "respond @bad 403",
                              "reverse_proxy 127.0.0.1:@APP@"],
    "method": ["@get method GET HEAD", "reverse_proxy @get 127.0.0.1:@APP@"],
    "host": ["@me host 127.0.0.1", "reverse_proxy @me 127.0.0.1:@APP@"],
    "other host": ["@me host x.example", "reverse_proxy @me 127.0.0.1:@APP@"],
    "handle": ["handle /ws* {", "reverse_proxy 127.0.0.1:@APP@", "}", "handle {", "respond 404", "}"],
    "handle before": ["respond 404", "handle /ws {", "reverse_proxy 127.0.0.1:@APP@", "}"],
    "handle_path": ["handle_path /ws* {", "reverse_proxy 127.0.0.1:@APP@", "}"],
    "route": ["route {", "respond /ws 404", "reverse_proxy 127.0.0.1:@APP@", "}"],
    "route, in order": ["route {", "reverse_proxy /ws 127.0.0.1:@APP@", "respond 404", "}"],
    "without route": ["reverse_proxy /ws 127.0.0.1:@APP@", "respond 404"],
    "redir": ["redir /ws /live", "reverse_proxy 127.0.0.1:@APP@"],
    "abort": ["abort /ws", "reverse_proxy 127.0.0.1:@APP@"], "error": ["error /ws 403", "reverse_proxy 127.0.0.1:@APP@"],
    "field out": ["reverse_proxy 127.0.0.1:@APP@ {", "header_up -Upgrade", "}"],
    "field of another": ["reverse_proxy 127.0.0.1:@APP@ {", "header_up -X-Upgrade", "}"],
    "request_header": ["request_header -Connection", "reverse_proxy 127.0.0.1:@APP@"],
    "request_header elsewhere": ["request_header /live -Connection", "reverse_proxy 127.0.0.1:@APP@"],
    "h2c": ["reverse_proxy h2c://127.0.0.1:@APP@"],
    "h2c by transport": ["reverse_proxy 127.0.0.1:@APP@ {", "transport http {", "versions h2c", "}", "}"],
    "quotes": ["reverse_proxy \"/ws\" `127.0.0.1:@APP@`"],
    "basicauth": ["basicauth {", "a JDJhJDE0JHBGWUlzUE9vMW8xTXkxMGtvVzZiRE9ZT3FhU2NaN2pRWjNzRE5Rc0dOQnRaSWp6bUF2NmdX", "}",
                  "reverse_proxy 127.0.0.1:@APP@"],
}
LEFT_ALONE_CADDY = {
    "expression": ["@ws expression `{path}.startsWith('/ws')`", "reverse_proxy @ws 127.0.0.1:@APP@"],
    "expression, not": ["@no expression `{path} == '/live'`", "respond @no 403", "reverse_proxy 127.0.0.1:@APP@"],
    "address": ["@no remote_ip 127.0.0.1", "respond @no 403", "reverse_proxy 127.0.0.1:@APP@"],
    "other address": ["@no remote_ip 10.0.0.0/8", "respond @no 403", "reverse_proxy 127.0.0.1:@APP@"],
    "query": ["@no not query token=*", "respond @no 401", "reverse_proxy 127.0.0.1:@APP@"],
    "no query": ["@no query token=*", "respond @no 401", "reverse_proxy 127.0.0.1:@APP@"],
    "protocol": ["@no protocol https", "respond @no 403", "reverse_proxy 127.0.0.1:@APP@"],
    "file": ["@there file /nothing", "respond @there 403", "reverse_proxy 127.0.0.1:@APP@"],
    "rewrite": ["rewrite /ws /live", "reverse_proxy /live 127.0.0.1:@APP@"],
    "rewrite in a route": ["route {", "rewrite /ws /live", "reverse_proxy /live 127.0.0.1:@APP@", "}"],
    "uri": ["route {", "uri strip_prefix /ws", "reverse_proxy 127.0.0.1:@APP@", "}"],
    "try_files": ["try_files {path} /live", "reverse_proxy /live 127.0.0.1:@APP@"],
    "vars": ["vars ws yes", "@ws vars {ws} yes", "reverse_proxy 127.0.0.1:@APP@"],
    "map": ["map {path} {to} {", "/ws 127.0.0.1:@APP@", "default 127.0.0.1:@DEAD@", "}", "reverse_proxy {to}"],
    "cookie": ["@no not header Cookie *s=*", "respond @no 401", "reverse_proxy 127.0.0.1:@APP@"],
    "handle_errors": ["handle_errors {", "respond 404", "}", "reverse_proxy 127.0.0.1:@APP@"],
    "forward_auth": ["forward_auth 127.0.0.1:@DEAD@ {", "uri /a", "}", "reverse_proxy 127.0.0.1:@APP@"],
    "handle by what is not known": ["@me remote_ip 127.0.0.1", "handle @me {", "reverse_proxy 127.0.0.1:@APP@", "}",
                                    "handle {", "respond 404", "}"],
    "placeholder": ["@me header Host {host}:*", "reverse_proxy @me 127.0.0.1:@APP@",
                    "reverse_proxy 127.0.0.1:@APP@"],
}

ROWS = [(program, name, text, understood) for program, table, understood in (
    ("nginx", UNDERSTOOD_NGINX, True), ("nginx", LEFT_ALONE_NGINX, False),
    ("apache2", UNDERSTOOD_APACHE, True), ("apache2", LEFT_ALONE_APACHE, False),
    ("haproxy", UNDERSTOOD_HAPROXY, True), ("haproxy", LEFT_ALONE_HAPROXY, False),
    ("caddy", UNDERSTOOD_CADDY, True), ("caddy", LEFT_ALONE_CADDY, False))
    for name, text in table.items()]


def whole(program, text):
    if program == "nginx":
        return HEAD + quiet("http {\n" + text + "\n}\n")
    head = {"apache2": APACHE_HEAD, "haproxy": HAPROXY_HEAD, "caddy": CADDY_HEAD}[program]
    return head + "\n".join(text) + ("\n}\n" if program == "caddy" else "\n")


def listens(program, folder, conf, port):
    """The server at work, as a context."""
    if program == "nginx":
        return run_nginx(folder, port)
    running = Running(program, conf, folder)
    said = running.check()
    assert said == "", said

    class At:
        def __enter__(self):
            running.start(port)

        def __exit__(self, *_):
            running.stop(signal.SIGKILL)
    return At()


@pytest.mark.parametrize("program, name, text, understood", ROWS, ids=["%s: %s" % r[:2] for r in ROWS])
def test_lint_does_not_contradict_the_server(program, name, text, understood, tmp_path, servers):
    if not shutil.which(program, path=PATH) or not websockets:
        pytest.skip("%s or websockets is not installed" % program)
    port, dead = free_port(), free_port()
    path = "//ws" if name == "merged slashes" else "/ws"
    conf = tmp_path / {"nginx": "nginx.conf", "caddy": "Caddyfile"}.get(program, "server.cfg")
    filled = whole(program, text)
    for mark, value in (("@PORT@", port), ("@APP@", servers().port), ("@DEAD@", dead), ("@DIR@", tmp_path)):
        filled = filled.replace(mark, str(value))
    conf.write_text(filled)
    with listens(program, tmp_path, conf, port):
        try:
            status = knock(port, path, Origin=ORIGIN, **{"User-Agent": AGENT})
        except (OSError, IndexError, ValueError, socket.timeout):
            status = 0
    told = findings(tmp_path, "--language", {"apache2": "apache"}.get(program, program), conf.name,
                    "--request", "ws://127.0.0.1:%d%s" % (port, path), "--origin", ORIGIN,
                    "--user-agent", AGENT)
    found = [f for f in told if f["rule"] not in OPEN_DOORS]
    sure = ["%s:%d %s" % (f["rule"], f["line"], f["text"]) for f in found if f["sure"]]
    if status == 101:
        assert not sure, "it opens"
    elif understood:
        assert sure, "it answers %d, and lint says %s" % (status, found)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *os.sys.argv[1:]]))
