# SPDX-License-Identifier: MIT
"""eventlet has the socket at /echo, in small letters"""
import sys

import eventlet
from eventlet import websocket, wsgi


@websocket.WebSocketWSGI
def echo(socket):
    while (message := socket.wait()) is not None:
        socket.send(message)


def app(environ, start_response):
    if environ["PATH_INFO"] == "/echo":
        return echo(environ, start_response)
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"not found"]


wsgi.server(eventlet.listen(("127.0.0.1", int(sys.argv[1]))), app)
