# SPDX-License-Identifier: MIT
"""One opening handshake with nothing but the standard library: the zoo's
second opinion, so that sesame is not its own witness."""
import argparse
import base64
import hashlib
import os
import re
import socket
import ssl

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def options(args):
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("url")
    for name in ("origin", "user-agent", "source", "cacert", "cert", "key", "proxy"):
        p.add_argument("--" + name)
    for name in ("no-origin", "insecure"):
        p.add_argument("--" + name, action="store_true")
    p.add_argument("--subprotocol", action="append", default=[])
    p.add_argument("-H", dest="header", action="append", default=[])
    p.add_argument("-4", dest="v4", action="store_true")
    p.add_argument("-6", dest="v6", action="store_true")
    p.add_argument("--hold", type=float, default=0)
    return p.parse_args(args)


def connect(host, port, o, timeout):
    family = socket.AF_INET if o.v4 else socket.AF_INET6 if o.v6 else 0
    error = OSError("no address")
    for af, kind, proto, _, where in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM):
        s = socket.socket(af, kind, proto)
        s.settimeout(timeout)
        try:
            if o.source:
                s.bind((o.source, 0))
            s.connect(where)
            return s
        except OSError as e:
            error = e
            s.close()
    raise error


def read_head(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(4096)
        if not more:
            break
        data += more
    return data


def status_of(data):
    m = re.match(rb"HTTP/1\.\d (\d\d\d)", data)
    return int(m.group(1)) if m else None


def authorization(user):
    return "Basic " + base64.b64encode(user.encode()).decode()


def tunnel(s, host, port, proxy_user):
    extra = "Proxy-Authorization: %s\r\n" % authorization(proxy_user) if proxy_user else ""
    s.sendall(("CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n" % (host, port, host, port, extra)).encode())
    return status_of(read_head(s))


def knock(args, timeout=6.0):
    """(status or None, True if it opened and stayed open for a moment)"""
    o = options(args)
    m = re.fullmatch(r"(wss?)://(?:([^@/]*)@)?(\[[^\]]+\]|[^:/?]+):(\d+)(/[^#]*)?", o.url)
    if not m:
        return None, False
    scheme, user, host, port, target = m.groups()
    bare, port = host.strip("[]"), int(port)
    try:
        if o.proxy:
            pm = re.fullmatch(r"http://(?:([^@]*)@)?([^:]+):(\d+)/?", o.proxy)
            s = connect(pm.group(2), int(pm.group(3)), o, timeout)
            status = tunnel(s, host, port, pm.group(1))
            if status != 200:
                return status, False
        else:
            s = connect(bare, port, o, timeout)
        if scheme == "wss":
            context = ssl.create_default_context(cafile=o.cacert)
            if o.insecure:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if o.cert:
                context.load_cert_chain(o.cert, o.key)
            s = context.wrap_socket(s, server_hostname=bare)
        key = base64.b64encode(os.urandom(16)).decode()
        head = ["GET %s HTTP/1.1" % (target or "/"), "Host: %s:%d" % (host, port),
                "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: " + key]
        if o.user_agent:
            head.append("User-Agent: " + o.user_agent)
        if o.origin and not o.no_origin:
            head.append("Origin: " + o.origin)
        if user:
            head.append("Authorization: " + authorization(user))
        if o.subprotocol:
            head.append("Sec-WebSocket-Protocol: " + ", ".join(o.subprotocol))
        s.sendall(("\r\n".join(head + o.header) + "\r\n\r\n").encode())
        answer = read_head(s)
        status = status_of(answer)
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest())
        if status != 101 or accept not in answer:
            return status, False
        rest = answer.split(b"\r\n\r\n", 1)[1]
        s.settimeout(0.4)
        try:
            rest += s.recv(100) or b"\x88"
        except (socket.timeout, TimeoutError):
            pass
        return status, not rest.startswith(b"\x88")
    except OSError:
        return None, False
