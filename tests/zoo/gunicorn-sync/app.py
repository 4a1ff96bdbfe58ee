# SPDX-License-Identifier: MIT
"""Bottle with a socket at /echo, if the worker hands it one."""
from bottle import Bottle, abort, request

app = Bottle()


@app.route("/")
def index():
    return "Hello World!"


@app.route("/echo")
def echo():
    socket = request.environ.get("wsgi.websocket")
    if not socket:
        abort(400, "Expected WebSocket request.")
    while (message := socket.receive()) is not None:
        socket.send(message)
