# SPDX-License-Identifier: MIT
import sys

from aiohttp import web

UNKNOWN = {"code": -1121, "msg": "Parameter 'stream' must be one of: trade, depth"}


async def stream(request):
    if request.query.get("stream") not in ("trade", "depth"):
        return web.json_response(UNKNOWN, status=400)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


app = web.Application()
app.router.add_get("/v1/stream", stream)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
