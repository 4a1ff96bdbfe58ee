# SPDX-License-Identifier: MIT
"""What a case is: frames to send, what has to come back, and how it ends.

A row says nothing of roles: frames are masked as their sender has to, so the
same row is played to a server and to a client."""
import struct
import zlib
from typing import NamedTuple, Optional

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40
LIMIT = 64 << 20  # what every endpoint is told to take

DEFLATE = "permessage-deflate"


class Frame(NamedTuple):
    first: int  # FIN, RSV, opcode
    payload: bytes = b""
    length: Optional[bytes] = None  # as announced; None: the payload's, in the shortest way
    masked: Optional[bool] = None  # None: as its sender has to
    key: Optional[bytes] = None  # None: another one for each frame
    cut: Optional[int] = None  # send this many bytes of it only


class Message(NamedTuple):
    """A message that is compressed when that was agreed."""
    kind: int
    data: bytes
    part: Optional[int] = None  # bytes of a fragment


# How it ends: (what, close code)
OPEN = ("open", 1000)  # it goes on until the player closes with 1000


def fails(code):
    """The peer has to fail the connection with this code (RFC 6455 7.1.7)."""
    return ("fails", code)


def answers(code):
    """The close frame among those sent is answered with this code, or None."""
    return ("answers", code)


GONE = ("gone", None)  # TCP ends, without a close frame
REFUSED = ("refused", None)  # there is no connection: the handshake fails


class Case(NamedTuple):
    rule: str  # a row of table.RULES
    name: str
    sends: tuple = ()
    hears: tuple = ()  # events: ("text", bytes), ("pong", bytes), ...
    ends: tuple = OPEN
    field: Optional[str] = None  # Sec-WebSocket-Extensions, offered or answered
    agrees: str = ""  # to compression: "yes", "no", "lawfully" (either), "" as it is needed
    roles: str = "sc"  # those that the case is about: server, client
    chop: int = 0  # bytes of a write
    prompt: bool = False  # fails at the very last byte that is sent, not before
    half_close: bool = False  # the player ends its side of TCP after sending
    limit: int = LIMIT  # another one: in process only

    @property
    def id(self):
        return "%s/%s" % (self.rule, self.name)


class Terms(NamedTuple):
    """permessage-deflate as agreed (RFC 7692 7.1)."""
    server_takeover: bool = True
    client_takeover: bool = True
    server_bits: int = 15
    client_bits: int = 15


def shortest(n):
    """The seven bits of a length and what follows (RFC 6455 5.2)."""
    if n < 126:
        return bytes([n])
    return struct.pack(">BH", 126, n) if n < 1 << 16 else struct.pack(">BQ", 127, n)


def mask(data, key):
    n = len(data)
    if n < 1 or key == bytes(4):
        return data
    keys = (key * (n // 4 + 1))[:n]
    return (int.from_bytes(data, "little") ^ int.from_bytes(keys, "little")).to_bytes(n, "little")


def close(code=1000, reason=b""):
    return Frame(FIN | CLOSE, struct.pack(">H", code) + reason)


def text(data, **more):
    return Frame(FIN | TEXT, data, **more)


def binary(data, **more):
    return Frame(FIN | BINARY, data, **more)


def ping(data=b""):
    return Frame(FIN | PING, data)


def fragments(kind, parts):
    """A message of these parts, a frame each."""
    last = len(parts) - 1
    return tuple(Frame((FIN if i == last else 0) | (CONTINUATION if i else kind), part)
                 for i, part in enumerate(parts))


def pieces(data, size):
    return [data[i:i + size] for i in range(0, len(data), size)] or [b""]


def deflated(data, bits=15, level=6, flush=zlib.Z_SYNC_FLUSH):
    """One message's payload, compressed on its own (RFC 7692 7.2.1)."""
    return _without_tail(zlib.compressobj(level, zlib.DEFLATED, -bits), data, flush)


def _without_tail(z, data, flush=zlib.Z_SYNC_FLUSH):
    out = z.compress(data) + z.flush(flush)
    return out[:-4] if out.endswith(b"\0\0\xff\xff") else out


class Mouth:
    """Turns steps into bytes, as a client or as a server."""

    def __init__(self, as_client, terms=None):
        self.as_client, self.terms, self.z, self.n = as_client, terms, None, 0

    def _key(self):
        self.n += 1
        return struct.pack(">I", self.n * 2654435761 & 0xffffffff)

    def _frame(self, frame):
        length = frame.length or shortest(len(frame.payload))
        masked = self.as_client if frame.masked is None else frame.masked
        head = bytes([frame.first, length[0] | (0x80 if masked else 0)]) + length[1:]
        if not masked:
            out = head + frame.payload
        else:
            key = frame.key or self._key()
            out = head + key + mask(frame.payload, key)
        return out[:frame.cut]

    def _compressor(self):
        bits = self.terms.client_bits if self.as_client else self.terms.server_bits
        takeover = self.terms.client_takeover if self.as_client else self.terms.server_takeover
        if bits < 9:  # zlib makes none: the message goes as it is
            return None
        if not self.z or not takeover:
            self.z = zlib.compressobj(3, zlib.DEFLATED, -bits)
        return self.z

    def _message(self, message):
        z = self._compressor() if self.terms else None
        data = _without_tail(z, message.data) if z else message.data
        frames = fragments(message.kind, pieces(data, message.part or max(len(data), 1)))
        if z:
            frames = (frames[0]._replace(first=frames[0].first | RSV1), *frames[1:])
        return b"".join(map(self._frame, frames))

    def say(self, step):
        if isinstance(step, Frame):
            return self._frame(step)
        return self._message(step) if isinstance(step, Message) else step

    def say_all(self, steps):
        return b"".join(map(self.say, steps))
