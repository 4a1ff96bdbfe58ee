# SPDX-License-Identifier: MIT
"""before_websocket of Quart aborts with 401"""
import asyncio
import sys

import hypercorn.asyncio
import hypercorn.config
from quart import Quart, abort, websocket

port, fixed = int(sys.argv[1]), sys.argv[2] == "fixed"
app = Quart(__name__)


@app.before_websocket
async def check():
    user = websocket.authorization
    if not fixed and (user is None or user.password != "pw"):
        abort(401)


@app.websocket("/chat")
async def chat():
    while True:
        await websocket.send(await websocket.receive())


config = hypercorn.config.Config()
config.bind = ["127.0.0.1:%d" % port]
asyncio.run(hypercorn.asyncio.serve(app, config))
