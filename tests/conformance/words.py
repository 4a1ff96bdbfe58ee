# SPDX-License-Identifier: MIT
"""Text (RFC 6455 8.1, RFC 3629) and the closing handshake (sections 5.5.1 and 7)."""
from case import (BINARY, CLOSE, DEFLATE, FIN, GONE, RSV1, TEXT, Case, Frame, Message, answers, binary, close,
                  deflated, fails, fragments, pieces, ping, shortest, text)

RULES = {
    "text.valid": ("RFC 6455 8.1", "every valid text comes back, in whatever fragments"),
    "text.cut": ("RFC 6455 5.6", "a character may be cut by fragments anywhere"),
    "text.invalid": ("RFC 6455 8.1", "text that is not UTF-8 fails"),
    "text.prompt": ("RFC 6455 8.1", "it fails at its first bad byte, inside an unfinished frame"),
    "text.fragment": ("RFC 6455 8.1", "it fails in the fragment that has it, before the message ends"),
    "text.open": ("RFC 6455 8.1", "text that ends inside a character fails"),
    "text.deflate": ("RFC 7692 6.2", "compressed text is judged as it inflates"),
    "binary.any": ("RFC 6455 5.6", "binary messages may hold any bytes"),
    "close.code": ("RFC 6455 7.4", "a code that may be sent is answered with itself"),
    "close.forbidden": ("RFC 6455 7.4", "a code that may not be sent fails"),
    "close.empty": ("RFC 6455 5.5.1", "a close frame without a code is answered without one"),
    "close.one-byte": ("RFC 6455 5.5.1", "a close frame of one byte fails"),
    "close.reason": ("RFC 6455 5.5.1", "a reason of up to 123 bytes of text is taken"),
    "close.not-text": ("RFC 6455 5.5.1", "a reason that is not UTF-8 fails"),
    "close.last": ("RFC 6455 5.5.1", "after a close frame nothing is answered"),
    "close.inside": ("RFC 6455 5.4", "a close frame inside a message is answered, the message is dropped"),
    "close.half": ("RFC 6455 7.1.5", "when the peer ends its side of TCP the connection ends, with all answers given"),
}

# Whole texts: first and last of each length (RFC 3629 3), around the surrogates, noncharacters.
VALID = {
    "Greek": "κόσμε".encode(),
    "ASCII": bytes(range(128)),
    "NUL": b"\0",
    "U+007F": b"\x7f",
    "U+0080": b"\xc2\x80",
    "U+07FF": b"\xdf\xbf",
    "U+0800": b"\xe0\xa0\x80",
    "U+0FFF": b"\xe0\xbf\xbf",
    "U+1000": b"\xe1\x80\x80",
    "U+CFFF": b"\xec\xbf\xbf",
    "U+D000": b"\xed\x80\x80",
    "U+D7FF": b"\xed\x9f\xbf",
    "U+E000": b"\xee\x80\x80",
    "U+FDD0": b"\xef\xb7\x90",
    "U+FEFF": b"\xef\xbb\xbf",
    "U+FFFD": b"\xef\xbf\xbd",
    "U+FFFE": b"\xef\xbf\xbe",
    "U+FFFF": b"\xef\xbf\xbf",
    "U+10000": b"\xf0\x90\x80\x80",
    "U+1FFFE": b"\xf0\x9f\xbf\xbe",
    "U+3FFFF": b"\xf0\xbf\xbf\xbf",
    "U+40000": b"\xf1\x80\x80\x80",
    "U+FFFFF": b"\xf3\xbf\xbf\xbf",
    "U+100000": b"\xf4\x80\x80\x80",
    "U+10FFFF": b"\xf4\x8f\xbf\xbf",
    "lengths mixed": "aé☕𝄞".encode() * 20,
    "a long one": "Nur die Zeit prüft, ob ein Wort hält: ☕ ".encode() * 30,
}

