# SPDX-License-Identifier: MIT
"""trio_echo.py PORT MODE VARIANT: an echo by trio-websocket, at one `path` or for
those with a `key`."""
import sys

import trio
from trio_websocket import ConnectionClosed, serve_websocket

port, mode, variant = sys.argv[1:]


def refusal(request):
    names = {name.lower() for name, _ in request.headers}
    if mode == "path" and request.path != "/v2/ticks":
        return 404, [], b"no such stream"
    if mode == "key" and b"x-api-key" not in names:
        return 403, [("content-type", "application/json")], b'{"error":"Missing X-Api-Key header"}'


async def echo(request):
    refused = variant != "fixed" and refusal(request)
    if refused:
        status, fields, body = refused
        return await request.reject(status, extra_headers=fields, body=body)
    socket = await request.accept()
    try:
        while True:
            await socket.send_message(await socket.get_message())
    except ConnectionClosed:
        pass

trio.run(serve_websocket, echo, "127.0.0.1", int(port), None)
