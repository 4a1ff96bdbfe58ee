# SPDX-License-Identifier: MIT
"""echo_tornado.py PORT: an echo by Tornado with its own same-origin check."""
import asyncio
import sys

import tornado.web
import tornado.websocket


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message, isinstance(message, bytes))


async def main():
    tornado.web.Application([(r"/chat", Echo)]).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()

asyncio.run(main())
