# SPDX-License-Identifier: MIT
"""An echo by FastAPI at $ZOO_PATH."""
import os

from fastapi import FastAPI, WebSocket

app = FastAPI()


@app.websocket(os.environ["ZOO_PATH"])
async def echo(socket: WebSocket):
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())
