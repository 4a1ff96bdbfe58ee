# SPDX-License-Identifier: MIT
"""echo_on.py ADDRESS PORT: an echo by Python's websockets at one address."""
import asyncio
import sys

import websockets


async def echo(socket, path=None):
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(echo, sys.argv[1], int(sys.argv[2])):
        await asyncio.Future()

asyncio.run(main())
