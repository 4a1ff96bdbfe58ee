# SPDX-License-Identifier: MIT
"""Compression (RFC 7692): the bargain over its parameters, and what is said under it."""
import itertools
import random
import zlib

from case import (BINARY, DEFLATE, FIN, OPEN, REFUSED, RSV1, TEXT, Case, Frame, Message, binary, deflated, fails,
                  fragments, pieces, ping, text)

RULES = {
    "deflate.parameters": ("RFC 7692 7.1", "every lawful combination of parameters is answered lawfully, and kept"),
    "deflate.window": ("RFC 7692 7.1.2", "a window is 8 to 15, in digits without leading zeros"),
    "deflate.unlawful": ("RFC 7692 7.1", "a parameter that is unknown, repeated or has a wrong value is turned down"),
    "deflate.choice": ("RFC 7692 5", "of several offers one that can be met is chosen"),
    "deflate.grammar": ("RFC 6455 9.1", "an extension field that breaks its grammar ends the handshake"),
    "deflate.echo": ("RFC 7692 6", "messages of all kinds and sizes come back, in whatever fragments"),
    "deflate.blocks": ("RFC 7692 7.2.3", "every kind of block is understood"),
    "deflate.empty": ("RFC 7692 7.2.3.6", "empty messages are understood"),
    "deflate.cut": ("RFC 7692 6.2", "a compressed message may be cut by fragments anywhere"),
    "deflate.between": ("RFC 7692 6.1", "plain messages and control frames may stand among compressed ones"),
    "deflate.takeover": ("RFC 7692 7.1.1", "a message may refer to earlier ones just when that was agreed"),
    "deflate.broken": ("RFC 7692 7.2.2", "data that does not inflate fails"),
    "deflate.bomb": ("RFC 7692 8", "what inflates over the limit fails"),
}

S_FRESH, C_FRESH = "server_no_context_takeover", "client_no_context_takeover"
S_BITS, C_BITS = "server_max_window_bits", "client_max_window_bits"
WORDS = ("the quick brown fox jumps over a lazy dog while {\"price\": 12.5, \"name\": \"ä☕\"} is read by "
         "somebody who waits for nothing").split()


