# SPDX-License-Identifier: MIT
from quart import Quart, websocket

app = Quart(__name__, static_folder=None, host_matching=True)


@app.route("/", host="<name>")
async def home(name):
    return "a public site"


@app.websocket("/live", host="localhost:<int:port>")
async def live(port):
    while True:
        await websocket.send(await websocket.receive())
