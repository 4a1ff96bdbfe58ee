# SPDX-License-Identifier: MIT
"""Who the client is, when proxies stand before the gateway: theirs is believed
as far as the operator trusts them, and a client's own tale never."""
import re
import socket
import subprocess
import time
from contextlib import contextmanager

import pytest

from behind import Behind, opening
from ports import free_port
from gateways import Answer, ask, dial, gateway, opens, read_all, request, run

ROUTES = """\
listen: [{address: "127.0.0.1:0"%s}]
%s
routes:
  - path: /chat
    to: echo
    allow: {addresses: [198.51.100.0/24, "2001:db8::/32"]}
journal: {file: journal.db}
"""


def config(trusted="127.0.0.1", more="", proxy=False):
    return ROUTES % (", proxy_protocol: true" if proxy else "",
                     "trusted_proxies: [%s]%s" % (trusted, more) if trusted else "")


@pytest.mark.parametrize("fields, client", [
    (["X-Forwarded-For: 198.51.100.7"], "198.51.100.7"),
    (["X-Forwarded-For: 6.6.6.6, 198.51.100.7"], "198.51.100.7"),
    (["X-Forwarded-For: 198.51.100.7, 6.6.6.6"], "6.6.6.6"),
    (["X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 6.6.6.6"], "6.6.6.6"),
    (["X-Forwarded-For: 198.51.100.7, 127.0.0.1"], "198.51.100.7"),
    (["X-Forwarded-For: [2001:db8::7]:4711"], "2001:db8::7"),
    (["X-Forwarded-For: 198.51.100.7, nonsense"], "127.0.0.1"),
    (["Forwarded: for=198.51.100.7"], "127.0.0.1"),
    (["X_Forwarded_For: 198.51.100.7"], "127.0.0.1"),
    (["Connection: Upgrade, X-Forwarded-For", "X-Forwarded-For: 198.51.100.7"], "198.51.100.7"),
    ([], "127.0.0.1")])
def test_the_client_is_the_first_from_the_right_that_is_not_trusted(tmp_path, fields, client):
    with gateway(tmp_path, config()) as g:
        if client.startswith(("198.", "2001:")):
            assert opens(g.port, "/chat", *fields)
            return
        a = ask(g.port, "/chat", *fields)
        assert a.status == 403
        story = g.story(a.reference)
        assert story["cause"] == "access.ip" and story["address"] == client


def test_who_is_not_trusted_cannot_say_who_it_is(tmp_path):
    with gateway(tmp_path, config("192.0.2.1")) as g:
        a = ask(g.port, "/chat", "X-Forwarded-For: 198.51.100.7")
        story = g.story(a.reference)
        assert a.status == 403 and story["address"] == "127.0.0.1"
        assert "127.0.0.1" in story["hops"]


@pytest.mark.parametrize("field", ["X-Forwarded-Proto: https", "Forwarded: proto=https"])
def test_who_is_not_trusted_cannot_say_how_it_came(tmp_path, field):
    for trusted, told in (("192.0.2.1", "http"), ("127.0.0.1", "https")):
        name = "\ntrusted_field: " + ("forwarded" if field.startswith("F") else "x-forwarded-for")
        with Behind(opening()) as behind:
            text = config(trusted, name).replace("to: echo", "to: ws://127.0.0.1:%d" % behind.port)
            with gateway(tmp_path, re.sub("    allow: .*\n", "", text)) as g:
                assert opens(g.port, "/chat", field)
                assert behind.requests[-1].fields["x-forwarded-proto"] == [told]


def test_the_operator_chooses_the_field(tmp_path):
    with gateway(tmp_path, config(more="\ntrusted_field: forwarded")) as g:
        assert opens(g.port, "/chat", 'Forwarded: for="[2001:db8::1]:80";proto=https')
        assert ask(g.port, "/chat", "X-Forwarded-For: 198.51.100.7").status == 403


