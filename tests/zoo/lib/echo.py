# SPDX-License-Identifier: MIT
"""echo.py PORT [ORIGIN...]: an echo by Python's websockets, for these origins
alone if any is given ("none" stands for a client that sends none)."""
import asyncio
import sys

import websockets

port = int(sys.argv[1])
origins = [None if o == "none" else o for o in sys.argv[2:]] or None


async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", port, origins=origins):
        await asyncio.Future()

asyncio.run(main())
