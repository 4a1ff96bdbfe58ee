# SPDX-License-Identifier: MIT
"""wsproto_echo.py PORT MODE VARIANT: an echo by wsproto on asyncio, which refuses with
a JSON answer for the reason that MODE names; the mended variant for none."""
import asyncio
import json
import sys

from wsproto import ConnectionType, WSConnection
from wsproto.events import (AcceptConnection, CloseConnection, Ping, RejectConnection, RejectData,
                            Request, TextMessage)
from wsproto.utilities import RemoteProtocolError

port, mode, variant = sys.argv[1:]


def origin(fields, _):
    if fields.get("origin", "https://ops.example") != "https://ops.example":
        return 403, {"detail": "cross-origin request"}


def scope(fields, _):
    token = fields.get("authorization")
    if token == "Bearer read-11c":
        return 403, {"error": "insufficient_scope",
                     "error_description": "the token lacks scope events:write"}
    if token != "Bearer write-9f2":
        return 401, {"error": "invalid_token"}


def subprotocol(_, offered):
    if "v2.events" not in offered:
        return 400, {"detail": "no supported subprotocol"}


def rate(*_):
    return 429, {"detail": "too many connections from your address"}


refuses = {"origin": origin, "scope": scope, "subprotocol": subprotocol, "rate": rate}.get(mode)
if variant == "fixed":
    refuses = None


def answer(request):
    """What is sent to a handshake, as wsproto's events."""
    fields = {name.decode().lower(): value.decode() for name, value in request.extra_headers}
    refusal = refuses and refuses(fields, request.subprotocols)
    if refusal:
        status, body = refusal[0], json.dumps(refusal[1]).encode()
        headers = [(b"content-type", b"application/json"),
                   (b"content-length", str(len(body)).encode())]
        return [RejectConnection(status_code=status, headers=headers, has_body=True),
                RejectData(data=body, body_finished=True)]
    chosen = "v2.events" if "v2.events" in request.subprotocols else None
    return [AcceptConnection(subprotocol=chosen if mode == "subprotocol" else None)]


def replies(event):
    if isinstance(event, Request):
        return answer(event)
    if isinstance(event, TextMessage):
        return [TextMessage(data=event.data)]
    if isinstance(event, (Ping, CloseConnection)):
        return [event.response()]
    return []


async def serve(reader, writer):
    connection = WSConnection(ConnectionType.SERVER)
    data = True
    while data:
        data = await reader.read(65536)
        try:
            connection.receive_data(data or None)
            for event in connection.events():
                for reply in replies(event):
                    writer.write(connection.send(reply))
                if isinstance(event, CloseConnection):
                    data = b""
        except RemoteProtocolError as e:
            if e.event_hint is not None:
                writer.write(connection.send(e.event_hint))
            break
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(port))
    async with server:
        await server.serve_forever()

asyncio.run(main())