V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.mark.parametrize("header, outcome", [
    (b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n", 101),
    (b"PROXY TCP4 6.6.6.6 192.0.2.1 4711 80\r\n", 403),
    (b"PROXY UNKNOWN\r\n", 403),
    (V2 + bytes([0x21, 0x11, 0, 12, 198, 51, 100, 7, 192, 0, 2, 1, 1, 2, 0, 80]), 101),
    (V2 + bytes([0x20, 0x00, 0, 0]), 403),
    (b"PROXY TCP4 198.51.100.7\r\n", None), (b"", None), (b"PROX", None),
    (V2 + bytes([0x31, 0x11, 0, 0]), None)])
@pytest.mark.parametrize("pieces", [1, 0])
def test_a_proxy_header_names_the_client(tmp_path, header, outcome, pieces):
    with gateway(tmp_path, config(proxy=True)) as g:
        with dial(g.port) as s:
            raw = header + request(g.port, "/chat")
            if pieces:
                for i in range(0, len(raw), 3):
                    try:
                        s.sendall(raw[i:i + 3])
                    except OSError:
                        break
                    time.sleep(0.0005)
            else:
                s.sendall(raw)
            if outcome == 101:
                assert s.recv(4096).startswith(b"HTTP/1.1 101 ")
                return
            answer = read_all(s)
        assert Answer(answer).status == (outcome or 0)
        time.sleep(0.2)
        cause = g.last()[0]["cause"]
        assert cause == ("access.ip" if outcome else "client.bad-handshake")


def test_a_balancer_that_only_looks_leaves_no_trace(tmp_path):
    with gateway(tmp_path, config(proxy=True)) as g:
        for header in (V2 + bytes([0x20, 0x00, 0, 0]), b"PROXY UNKNOWN\r\n"):
            with dial(g.port) as s:
                s.sendall(header)
                s.shutdown(socket.SHUT_WR)
                assert read_all(s) == b""
        with dial(g.port) as s:
            s.sendall(header + b"GET /ch")
            s.shutdown(socket.SHUT_WR)
            assert Answer(read_all(s)).status == 400
        time.sleep(0.2)
        assert [story["cause"] for story in g.last(9)] == ["client.bad-handshake"]


def test_a_proxy_header_of_nobody_s_proxy_is_not_read(tmp_path):
    with gateway(tmp_path, config("192.0.2.1", proxy=True)) as g:
        with dial(g.port) as s:
            s.sendall(b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 80\r\n" + request(g.port, "/chat"))
            assert read_all(s) == b""
        time.sleep(0.2)
        story = g.last()[0]
        assert story["cause"] == "access.ip" and "trusted_proxies" in story["note"]


def test_proxy_protocol_without_trusted_proxies_is_a_fault(tmp_path):
    (tmp_path / "c.yaml").write_text(config(trusted="", proxy=True))
    r = run("check", "c.yaml", cwd=tmp_path)
    assert r.returncode == 2 and "c.yaml:1:" in r.stderr and "trusted_proxies" in r.stderr


# ---- The real ones ----

@contextmanager
def daemon(folder, port, *command):
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        end = time.time() + 10
        while True:
            try:
                dial(port).close()
                break
            except OSError:
                assert time.time() < end and process.poll() is None
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2", "forwardfor"])
def test_haproxy_tells_who_the_client_is(tmp_path, how):
    front = free_port()
    with gateway(tmp_path, config(proxy=how != "forwardfor").replace(
            "198.51.100.0/24", "127.0.0.9")) as g:
        (tmp_path / "h.cfg").write_text("""
defaults
  mode %s
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:%d
  default_backend b
backend b
  %s
  server s 127.0.0.1:%d %s
""" % ("http" if how == "forwardfor" else "tcp", front,
       "option forwardfor" if how == "forwardfor" else "",
       g.port, "" if how == "forwardfor" else how))
        with daemon(tmp_path, front, "haproxy", "-db", "-f", "h.cfg"):
            assert opens_from("127.0.0.9", front)
            assert not opens_from("127.0.0.8", front)
        story = g.last(1)[0]
        assert story["address"] == "127.0.0.8" and "127.0.0.1" in story["hops"]


def opens_from(address, port):
    with socket.create_connection(("127.0.0.1", port), 5, (address, 0)) as s:
        s.sendall(request(port, "/chat"))
        return s.recv(4096).startswith(b"HTTP/1.1 101 ")


def test_nginx_tells_who_the_client_is(tmp_path):
    front = free_port()
    with gateway(tmp_path, config().replace("198.51.100.0/24", "127.0.0.9")) as g:
        (tmp_path / "nginx.conf").write_text("""
daemon off; pid %s/pid; error_log %s/log; events {}
http {
  access_log off; client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s;
  uwsgi_temp_path %s; scgi_temp_path %s;
  server {
    listen 127.0.0.1:%d;
    location / {
      proxy_pass http://127.0.0.1:%d;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
""" % (*[tmp_path] * 7, front, g.port))
        with daemon(tmp_path, front, "/usr/sbin/nginx", "-c", str(tmp_path / "nginx.conf"),
                    "-p", str(tmp_path)):
            assert opens_from("127.0.0.9", front)
            assert not opens_from("127.0.0.8", front)
