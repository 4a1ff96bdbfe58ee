# SPDX-License-Identifier: MIT
"""Python's websockets as a server that echoes; says where it listens."""
import asyncio
import logging
import signal
import sys

import websockets


async def echo(peer, *_):
    try:
        async for message in peer:
            await peer.send(message)
    except websockets.ConnectionClosed:
        pass


async def main():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=64 << 20, ping_interval=None, close_timeout=2) as server:
        print("listening at ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await stopped.wait()
        sys.exit(0)


logging.disable()
asyncio.run(main())
