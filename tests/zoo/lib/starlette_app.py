# SPDX-License-Identifier: MIT
"""Starlette with an echo at /live, for the hosts that TrustedHostMiddleware lists."""
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import HTMLResponse
from starlette.routing import Route, WebSocketRoute


async def page(request):
    return HTMLResponse("<!doctype html><title>Trail</title>")


async def live(socket):
    await socket.accept()
    async for message in socket.iter_text():
        await socket.send_text(message)


hosts = ["localhost", "127.0.0.1", "www.trail.example"]
app = Starlette(routes=[Route("/", page), WebSocketRoute("/live", live)],
                middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)])
