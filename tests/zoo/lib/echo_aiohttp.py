# SPDX-License-Identifier: MIT
"""echo_aiohttp.py PORT PATH: an echo by aiohttp at one path."""
import sys

from aiohttp import web


async def echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket

app = web.Application()
app.router.add_get(sys.argv[2], echo)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
