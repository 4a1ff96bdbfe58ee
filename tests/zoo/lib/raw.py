# SPDX-License-Identifier: MIT
"""A server that writes its answer to an opening handshake itself:
serve(answer), where answer(fields) gives bytes, or None to close at once."""
import asyncio
import base64
import hashlib
import sys

PORT, FIXED = int(sys.argv[1]), sys.argv[2] == "fixed"
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def opened(fields, *more, upgrade="websocket", accept=True):
    key = fields.get("sec-websocket-key", "")
    proof = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: " + upgrade, "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Accept: " + proof] * accept
    return "\r\n".join([*lines, *more, "", ""]).encode()


def refused(status, *more):
    lines = ["HTTP/1.1 " + status, *more, "Content-Length: 0", "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


async def visit(reader, writer, answer, cut_after_s):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines)
    reply = answer({name.lower(): value.strip() for name, _, value in pairs})
    if reply is None:
        return
    writer.write(reply)
    await writer.drain()
    if cut_after_s:
        return await asyncio.sleep(cut_after_s)
    while await reader.read(100):
        pass


def serve(answer, cut_after_s=None):
    async def accept(reader, writer):
        try:
            await visit(reader, writer, answer, cut_after_s)
        except (OSError, asyncio.IncompleteReadError):
            pass
        writer.close()

    async def main():
        server = await asyncio.start_server(accept, "127.0.0.1", PORT)
        await server.serve_forever()

    asyncio.run(main())
