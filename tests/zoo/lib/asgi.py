# SPDX-License-Identifier: MIT
"""An ASGI echo: application(refuses, pages), where refuses(scope, fields) says
whether a handshake is turned away before it is accepted."""
import os

FIXED = os.environ["VARIANT"] == "fixed"


async def live(receive, send):
    while True:
        event = (await receive())["type"]
        await send({"type": event + ".complete"})
        if event.endswith("shutdown"):
            return


async def show(page, send):
    await send({"type": "http.response.start", "status": 200 if page else 404,
                "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": page or b"Not Found"})


async def echo(scope, receive, send):
    offered = scope.get("subprotocols") or [None]
    await send({"type": "websocket.accept", "subprotocol": offered[0]})
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": event.get("text") or ""})


def application(refuses, pages={}):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            return await live(receive, send)
        if scope["type"] == "http":
            return await show(pages.get(scope["path"]), send)
        fields = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
        await receive()
        if not FIXED and refuses(scope, fields):
            return await send({"type": "websocket.close", "code": 1008})
        await echo(scope, receive, send)
    return app
