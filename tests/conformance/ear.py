# SPDX-License-Identifier: MIT
"""Reads what an endpoint sends, strictly: frames to events."""
import struct
import zlib

from case import CLOSE, FIN, RSV1, TEXT, mask

NAMES = {1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


class Broken(Exception):
    """The endpoint under test itself broke a rule."""


def may_be_sent(code):
    """In a close frame (RFC 6455 7.4)."""
    return code in range(1000, 1004) or code in range(1007, 1015) or code in range(3000, 5000)


def as_text(data, what):
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Broken(what) from error


class Ear:
    def __init__(self, from_client, terms=None):
        self.from_client, self.terms = from_client, terms
        self.bytes = bytearray()
        self.need = 2  # bytes without which nothing more can be said
        self.kind, self.parts, self.compressed, self.z = 0, [], False, None
        self.events = []
        self.keys = []  # the masks of what came
        self.closed = False

    def feed(self, data):
        self.bytes += data
        while len(self.bytes) >= self.need and self._frame():
            pass

    def _frame(self):
        """Take one frame; False when it is not all there."""
        first, second = self.bytes[0], self.bytes[1]
        n, at = second & 127, 2
        if n > 125:
            size = 2 if n == 126 else 8
            if len(self.bytes) < 2 + size:
                return self._wants(2 + size)
            n, at = int.from_bytes(self.bytes[2:2 + size], "big"), 2 + size
            if n < (126 if size == 2 else 1 << 16) or n >> 63:
                raise Broken("announces %d bytes in %d" % (n, size))
        if bool(second & 128) != self.from_client:
            raise Broken("masks wrongly")
        head = at + (4 if self.from_client else 0)
        if len(self.bytes) < head + n:
            return self._wants(head + n)
        payload = bytes(memoryview(self.bytes)[head:head + n])
        if self.from_client:
            self.keys.append(bytes(self.bytes[at:head]))
            payload = mask(payload, self.keys[-1])
        del self.bytes[:head + n]
        self.need = 2
        self._take(first, payload)
        return True

    def _wants(self, n):
        self.need = n
        return False

    def _take(self, first, payload):
        opcode = first & 15
        if self.closed:
            raise Broken("sends after its close frame")
        if first & 0x30 or (first & RSV1 and not (self.terms and opcode in (1, 2))):
            raise Broken("sets reserved bits")
        if opcode & 8:
            self._control(first, opcode, payload)
            return
        if opcode not in (0, 1, 2) or (opcode == 0) != (self.kind != 0):
            raise Broken("sends opcode %d out of place" % opcode)
        if opcode:
            self.kind, self.compressed = opcode, bool(first & RSV1)
        self.parts.append(payload)
        if first & FIN:
            data = b"".join(self.parts)
            data = self._inflate(data) if self.compressed else data
            if self.kind == TEXT:
                as_text(data, "sends text that is none")
            self.events.append((NAMES[self.kind], data))
            self.kind, self.parts = 0, []

    def _control(self, first, opcode, payload):
        if not first & FIN or len(payload) > 125 or opcode not in NAMES:
            raise Broken("sends a broken control frame")
        if opcode != CLOSE:
            self.events.append((NAMES[opcode], payload))
            return
        if len(payload) == 1:
            raise Broken("sends a close frame of one byte")
        code = struct.unpack(">H", payload[:2])[0] if payload else None
        if code is not None and not may_be_sent(code):
            raise Broken("closes with %d" % code)
        as_text(payload[2:], "closes with a reason that is not text")
        self.events.append(("close", code))
        self.closed = True

    def _inflate(self, data):
        """Within the window and takeover that were agreed, so a breach shows."""
        bits = self.terms.client_bits if self.from_client else self.terms.server_bits
        takeover = self.terms.client_takeover if self.from_client else self.terms.server_takeover
        if not self.z or not takeover or self.z.eof:
            self.z = zlib.decompressobj(-bits)
        try:
            out = self.z.decompress(data + b"\0\0\xff\xff")
        except zlib.error as error:
            raise Broken("compresses against the agreement: %s" % error) from error
        return out
