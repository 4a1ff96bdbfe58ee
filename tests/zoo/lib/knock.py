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
import time

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WATCHED_S = 0.4  # how long an opening is watched, unless --hold says longer


class Refused(Exception):
    """No opening handshake was possible, or it did not open."""

    def __init__(self, status=None):
        self.status = status


def options(args):
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("url")
    for name in ("origin", "user-agent", "source", "cacert", "cert", "key", "proxy", "page",
                 "backend"):
        p.add_argument("--" + name)
    for name in ("no-origin", "insecure"):
        p.add_argument("--" + name, action="store_true")
    for name in ("subprotocol", "resolve"):
        p.add_argument("--" + name, action="append", default=[])
    p.add_argument("-H", dest="header", action="append", default=[])
    p.add_argument("-b", "--cookie", action="append", default=[])
    p.add_argument("-u", "--user")
    p.add_argument("-4", dest="v4", action="store_true")
    p.add_argument("-6", dest="v6", action="store_true")
    p.add_argument("--hold", type=float, default=0)
    return p.parse_args(args)


def address(host, port, o):
    for rule in o.resolve:
        name, at, instead = rule.split(":", 2)
        if name == host and int(at) == port:
            return instead.strip("[]")
    return host


def connect(host, port, o, timeout):
    family = socket.AF_INET if o.v4 else socket.AF_INET6 if o.v6 else 0
    error = OSError("no address")
    name = address(host, port, o)
    for af, kind, proto, _, where in socket.getaddrinfo(name, port, family, socket.SOCK_STREAM):
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


def http_tunnel(s, host, port, user):
    extra = "Proxy-Authorization: %s\r\n" % authorization(user) if user else ""
    s.sendall(("CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n" % (host, port, host, port, extra)).encode())
    status = status_of(read_head(s))
    if status != 200:
        raise Refused(status)


def counted(word):
    return bytes([len(word)]) + word.encode()


def socks_tunnel(s, host, port, user):
    """RFC 1928, and RFC 1929 if the proxy asks for a password."""
    s.sendall(b"\5\1\2" if user else b"\5\1\0")
    method = s.recv(2)[1:]
    if method == b"\2" and user:
        name, _, password = user.partition(":")
        s.sendall(b"\1" + counted(name) + counted(password))
        method = s.recv(2)[1:]
    if method != b"\0":
        raise Refused
    numeric = re.fullmatch(r"[0-9.]+", host)
    where = b"\1" + socket.inet_aton(host) if numeric else b"\3" + counted(host)
    s.sendall(b"\5\1\0" + where + port.to_bytes(2, "big"))
    if s.recv(100)[1:2] != b"\0":
        raise Refused


def reach(host, port, o, timeout):
    """A connection to the server, by the proxy if one is named."""
    if not o.proxy:
        return connect(host, port, o, timeout)
    m = re.fullmatch(r"(http|socks5h?)://(?:([^@]*)@)?([^:]+):(\d+)/?", o.proxy)
    kind, user, proxy, proxy_port = m.groups()
    s = connect(proxy, int(proxy_port), o, timeout)
    (http_tunnel if kind == "http" else socks_tunnel)(s, host, port, user)
    return s


def secured(s, host, o):
    context = ssl.create_default_context(cafile=o.cacert)
    if o.insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    if o.cert:
        context.load_cert_chain(o.cert, o.key)
    return context.wrap_socket(s, server_hostname=host)


def request_fields(o, host, port, user, key):
    """(name, value) of each; what -H names replaces ours, or with nothing
    after its colon takes it away."""
    fields = [("Host", "%s:%d" % (host, port)), ("Connection", "Upgrade"), ("Upgrade", "websocket"),
              ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", key)]
    if o.user_agent:
        fields.append(("User-Agent", o.user_agent))
    if o.origin and not o.no_origin:
        fields.append(("Origin", o.origin))
    if o.user or user:
        fields.append(("Authorization", authorization(o.user or user)))
    if o.cookie:
        fields.append(("Cookie", "; ".join(o.cookie)))
    if o.subprotocol:
        fields.append(("Sec-WebSocket-Protocol", ", ".join(o.subprotocol)))
    own = [(name, value.strip()) for name, _, value in (h.partition(":") for h in o.header)]
    replaced = {name.lower() for name, _ in own}
    return [f for f in fields if f[0].lower() not in replaced] + [f for f in own if f[1]]


def agrees(answer, key, o):
    """Does the head of a 101 accept what was asked, and nothing else?"""
    proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest())

    def field(name):
        m = re.search(rb"(?im)^%s:[ \t]*(\S[^\r\n]*)" % name, answer)
        return m.group(1).decode().strip() if m else None

    offered = [name.strip() for each in o.subprotocol for name in each.split(",")]
    chosen = field(b"Sec-WebSocket-Protocol")
    return (proof in answer and (field(b"Upgrade") or "").lower() == "websocket"
            and "upgrade" in (field(b"Connection") or "").lower()
            and not field(b"Sec-WebSocket-Extensions")
            and (chosen in offered if offered else chosen is None))


def stays_open(s, received, seconds):
    """Watch what comes: an end, a close, a masked frame or text that is no
    frame (its first byte has bits that are reserved) is no opening."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        s.settimeout(max(0.05, end - time.monotonic()))
        try:
            more = s.recv(4096)
        except socket.timeout:
            break
        if not more:
            return False
        received += more
    while len(received) >= 2:
        first, length = received[0], received[1]
        if first & 15 == 8 or first & 0x70 or length & 128:
            return False
        if length == 126:
            length = 2 + int.from_bytes(received[2:4], "big")
        elif length == 127:
            return True
        received = received[2 + length:]
    return True


def knock(args, timeout=6.0):
    """(status or None, True if it opened and stayed open for a moment)"""
    o = options(args)
    m = re.fullmatch(r"(wss?)://(?:([^@/#?]*)@)?(\[[^\]]+\]|[^:/?]+):(\d+)(/[^#]*)?", o.url)
    if not m:
        return None, False
    scheme, user, host, port, target = m.groups()
    bare, port = host.strip("[]"), int(port)
    s = None
    try:
        s = reach(bare, port, o, timeout)
        if scheme == "wss":
            s = secured(s, bare, o)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = request_fields(o, host, port, user, key)
        lines = ["GET %s HTTP/1.1" % (target or "/")] + ["%s: %s" % f for f in fields]
        s.sendall("\r\n".join(lines + ["", ""]).encode())
        answer = read_head(s)
        while status_of(answer) in (100, 102, 103):  # interim: the answer comes after it
            answer = answer.partition(b"\r\n\r\n")[2]
            if b"\r\n\r\n" not in answer:
                answer += read_head(s)
        status = status_of(answer)
        head, _, rest = answer.partition(b"\r\n\r\n")
        if status != 101 or not agrees(head, key, o):
            return status, False
        return status, stays_open(s, rest, max(WATCHED_S, o.hold))
    except Refused as e:
        return e.status, False
    except OSError:
        return None, False
    finally:
        if s:
            s.close()
