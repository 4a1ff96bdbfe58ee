# SPDX-License-Identifier: MIT
"""server.py PORT: an echo by websockets that sends no ping of its own."""
import asyncio
import sys

import websockets


async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), ping_interval=None):
        await asyncio.Future()

asyncio.run(main())
