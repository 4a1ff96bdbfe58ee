# SPDX-License-Identifier: MIT
"""Sizes and numbers: up to 16 MiB, in fragments from 64 bytes up, in writes of
any size, and many small messages."""
from case import FIN, Case, Frame, fragments, pieces, ping
from framing import KINDS, filler

RULES = {
    "size.whole": ("RFC 6455 5.2", "messages of up to 16 MiB come back"),
    "size.fragments": ("RFC 6455 5.4", "4 MiB in fragments of any size come back"),
    "size.writes": ("RFC 6455 5.2", "1 MiB in writes of any size comes back"),
    "many.messages": ("RFC 6455 5.6", "a thousand messages that are sent at once come back in order"),
    "many.pings": ("RFC 6455 5.5.3", "a thousand pings that are sent at once are answered in order"),
}

MIB = 1 << 20


def cases():
    for name, kind in KINDS.items():
        for n in (1 << 16, 1 << 18, MIB, 4 * MIB, 8 * MIB, 16 * MIB):
            data = filler(name, n)
            yield Case("size.whole", "%d KiB, %s" % (n >> 10, name), (Frame(FIN | kind, data),), ((name, data),))
        data = filler(name, 4 * MIB)
        for size in (64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, MIB, 4 * MIB):
            yield Case("size.fragments", "of %d, %s" % (size, name), fragments(kind, pieces(data, size)),
                       ((name, data),))
        data = filler(name, MIB)
        for chop in (64, 128, 256, 512, 1024, 2048):
            yield Case("size.writes", "of %d, %s" % (chop, name), (Frame(FIN | kind, data),), ((name, data),),
                       chop=chop)
        for n in (0, 16, 64, 125, 126, 256, 1024, 4096):
            stem = b"x" * (n - 8) if name == "text" else filler(name, n)[:n - 8]
            data = [stem + b"%08d" % i if n else b"" for i in range(1000)]
            yield Case("many.messages", "of %d, %s" % (n, name), tuple(Frame(FIN | kind, d) for d in data),
                       tuple((name, d) for d in data))
    data = filler("text", 65536)
    yield Case("size.fragments", "64 KiB of 1300, text", fragments(KINDS["text"], pieces(data, 1300)),
               (("text", data),))
    payloads = [b"%d" % i for i in range(1000)]
    yield Case("many.pings", "of few bytes", tuple(map(ping, payloads)), tuple(("pong", p) for p in payloads))
