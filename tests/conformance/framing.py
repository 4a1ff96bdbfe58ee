# SPDX-License-Identifier: MIT
"""Frames (RFC 6455 section 5): lengths, masks, reserved bits, opcodes, control
frames and fragments."""
import struct

from case import (BINARY, CLOSE, CONTINUATION, DEFLATE, FIN, LIMIT, PING, PONG, RSV1, TEXT, Case, Frame, answers,
                  binary, deflated, fails, fragments, pieces, ping, shortest, text)

RULES = {
    "length.echo": ("RFC 6455 5.2", "a message of any length comes back whole, in whatever writes it came"),
    "length.minimal": ("RFC 6455 5.2", "a length in more bytes than it needs fails"),
    "length.top-bit": ("RFC 6455 5.2", "a 64-bit length with its top bit set fails"),
    "length.limit": ("RFC 6455 10.4", "a length over the limit fails when it is announced"),
    "length.sum": ("RFC 6455 10.4", "fragments whose sum is over the limit, or wraps, fail when announced"),
    "mask.needed": ("RFC 6455 5.1", "a frame that a client did not mask, or a server did, fails"),
    "mask.any": ("RFC 6455 5.3", "every masking key is taken"),
    "bits.reserved": ("RFC 6455 5.2", "a reserved bit without a meaning fails"),
    "bits.opcode": ("RFC 6455 5.2", "an opcode that is not defined fails"),
    "bits.lawful": ("RFC 6455 5.2", "what is lawful among all first bytes passes"),
    "control.whole": ("RFC 6455 5.5", "a control frame in fragments fails"),
    "control.short": ("RFC 6455 5.5", "a control frame over 125 bytes fails as soon as its length shows"),
    "ping.pong": ("RFC 6455 5.5.3", "a ping is answered by a pong with its payload"),
    "ping.order": ("RFC 6455 5.5.3", "pings are answered in their order"),
    "pong.alone": ("RFC 6455 5.5.3", "a pong that nobody asked for is taken in silence"),
    "fragment.joined": ("RFC 6455 5.4", "fragments, empty ones too, come back as one message"),
    "fragment.between": ("RFC 6455 5.4", "a control frame between fragments is answered before the message"),
    "fragment.alone": ("RFC 6455 5.4", "a continuation of no message fails"),
    "fragment.inside": ("RFC 6455 5.4", "a new message inside an unfinished one fails"),
}

KINDS = {"text": TEXT, "binary": BINARY}
ALL_BYTES = bytes(range(256))
TWO_BYTES = "".join(chr(0xa1 + i % 89) for i in range(1000)).encode()