# Each is wrong in itself: no text may hold it.
WRONG = {
    "a tail alone": [b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80"],
    "a lead before ASCII": [b"\xc2 ", b"\xdf ", b"\xe0 ", b"\xe1\x80 ", b"\xef ", b"\xf0 ", b"\xf1\x80 ",
                            b"\xf1\x80\x80 ", b"\xf4\x8f\xbf "],
    "a lead before a lead": [b"\xc2\xc2", b"\xe1\xe1", b"\xe1\x80\xc2", b"\xf1\x80\xf1", b"\xf1\x80\x80\xe1"],
    "a tail too many": [b"\xc2\x80\x80", b"\xe1\x80\x80\x80", b"\xf1\x80\x80\x80\x80"],
    "overlong": [b"\xc0\x80", b"\xc0\xaf", b"\xc1\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe0\x80\xaf", b"\xe0\x9f\xbf",
                 b"\xf0\x80\x80\x80", b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf8\x80\x80\x80\xaf",
                 b"\xfc\x80\x80\x80\x80\xaf"],
    "a surrogate": [b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80",
                    b"\xed\xbe\x80", b"\xed\xbf\xbf"],
    "two surrogates": [b"\xed\xa0\x80\xed\xb0\x80", b"\xed\xad\xbf\xed\xbf\xbf", b"\xed\xae\x80\xed\xb0\x80",
                       b"\xed\xaf\xbf\xed\xbf\xbf"],
    "past U+10FFFF": [b"\xf4\x90\x80\x80", b"\xf4\xbf\xbf\xbf", b"\xf5\x80\x80\x80", b"\xf7\xbf\xbf\xbf"],
    "five or six bytes": [b"\xf8\x88\x80\x80\x80", b"\xfb\xbf\xbf\xbf\xbf", b"\xfc\x84\x80\x80\x80\x80",
                          b"\xfd\xbf\xbf\xbf\xbf\xbf"],
    "no byte of UTF-8": [b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"],
}
# Nothing is wrong yet, but the character never ends.
UNFINISHED = [b"\xc2", b"\xdf", b"\xe0", b"\xe0\xa0", b"\xe1\x80", b"\xed\x9f", b"\xef\xbf", b"\xf0", b"\xf0\x90",
              b"\xf0\x90\x80", b"\xf1\x80\x80", b"\xf4\x8f", b"\xf4\x8f\xbf"]


def may_become_text(data):
    """Whether some bytes behind it make it one."""
    for tail in (b"", *(bytes([first]) + b"\x80" * n for first in (0x80, 0x90, 0xa0) for n in range(3))):
        try:
            (data + tail).decode()
            return True
        except UnicodeDecodeError:
            pass
    return False


def first_bad(data):
    """Index of the first byte that no text can have there."""
    return next(i for i in range(len(data)) if not may_become_text(data[:i + 1]))


def valid_texts():
    for what, data in VALID.items():
        hears = (("text", data),)
        yield Case("text.valid", "%s, whole" % what, (text(data),), hears)
        yield Case("text.valid", "%s, in writes of one" % what, (text(data),), hears, chop=1)
        characters = [c.encode() for c in data.decode()]
        yield Case("text.valid", "%s, a fragment a character" % what, fragments(TEXT, characters), hears)
        yield Case("text.valid", "%s, a fragment a byte" % what, fragments(TEXT, pieces(data, 1)), hears)
    data = "aé☕𝄞\U0010ffff\ue000\ud7ff".encode()
    for cut in range(len(data) + 1):
        yield Case("text.cut", "after %d" % cut, fragments(TEXT, [data[:cut], data[cut:]]), (("text", data),))
        yield Case("text.cut", "after %d, a ping between" % cut,
                   (Frame(TEXT, data[:cut]), ping(b"!"), Frame(FIN, data[cut:])),
                   (("pong", b"!"), ("text", data)), chop=1)


def bad_texts():
    for what, rows in WRONG.items():
        for bad in rows:
            name = "%s, %s" % (what, bad.hex())
            data = "κόσμε".encode() + bad + b"edited"
            at = first_bad(data)
            yield Case("text.invalid", name, (text(bad),), ends=fails(1007))
            yield Case("text.invalid", name + " between others", (text(data), ping()), ends=fails(1007))
            announced = Frame(FIN | TEXT, data[:at + 1], shortest(len(data) + 200))
            yield Case("text.prompt", name, (announced,), ends=fails(1007), prompt=True)
            announced = Frame(TEXT, data[:at + 1], shortest(66000))
            yield Case("text.prompt", name + ", in writes of one", (announced,), ends=fails(1007), chop=1, prompt=True)
            yield Case("text.fragment", name, (Frame(TEXT, data[:at + 1]),), ends=fails(1007), prompt=True)
            yield Case("text.fragment", name + ", a fragment a byte", fragments(TEXT, pieces(data, 1))[:at + 1],
                       ends=fails(1007), prompt=True)
    for bad in UNFINISHED:
        yield Case("text.open", bad.hex(), (text(b"open: " + bad),), ends=fails(1007))
        yield Case("text.open", bad.hex() + ", an empty fragment last", fragments(TEXT, [b"open: " + bad, b""]),
                   ends=fails(1007))
        yield Case("text.open", bad.hex() + ", cut there", fragments(TEXT, [b"open: " + bad, b" "])[:1] + (
            Frame(FIN, b" ", shortest(100)),), ends=fails(1007), prompt=True)
        yield Case("text.open", bad.hex() + ", a whole text next", (text(b"open: " + bad), text(b"\x80")),
                   ends=fails(1007))


def compressed_texts():
    for what, rows in WRONG.items():
        body = deflated("κόσμε".encode() + rows[0] + b"edited")
        yield Case("text.deflate", what, (Frame(FIN | RSV1 | TEXT, body),), ends=fails(1007), field=DEFLATE)
        yield Case("text.deflate", what + ", in fragments",
                   (Frame(RSV1 | TEXT, body[:5]), Frame(0, body[5:]), Frame(FIN, b"")), ends=fails(1007), field=DEFLATE)
        stored = deflated(rows[0] + b"edited" * 10, level=0)
        announced = Frame(FIN | RSV1 | TEXT, stored[:-20], shortest(len(stored)))
        yield Case("text.deflate", what + ", the frame unfinished", (announced,), ends=fails(1007), field=DEFLATE)
    for bad in UNFINISHED[:6]:
        yield Case("text.deflate", "open, " + bad.hex(), (Frame(FIN | RSV1 | TEXT, deflated(bad)),),
                   ends=fails(1007), field=DEFLATE)
    data = "aé☕𝄞".encode()
    for cut in range(1, len(deflated(data))):
        frames = fragments(TEXT, [deflated(data)[:cut], deflated(data)[cut:]])
        yield Case("text.deflate", "valid, cut after %d" % cut,
                   (frames[0]._replace(first=RSV1 | TEXT), frames[1]), (("text", data),), field=DEFLATE)


def any_bytes():
    for what, rows in WRONG.items():
        data = b"".join(rows)
        yield Case("binary.any", what, (binary(data),), (("binary", data),))
    data = bytes(range(256))
    yield Case("binary.any", "in fragments", fragments(BINARY, pieces(data, 3)), (("binary", data),))
    yield Case("binary.any", "compressed", (Message(BINARY, data), Message(BINARY, data, 7)),
               (("binary", data),) * 2, field=DEFLATE)


MAY = [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3001, 3333, 3999, 4000, 4001, 4999]
MAY_NOT = [0, 1, 10, 999, 1004, 1005, 1006, 1015, 1016, 1099, 1100, 1999, 2000, 2999, 5000, 5001, 9999, 32768, 65535]


def closes():
    for code in MAY:
        yield Case("close.code", str(code), (close(code),), ends=answers(code))
        yield Case("close.code", "%d with a reason" % code, (close(code, "☕ ends".encode()),), ends=answers(code))
    for code in MAY_NOT:
        yield Case("close.forbidden", str(code), (close(code),), ends=fails(1002))
        yield Case("close.forbidden", "%d with a reason" % code, (close(code, b"why"),), ends=fails(1002))
    yield Case("close.empty", "at once", (Frame(FIN | CLOSE),), ends=answers(None))
    yield Case("close.empty", "after a message", (text(b"a"), Frame(FIN | CLOSE)), (("text", b"a"),), answers(None))
    for byte in (0, 3, 0x80, 0xff):
        yield Case("close.one-byte", "%02x" % byte, (Frame(FIN | CLOSE, bytes([byte])),), ends=fails(1002))
    for n in (1, 2, 50, 121, 122, 123):
        yield Case("close.reason", "%d bytes" % n, (close(1000, b"x" * n),), ends=answers(1000), chop=n & 1)
    yield Case("close.reason", "of many characters", (close(4000, ("☕" * 41).encode()),), ends=answers(4000))
    for what, rows in WRONG.items():
        yield Case("close.not-text", what, (close(1000, b"why " + rows[0]),), ends=fails(1007))
    for bad in UNFINISHED[:4]:
        yield Case("close.not-text", "open, %s" % bad.hex(), (close(1000, bad),), ends=fails(1007))


def afterwards():
    for what, after in {"a text": text(b"late"), "a ping": ping(b"late"), "the same again": close(),
                        "another code": close(4000), "an empty one": Frame(FIN | CLOSE),
                        "a broken frame": Frame(0xff, b"late"), "bad text": text(b"\xff"),
                        "a forbidden code": close(1005), "a large message": binary(b"x" * 100000)}.items():
        yield Case("close.last", what, (close(), after), ends=answers(1000))
        yield Case("close.last", what + ", a message before", (text(b"a"), close(3000), after), (("text", b"a"),),
                   answers(3000))
    opened = Frame(TEXT, b"frag")
    for what, more in {"and no more": (), "and the rest after it": (Frame(FIN, b"ment"),)}.items():
        yield Case("close.inside", "after the first fragment, " + what, (opened, close(4001), *more),
                   ends=answers(4001))
    yield Case("close.inside", "after two, with a ping before",
               (opened, Frame(0, b"men"), ping(b"!"), close(1001)), (("pong", b"!"),), answers(1001))
    for chop in (1, 2, 3):
        yield Case("close.code", "in writes of %d" % chop, (text(b"a"), close(4999, b"slowly")), (("text", b"a"),),
                   answers(4999), chop=chop)


def half_closed():
    large = b"x" * 300000
    rows = {
        "at once": ((), (), GONE),
        "after a message": ((text(b"a"),), (("text", b"a"),), GONE),
        "after a ping": ((ping(b"a"),), (("pong", b"a"),), GONE),
        "inside a frame": ((text(b"a"), text(b"never", cut=4)), (("text", b"a"),), GONE),
        "inside a message": ((Frame(TEXT, b"never"),), (), GONE),
        "inside a header": ((ping(b"a"), b"\x81"), (("pong", b"a"),), GONE),
        "after the close frame": ((text(b"a"), close(4000)), (("text", b"a"),), answers(4000)),
        "after a large message and the close frame": ((binary(large), close(4000)), (("binary", large),),
                                                      answers(4000)),
        "after ten large messages and the close frame": ((binary(large),) * 10 + (close(4000),),
                                                         (("binary", large),) * 10, answers(4000)),
        "after a broken frame": ((text(b"a"), Frame(0xff)), (("text", b"a"),), fails(1002)),
    }
    for what, (sends, hears, ends) in rows.items():
        yield Case("close.half", what, sends, hears, ends, half_close=True)
    stream = ((text(b"a"), ("text", b"a")), (ping(b"b"), ("pong", b"b")), (Frame(BINARY, b"c"), None),
              (Frame(FIN, b"d"), ("binary", b"cd")), (text(b"e" * 126), ("text", b"e" * 126)))
    for i, (frame, _) in enumerate(stream):
        before, heard = [f for f, _ in stream[:i]], [e for _, e in stream[:i] if e]
        for cut in range(1, 8):  # a client's frame has as many bytes at least
            yield Case("close.half", "after %d of frame %d" % (cut, i + 1), (*before, frame._replace(cut=cut)),
                       tuple(heard + [e for e in [stream[i][1]] if e and cut == 7 and i < 4]), GONE,
                       roles="s", half_close=True)


def cases():
    for group in (valid_texts, bad_texts, compressed_texts, any_bytes, closes, afterwards, half_closed):
        yield from group()
