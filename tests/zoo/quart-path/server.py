# SPDX-License-Identifier: MIT
"""Quart has the socket at /ws"""
import asyncio
import sys

import hypercorn.asyncio
import hypercorn.config
from quart import Quart, websocket

port = int(sys.argv[1])
app = Quart(__name__)


@app.websocket("/ws")
async def chat():
    while True:
        await websocket.send(await websocket.receive())


config = hypercorn.config.Config()
config.bind = ["127.0.0.1:%d" % port]
asyncio.run(hypercorn.asyncio.serve(app, config))
