# SPDX-License-Identifier: MIT
"""A Falcon ASGI application: rooms at /rooms/ROOM, for those with a token if
$MODE is token."""
import os

import falcon
import falcon.asgi


class Room:
    async def on_websocket(self, request, socket, room):
        if os.environ["MODE"] == "token" and request.get_param("token") != "open":
            raise falcon.HTTPUnauthorized(title="token")
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    async def on_get(self, request, response, room):
        response.text = "room"

app = falcon.asgi.App()
app.add_route("/rooms/{room}", Room())