def _book(n):
    rng = random.Random(1)
    return " ".join(rng.choice(WORDS) for _ in range(n // 4)).encode()


BOOK = _book(1 << 18)
NOISE = random.Random(2).randbytes((1 << 17) + 2000)


def prose(n, seed):
    """Text that compresses as text does, with repeats near and far."""
    at = seed * 7919 % (len(BOOK) - n) if n < len(BOOK) else 0
    return BOOK[at:at + n].decode(errors="ignore").encode().ljust(n, b".")


KINDS = {
    "prose": (TEXT, prose),
    "zeros": (BINARY, lambda n, seed: bytes(n)),
    "noise": (BINARY, lambda n, seed: NOISE[seed:seed + n]),
    "half noise": (BINARY, lambda n, seed: NOISE[seed:seed + n // 2] * 2 + b"x" * (n % 2)),
}
NAMES = {TEXT: "text", BINARY: "binary"}


def said(kind, seeds, n, part=None):
    """(sends, hears) for messages that are compressed as agreed."""
    opcode, make = KINDS[kind]
    data = [make(n, seed) for seed in seeds]
    return (tuple(Message(opcode, d, part) for d in data), tuple((NAMES[opcode], d) for d in data))


SIZES = [(0, None), (1, None), (16, None), (64, None), (256, None), (1024, None), (4096, None), (8192, None),
         (16384, None), (32768, None), (65536, None), (131072, None), (8192, 256), (16384, 256), (32768, 256),
         (65536, 256), (131072, 256), (131072, 1024), (131072, 4096), (131072, 32768), (500, 1)]


def echoes():
    for kind in KINDS:
        for n, part in SIZES:
            sends, hears = said(kind, range(8), n, part)
            yield Case("deflate.echo", "%s, 8 times %d in fragments of %s" % (kind, n, part or "any size"),
                       sends, hears, field=DEFLATE)
    sends, hears = said("prose", [1] * 1000, 100)
    yield Case("deflate.echo", "a thousand times the same", sends, hears, field=DEFLATE)
    for level in range(10):
        data = prose(20000, 5)
        yield Case("deflate.echo", "level %d" % level, (Frame(FIN | RSV1 | TEXT, deflated(data, level=level)),),
                   (("text", data),), field=DEFLATE)


def parameters():
    """All that RFC 7692 allows, as an offer to a server and as an answer to a client."""
    bits = [None, *range(8, 16)]
    sends, hears = said("prose", (1, 1, 2), 3000)  # longer than a small window, with repeats
    for s_fresh, c_fresh, s_bits in itertools.product((False, True), (False, True), bits):
        for c_bits in [*bits, ""]:
            said_bits = [(S_BITS, s_bits), (C_BITS, c_bits)]
            words = [S_FRESH] * s_fresh + [C_FRESH] * c_fresh + [
                n if b == "" else "%s=%d" % (n, b) for n, b in said_bits if b is not None]
            yield Case("deflate.parameters", ", ".join(words) or "none", sends, hears,
                       field="; ".join([DEFLATE, *words]), agrees="lawfully",
                       roles="s" if c_bits == "" else "sc")
    words = ["%s=9" % S_BITS, S_FRESH, "%s=9" % C_BITS, C_FRESH]
    for order in itertools.permutations(words):
        yield Case("deflate.parameters", "in the order " + ", ".join(order), sends, hears,
                   field="; ".join([DEFLATE, *order]), agrees="lawfully")


def judged_field(rule, name, parameters_, lawful, roles="sc"):
    """An offer that a server declines, an answer that ends a client's handshake; or both take it."""
    sends, hears = said("prose", (1,), 200)
    field = "; ".join([DEFLATE, *parameters_])
    for role in roles:
        ends = OPEN if lawful or role == "s" else REFUSED
        yield Case(rule, "%s to a %s" % (name, {"s": "server", "c": "client"}[role]), sends if ends == OPEN else (),
                   hears if ends == OPEN else (), ends, field,
                   "lawfully" if lawful else "no" if role == "s" else "", role)


def windows():
    for name in (S_BITS, C_BITS):
        for n in range(100):
            yield from judged_field("deflate.window", "%s=%d" % (name, n), ["%s=%d" % (name, n)], 8 <= n <= 15)
        for value in ("08", "015", "0010", "+9", "-9", "9.0", "0x9", "1e1", "a", "256", "265", "4294967305",
                      "18446744073709551625", "\"09\"", "\"16\"", "'9'"):
            yield from judged_field("deflate.window", "%s=%s" % (name, value), ["%s=%s" % (name, value)], False)
        for value in ("\"9\"", "\"15\"", "\"\\9\"", "\"1\\0\""):
            yield from judged_field("deflate.window", "%s=%s" % (name, value), ["%s=%s" % (name, value)], True)
    yield from judged_field("deflate.window", S_BITS + " without a value", [S_BITS], False)
    yield from judged_field("deflate.window", C_BITS + " without a value", [C_BITS], False, "c")


def unlawful():
    both = [S_FRESH, C_FRESH, S_BITS + "=10", C_BITS + "=10"]
    for word in both:
        yield from judged_field("deflate.unlawful", word + " twice", [word, word], False)
        yield from judged_field("deflate.unlawful", word + " twice, apart", [word, *(b for b in both if b != word),
                                                                           word], False)
    for one, two in ((9, 10), (15, 9)):
        for name in (S_BITS, C_BITS):
            yield from judged_field("deflate.unlawful", "%s=%d and =%d" % (name, one, two),
                                    ["%s=%d" % (name, one), "%s=%d" % (name, two)], False)
    yield from judged_field("deflate.unlawful", C_BITS + " with and without a value",
                            [C_BITS + "=9", C_BITS], False, "s")
    for name in (S_FRESH, C_FRESH):
        for value in ("1", "true", "15", "\"1\""):
            yield from judged_field("deflate.unlawful", "%s=%s" % (name, value), ["%s=%s" % (name, value)], False)
    for word in ("unknown", "x=1", "max_window_bits=9", "Server_No_Context_Takeover", "server_no_context_takeover2",
                 "mem_level=8", "__proto__", "constructor=1", "toString", "hasOwnProperty", "length=1"):
        yield from judged_field("deflate.unlawful", word, [word], False)
        yield from judged_field("deflate.unlawful", word + " among others", [S_FRESH, word, C_FRESH], False)


def choices():
    sends, hears = said("prose", (1, 2), 500)
    for field, agrees in {
            "x-unknown, %s" % DEFLATE: "yes", "%s, x-unknown" % DEFLATE: "yes", "x-unknown": "no",
            "x-unknown; a=1; b=\"2\"": "no", "Permessage-Deflate": "no", "x-webkit-deflate-frame": "no",
            "__proto__": "no", "constructor; a": "no", "toString=1, a": "",
            "%s; unknown, %s" % (DEFLATE, DEFLATE): "yes", "%s; %s=7, %s" % (DEFLATE, S_BITS, DEFLATE): "yes",
            "%s; %s; %s, %s; %s" % (DEFLATE, S_FRESH, S_FRESH, DEFLATE, C_FRESH): "yes",
            "%s; %s=9, %s; %s=10, %s" % (DEFLATE, S_BITS, DEFLATE, S_BITS, DEFLATE): "yes",
            ", ,%s" % DEFLATE: "yes", "%s ;  %s  ,x" % (DEFLATE, S_FRESH): "yes",
            "%s;%s;%s" % (DEFLATE, S_FRESH, C_FRESH): "yes"}.items():
        if agrees:
            yield Case("deflate.choice", field, sends, hears, field=field, agrees=agrees, roles="s")
    for field in ("x-unknown", "%s, x-unknown" % DEFLATE, "%s, %s" % (DEFLATE, DEFLATE), "Permessage-Deflate",
                  "permessage-bzip2", "__proto__"):
        yield Case("deflate.choice", field + " chosen by a server", ends=REFUSED, field=field, roles="c")


def grammar():
    for field in ("%s;" % DEFLATE, ";", "%s;;%s" % (DEFLATE, S_FRESH), "%s; =9" % DEFLATE, "%s; %s=" % (DEFLATE, S_BITS),
                  "%s; %s=\"9" % (DEFLATE, S_BITS), "%s; %s=\"\"" % (DEFLATE, S_BITS), "%s %s" % (DEFLATE, S_FRESH),
                  "%s; %s=9 9" % (DEFLATE, S_BITS), "%s; %s=\"9\"9" % (DEFLATE, S_BITS), "%s/1" % DEFLATE,
                  "\"%s\"" % DEFLATE, "%s; \"%s\"" % (DEFLATE, S_FRESH), "%s; %s==9" % (DEFLATE, S_BITS),
                  "%s; %s=\"9,%s\"" % (DEFLATE, S_BITS, DEFLATE), "%s; a=\"b;c\"" % DEFLATE, "%s; a=\"\\" % DEFLATE,
                  "%s; a=\"\\\"\"" % DEFLATE, "%s, a b" % DEFLATE, "a=1, %s" % DEFLATE, "%s; a=\x00" % DEFLATE):
        yield Case("deflate.grammar", field.replace("\x00", "NUL"), ends=REFUSED, field=field)


def rsv(data, fin=FIN, kind=TEXT):
    return Frame(fin | RSV1 | kind, data)


def blocks():
    hello = ("text", b"Hello")
    fixed, stored = deflated(b"Hello"), b"\x00\x05\x00\xfa\xffHello\x00"
    final = bytes([fixed[0] | 1]) + fixed[1:]  # BFINAL is the stream's first bit
    several = zlib.compressobj(6, zlib.DEFLATED, -15)
    parts = b"".join(several.compress(p) + several.flush(f) for p, f in (
        (b"He", zlib.Z_FULL_FLUSH), (b"l", zlib.Z_SYNC_FLUSH), (b"lo", zlib.Z_SYNC_FLUSH)))[:-4]
    dynamic = deflated(prose(5000, 3), level=9)
    for name, sends, hears in (
            ("one of fixed codes", (rsv(fixed),), (hello,)),
            ("one that is stored", (rsv(stored),), (hello,)),
            ("one of dynamic codes", (rsv(dynamic),), (("text", prose(5000, 3)),)),
            ("one marked final", (rsv(final), rsv(final)), (hello,) * 2),
            ("one marked final, and a byte of none", (rsv(final + b"\0"), rsv(fixed)), (hello,) * 2),
            ("three, with flushes between", (rsv(parts),), (hello,)),
            ("a final one and another", (rsv(final + stored),), (("text", b"HelloHello"),)),
            ("empty stored ones around it", (rsv(b"\0\0\0\xff\xff" * 3 + stored),), (hello,)),
            ("all that a stored one can hold", (rsv(b"\0\xff\xff\0\0" + b"x" * 65535 + b"\0"),),
             (("text", b"x" * 65535),))):
        yield Case("deflate.blocks", name, sends, hears, field=DEFLATE)
        yield Case("deflate.blocks", name + ", in writes of few", sends, hears, field=DEFLATE,
                   chop=1 if len(sends[0].payload) < 3000 else 501)
    for name, body in {"a zero byte": b"\0", "a fixed block": b"\x02\0", "an empty stored block": b"\0\0\0\xff\xff\0",
                       "a final one": b"\x03\0"}.items():
        for kind in (TEXT, BINARY):
            yield Case("deflate.empty", "%s, %s, three times" % (name, NAMES[kind]),
                       (rsv(body, kind=kind),) * 3 + (text(b"a"),), ((NAMES[kind], b""),) * 3 + (("text", b"a"),),
                       field=DEFLATE)
    for name, frames in {"empty fragments around": [b"", deflated(b"Hello"), b""],
                         "an empty one first": [b"", deflated(b"Hello")]}.items():
        frames = fragments(TEXT, frames)
        yield Case("deflate.empty", name, (frames[0]._replace(first=RSV1 | TEXT), *frames[1:]), (hello,),
                   field=DEFLATE)


def cuts():
    data = prose(300, 9)
    body = deflated(data)
    for cut in range(len(body) + 1):
        yield Case("deflate.cut", "after %d" % cut, (rsv(body[:cut], 0), ping(b"!"), Frame(FIN, body[cut:])),
                   (("pong", b"!"), ("text", data)), field=DEFLATE)
    frames = fragments(TEXT, pieces(body, 1))
    yield Case("deflate.cut", "a fragment a byte", (frames[0]._replace(first=RSV1 | TEXT), *frames[1:]),
               (("text", data),), field=DEFLATE)
    plain = [text(b"plain"), Message(TEXT, data), text(b"plain"), binary(b"\0"), Message(TEXT, data), ping(b"!")]
    yield Case("deflate.between", "plain ones", tuple(plain), (
        ("text", b"plain"), ("text", data), ("text", b"plain"), ("binary", b"\0"), ("text", data), ("pong", b"!")),
        field=DEFLATE)
    yield Case("deflate.between", "plain ones in fragments", (
        rsv(body), *fragments(TEXT, [b"a", b"b"]), rsv(body)), (("text", data), ("text", b"ab"), ("text", data)),
        field=DEFLATE)
    yield Case("deflate.between", "nothing but plain ones", (text(data), binary(b"")),
               (("text", data), ("binary", b"")), field=DEFLATE)
    yield Case("deflate.between", "a compressed one inside a plain one", (Frame(TEXT, b"a"), rsv(body)),
               ends=fails(1002), field=DEFLATE)
    yield Case("deflate.between", "a compressed one where that was not agreed", (rsv(body),), ends=fails(1002))


# "Hello" by reference to a "Hello" before it (RFC 7692 7.2.3.2).
BACK = b"\xf2\x00\x11\x00\x00"


def takeovers():
    first = deflated(b"Hello")
    hello = ("text", b"Hello")
    yield Case("deflate.takeover", "twice, the second by reference", (rsv(first), rsv(BACK), rsv(BACK)), (hello,) * 3,
               field=DEFLATE)
    yield Case("deflate.takeover", "over plain and empty messages", (
        rsv(first), text(b"plain"), rsv(b"\0"), rsv(BACK)), (hello, ("text", b"plain"), ("text", b""), hello),
        field=DEFLATE)
    for role, word in (("s", C_FRESH), ("c", S_FRESH)):
        yield Case("deflate.takeover", "by reference, against %s" % word, (rsv(first), rsv(BACK)), (hello,),
                   fails(1007), "%s; %s" % (DEFLATE, word), "yes", role)
    far = random.Random(7).randbytes(20000)
    sends = tuple(Message(BINARY, d) for d in (far, far, far[5000:]))
    yield Case("deflate.takeover", "far back", sends, tuple(("binary", m.data) for m in sends), field=DEFLATE)


def broken():
    body = deflated(prose(400, 2))
    for name, bad in {"an undefined block": b"\x07\0", "a stored length that does not match": b"\0\5\0\0\0Hello\0",
                      "a reach back before the start": b"\x02\x41\0\0", "noise": b"\xde\xad\xbe\xef" * 10,
                      "plain text": b"Hello, this is not compressed", "cut in a stored block": b"\0\6\0\xf9\xffH",
                      "cut in the codes": body[:60], "a bit turned": body[:30] + bytes([body[30] ^ 0xff]) + body[31:],
                      "another wrapping": zlib.compress(b"Hello")}.items():
        yield Case("deflate.broken", name, (rsv(bad, kind=BINARY),), ends=fails(1007), field=DEFLATE)
        yield Case("deflate.broken", name + ", in fragments",
                   (rsv(bad[:2], 0, BINARY), Frame(FIN, bad[2:])), ends=fails(1007), field=DEFLATE)
    bomb = deflated(bytes(80 << 20), level=1)
    yield Case("deflate.bomb", "80 MiB of zeros", (rsv(bomb, kind=BINARY),), ends=fails(1009), field=DEFLATE)
    frames = fragments(BINARY, pieces(bomb, 16384))
    yield Case("deflate.bomb", "80 MiB of zeros in fragments", (frames[0]._replace(first=RSV1 | BINARY), *frames[1:]),
               ends=fails(1009), field=DEFLATE)
    for limit, n in ((1000, 1001), (100, 100000)):
        yield Case("deflate.bomb", "%d bytes with a limit of %d" % (n, limit),
                   (rsv(deflated(bytes(n)), kind=BINARY),), ends=fails(1009), field=DEFLATE, limit=limit)


def cases():
    for group in (parameters, windows, unlawful, choices, grammar, echoes, blocks, cuts, takeovers, broken):
        yield from group()