def filler(kind, n):
    """@n bytes that are different at each place; text is of two-byte characters."""
    if kind != "text":
        return (ALL_BYTES * (n // 256 + 1))[:n]
    return (TWO_BYTES * (n // len(TWO_BYTES) + 1))[:n - n % 2] + b"x" * (n % 2)


def lengths():
    for n in (0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 257, 65534, 65535, 65536, 65537, 131072):
        for name, kind in KINDS.items():
            data = filler(name, n)
            for chop in (0, 1 if n < 258 else 997):
                yield Case("length.echo", "%d %s in writes of %s" % (n, name, chop or "any"),
                           (Frame(FIN | kind, data),), ((name, data),), chop=chop)


FORMS = {"two": lambda n: struct.pack(">BH", 126, n), "eight": lambda n: struct.pack(">BQ", 127, n)}


def overlong_lengths():
    for form, encode in FORMS.items():
        for n in (0, 1, 125) + ((126, 127, 65535) if form == "eight" else ()):
            for name, kind in KINDS.items():
                announced = Frame(FIN | kind, b"", encode(n), cut=1 + len(encode(n)))
                yield Case("length.minimal", "%d in %s, %s" % (n, form, name), (announced,),
                           ends=fails(1002), prompt=True)
        whole = Frame(FIN | BINARY, b"x" * 100, encode(100))
        yield Case("length.minimal", "a whole frame with 100 in %s" % form, (whole, ping()), ends=fails(1002))


def huge_lengths():
    for n in (1 << 63, (1 << 63) + 1, (1 << 64) - 1, (1 << 64) - 4, (1 << 64) - 14, 3 << 62, (1 << 63) + 5):
        for first in (TEXT, BINARY, FIN | TEXT, FIN | BINARY):
            yield Case("length.top-bit", "%x after %02x" % (n, first),
                       (Frame(first, b"", struct.pack(">BQ", 127, n), cut=10),), ends=fails(1002))
    for n in (LIMIT + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 14, (1 << 32) - 1, 1 << 32, (1 << 53) - 1,
              1 << 53, (1 << 53) + 1, 1 << 62, (1 << 63) - 14, (1 << 63) - 1):
        for name, kind in KINDS.items():
            yield Case("length.limit", "%x, %s" % (n, name),
                       (Frame(FIN | kind, b"", shortest(n)),), ends=fails(1009), prompt=True)


def wrapped_sums():
    for had in (1, 4, 5, 14, 126):
        first = Frame(BINARY, b"x" * had)
        for n in sorted({(1 << 63) - 1, (1 << 63) - had, (1 << 32) - had, (1 << 31) - had, LIMIT - had + 1}):
            yield Case("length.sum", "%d and %x more" % (had, n),
                       (first, Frame(FIN, b"", shortest(n))), ends=fails(1009), prompt=True)
        for n in sorted({(1 << 64) - had, (1 << 64) - 1}):
            yield Case("length.sum", "%d and %x more" % (had, n),
                       (first, Frame(FIN, b"", struct.pack(">BQ", 127, n), cut=10)), ends=fails(1002))
    # within the limit each, over it together: nothing wraps, nothing is copied
    for limit, parts in ((100, (50, 51)), (100, (100, 1)), (1000, (999, 0, 2)), (64, (1,) * 65)):
        sends = fragments(BINARY, [b"x" * n for n in parts])
        yield Case("length.sum", "parts of %s, with a limit of %d" % ("+".join(map(str, parts)), limit),
                   (*sends[:-1], sends[-1]._replace(cut=-parts[-1])), ends=fails(1009), limit=limit)


def masks():
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        for data in (b"", b"\x03\xe8" if opcode == CLOSE else b"Hello"):
            for role in "sc":
                yield Case("mask.needed", "opcode %d with %d bytes to a %s" % (opcode, len(data), {
                    "s": "server", "c": "client"}[role]),
                    (Frame(FIN | opcode, data, masked=role == "c"),), ends=fails(1002), roles=role)
    for role in "sc":
        yield Case("mask.needed", "the second fragment alone to a %s" % {"s": "server", "c": "client"}[role],
                   (Frame(TEXT, b"a"), Frame(FIN, b"b", masked=role == "c")), ends=fails(1002), roles=role)
    for key in (bytes(4), b"\xff" * 4, b"\x00\x00\x00\x01", b"\x80\x00\x00\x00", b"\x12\x34\x56\x78"):
        for n in (5, 64, 127, 1001):
            data = filler("binary", n)
            yield Case("mask.any", "%s over %d bytes" % (key.hex(), n), (binary(data, key=key),),
                       (("binary", data),), roles="s", chop=7)
    data = [filler("binary", n) for n in (1, 2, 3, 5, 8, 13, 21)]
    sends = [f._replace(key=bytes([i * 37 & 255] * 4)) for i, f in enumerate(fragments(BINARY, data))]
    yield Case("mask.any", "another in each fragment", tuple(sends), (("binary", b"".join(data)),), roles="s")


def judge_first(first, deflate, inside):
    """(rule, what is heard, how it ends) for a frame with this first byte."""
    opcode, fin = first & 15, first & FIN
    body = b"Hello"
    if opcode not in (0, 1, 2, 8, 9, 10):
        return "bits.opcode", body, (), fails(1002)
    if first & 0x30 or (first & RSV1 and not (deflate and opcode in (TEXT, BINARY))):
        return "bits.reserved", body, (), fails(1002)
    if opcode & 8 and not fin:
        return "control.whole", body, (), fails(1002)
    if opcode == CLOSE:
        return "bits.lawful", b"\x0f\xa0", (), answers(4000)
    if opcode & 8:
        return "bits.lawful", body, (("pong", body),) if opcode == PING else (), None
    if opcode == CONTINUATION and not inside:
        return "fragment.alone", body, (), fails(1002)
    if opcode != CONTINUATION and inside:
        return "fragment.inside", body, (), fails(1002)
    name = "binary" if opcode == BINARY else "text"  # what it continues is text
    whole = (b"<" if inside else b"") + body + (b"" if fin else b">")
    return "bits.lawful", body, ((name, whole),), None


def first_bytes():
    """All RSV by all opcodes by FIN, alone and inside a message, with and without compression."""
    for first in range(256):
        for deflate in (False, True):
            for inside in (False, True):
                rule, body, hears, ends = judge_first(first, deflate, inside)
                opcode = first & 15
                sends = (Frame(first, deflated(body) if rule == "bits.lawful" and first & RSV1 else body),)
                if inside:
                    sends = (Frame(TEXT, b"<"), *sends)
                if ends is None:
                    if opcode & 8 and inside:  # the message goes on after it
                        sends, hears = (*sends, Frame(FIN, b">")), (*hears, ("text", b"<>"))
                    elif not first & FIN and first & RSV1:
                        whole = deflated(body + b">")
                        sends = (Frame(first, whole[:3]), Frame(FIN, whole[3:]))
                    elif not first & FIN:
                        sends = (*sends, Frame(FIN, b">"))
                name = "%02x%s%s" % (first, " inside a message" if inside else "", " deflate" if deflate else "")
                yield Case(rule, name, sends, hears, ends or ("open", 1000), DEFLATE if deflate else None)


def controls():
    for opcode in (CLOSE, PING, PONG):
        for n in (126, 127, 65535, 65536):
            data = b"\x03\xe8" + b"x" * (n - 2)
            yield Case("control.short", "opcode %d with %d bytes" % (opcode, n),
                       (Frame(FIN | opcode, data),), ends=fails(1002))
            yield Case("control.short", "opcode %d, and no more than that it has %d bytes" % (opcode, n),
                       (Frame(FIN | opcode, data, cut=2),), ends=fails(1002), prompt=True)
        yield Case("control.whole", "opcode %d, and no more than its first byte" % opcode,
                   (Frame(opcode, b"", cut=1),), ends=fails(1002), prompt=True)
    for n in (0, 1, 2, 50, 124, 125):
        for name in KINDS:
            data = filler(name, n)
            for chop in (0, 1):
                yield Case("ping.pong", "%d bytes like %s in writes of %s" % (n, name, chop or "any"),
                           (ping(data),), (("pong", data),), chop=chop)
    for chop in (0, 1, 5):
        payloads = [b"ping %d" % i for i in range(10)]
        yield Case("ping.order", "ten in writes of %s" % (chop or "any"), tuple(map(ping, payloads)),
                   tuple(("pong", p) for p in payloads), chop=chop)
    yield Case("ping.order", "messages in between", (ping(b"1"), text(b"a"), ping(b"2"), binary(b"b"), ping(b"3")),
               (("pong", b"1"), ("text", b"a"), ("pong", b"2"), ("binary", b"b"), ("pong", b"3")))
    for n in (0, 1, 125):
        yield Case("pong.alone", "%d bytes" % n, (Frame(FIN | PONG, b"x" * n), ping(b"?")), (("pong", b"?"),))
    yield Case("pong.alone", "ten of them", (Frame(FIN | PONG, b"x"),) * 10 + (text(b"a"),), (("text", b"a"),))


PARTS = {
    "two": [b"frag", b"ment"],
    "three": [b"a", b"b", b"c"],
    "the last is empty": [b"fragment", b""],
    "the first is empty": [b"", b"fragment"],
    "only empty ones": [b"", b"", b""],
    "empty ones in between": [b"a", b"", b"", b"b", b""],
    "all lengths' edges": [b"x" * n for n in (1, 125, 126, 127, 0, 65535, 65536)],
    "a hundred": [b"%d," % i for i in range(100)],
    "a thousand of one byte": [b"z"] * 1000,
}


def joined():
    for what, parts in PARTS.items():
        whole = b"".join(parts)
        for name, kind in KINDS.items():
            for chop in (0, 1 if len(whole) < 3000 else 1009):
                yield Case("fragment.joined", "%s, %s, in writes of %s" % (what, name, chop or "any"),
                           fragments(kind, parts), ((name, whole),), chop=chop)
    again = fragments(TEXT, [b"a", b"b"]) + fragments(BINARY, [b"c", b"", b"d"]) + (text(b"e"),)
    yield Case("fragment.joined", "one message after another", again,
               (("text", b"ab"), ("binary", b"cd"), ("text", b"e")))


def between():
    parts = [b"one ", b"two ", b"three"]
    whole = ("text", b"".join(parts))
    frames = fragments(TEXT, parts)
    for at in range(4):
        sends = (*frames[:at], ping(b"now"), *frames[at:])
        hears = (whole, ("pong", b"now")) if at == 3 else (("pong", b"now"), whole)
        for chop in (0, 1):
            yield Case("fragment.between", "a ping after %d, in writes of %s" % (at, chop or "any"),
                       sends, hears, chop=chop)
    several = [f for frame in frames[:-1] for f in (frame, ping(b"1"), ping(b"2"), Frame(FIN | PONG, b"no"))]
    yield Case("fragment.between", "two pings and a pong after each", (*several, frames[-1]),
               (("pong", b"1"), ("pong", b"2")) * 2 + (whole,))
    yield Case("fragment.between", "a ping of 125 bytes in each gap of a binary of 50",
               tuple(f for frame in fragments(BINARY, pieces(ALL_BYTES[:50], 1)) for f in (ping(b"p" * 125), frame)),
               (("pong", b"p" * 125),) * 50 + (("binary", ALL_BYTES[:50]),))


def disordered():
    for first in (FIN, 0):
        for data in (b"", b"alone"):
            frame = Frame(first, data)
            kind = "%s continuation of %d bytes" % ("a last" if first else "an open", len(data))
            yield Case("fragment.alone", kind + " at the start", (frame,), ends=fails(1002))
            yield Case("fragment.alone", kind + " after a message", (text(b"a"), frame), (("text", b"a"),),
                       fails(1002))
            yield Case("fragment.alone", kind + " after fragments", (*fragments(TEXT, [b"a", b"b"]), frame),
                       (("text", b"ab"),), fails(1002))
            yield Case("fragment.alone", kind + " after a ping", (ping(b"a"), frame), (("pong", b"a"),), fails(1002))
    for first in (TEXT, BINARY, FIN | TEXT, FIN | BINARY):
        for had in (1, 2):
            for kind in KINDS.values():
                opened = fragments(kind, [b"a"] * had + [b"never"])[:-1]
                yield Case("fragment.inside", "%02x after %d of %d" % (first, had, kind),
                           (*opened, Frame(first, b"x")), ends=fails(1002))


def cases():
    for group in (lengths, overlong_lengths, huge_lengths, wrapped_sums, masks, first_bytes, controls, joined,
                  between, disordered):
        yield from group()
