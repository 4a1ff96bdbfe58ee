# SPDX-License-Identifier: MIT
"""by_hand.py PORT MODE VARIANT: an echo whose answer to the handshake is written
by hand, as devices, bridges and small gateways do it: right in an unusual way,
or wrong in one. The mended variant has the usual answer."""
import asyncio
import base64
import hashlib
import struct
import sys

PORT, MODE = int(sys.argv[1]), sys.argv[2]
FIXED = sys.argv[3] == "fixed"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def proof(key):
    return base64.b64encode(hashlib.sha1((key + GUID).encode("latin-1")).digest()).decode()


def frame(kind, data=b""):
    return bytes([0x80 | kind, len(data)]) + data


def head(*lines):
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def accepted(fields, *more, status="101 Switching Protocols", accept=None):
    return head("HTTP/1.1 " + status, "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Accept: " + (accept or proof(fields.get("sec-websocket-key", ""))),
                *more)


def plain(status, body, kind="text/plain"):
    return head("HTTP/1.1 " + status, "Content-Type: " + kind,
                "Content-Length: %d" % len(body), "Connection: close") + body


# What a mode sends: bytes, and between them seconds to wait. "end" is the end.

def usual(fields, visitors):
    yield accepted(fields)


def banner(fields, visitors):
    """Text follows at once, where frames should."""
    yield accepted(fields) + b"login: "
    yield 20
    yield "end"


def early_hints(fields, visitors):
    yield head("HTTP/1.1 103 Early Hints", "Link: </app.css>; rel=preload; as=style")
    yield 0.2
    yield accepted(fields)


def odd_case(fields, visitors):
    yield head("HTTP/1.1 101 Web Socket Protocol Handshake", "server: gateway/2",
               "UPGRADE: WebSocket", "connection:keep-alive, Upgrade",
               "sec-websocket-accept:   " + proof(fields.get("sec-websocket-key", "")) + "  ",
               "Access-Control-Allow-Origin: *", "Set-Cookie: a=b; Path=/", "X-Powered-By: x")


def pings(fields, visitors):
    greeting = b'{"type":"hello","interval":41250}'
    yield accepted(fields) + frame(PING, b"hb") + frame(TEXT, greeting) + frame(PING)


def deflate(fields, visitors):
    offered = "permessage-deflate" in fields.get("sec-websocket-extensions", "")
    chosen = ("permessage-deflate; server_no_context_takeover; "
              "client_no_context_takeover; server_max_window_bits=12")
    yield accepted(fields, *["Sec-WebSocket-Extensions: " + chosen] * offered)


def in_pieces(fields, visitors):
    answer = accepted(fields)
    for at in range(0, len(answer), 7):
        yield answer[at:at + 7]
        yield 0.05


def key_with_its_end(fields, visitors):
    """The proof is over the line, with its carriage return."""
    yield accepted(fields, accept=proof(fields.get("sec-websocket-key", "") + "\r"))


def key_in_small_letters(fields, visitors):
    yield accepted(fields, accept=proof(fields.get("sec-websocket-key", "").lower()))


def status_200(fields, visitors):
    yield accepted(fields, status="200 OK")


def one_client(fields, visitors):
    if visitors > 1:
        yield plain("503 Service Unavailable", b"Too many clients\n")
        yield "end"
    yield accepted(fields)


def wants_binary(fields, visitors):
    """As a bridge to a port of TCP: closes unless "binary" is offered."""
    offered = [name.strip() for name in fields.get("sec-websocket-protocol", "").split(",")]
    if not FIXED and "binary" not in offered:
        yield "end"
    chosen = "binary" if "binary" in offered else offered[0]
    yield accepted(fields, *["Sec-WebSocket-Protocol: " + chosen] * bool(chosen))


MODES = {
    "banner": banner, "deflate": deflate, "early-hints": early_hints,
    "in-pieces": in_pieces, "key-in-small-letters": key_in_small_letters,
    "key-with-its-end": key_with_its_end, "odd-case": odd_case,
    "one-client": one_client, "pings": pings, "status-200": status_200,
    "wants-binary": wants_binary,
}
mode = MODES[MODE] if not FIXED or MODE == "wants-binary" else usual
visitors = 0


async def echo(reader, writer):
    while True:
        first, second = await reader.readexactly(2)
        length = second & 127
        if length >= 126:
            layout = ">H" if length == 126 else ">Q"
            length, = struct.unpack(layout, await reader.readexactly(struct.calcsize(layout)))
        mask = await reader.readexactly(4)
        data = bytes(byte ^ mask[i & 3] for i, byte in enumerate(await reader.readexactly(length)))
        kind = first & 15
        if kind == CLOSE:
            writer.write(frame(CLOSE, data[:2]))
            return await writer.drain()
        if kind == PING:
            writer.write(frame(PONG, data))
        elif kind != PONG and length < 126:
            writer.write(frame(first & 0x70 | kind, data))  # what was compressed stays so
        await writer.drain()


async def visit(reader, writer):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    fields = {name.lower(): value.strip() for name, _, value in pairs}
    if fields.get("upgrade", "").lower() != "websocket":
        writer.write(plain("200 OK", b"<h1>device</h1>", "text/html"))
        return await writer.drain()
    for step in mode(fields, visitors):
        if step == "end":
            return
        if isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        else:
            await asyncio.sleep(step)
    await echo(reader, writer)


async def accept(reader, writer):
    global visitors
    visitors += 1
    try:
        await visit(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    visitors -= 1
    writer.close()


async def main():
    server = await asyncio.start_server(accept, "127.0.0.1", PORT)
    await server.serve_forever()

asyncio.run(main())
