# SPDX-License-Identifier: MIT
"""bottle_gevent.py PORT MODE VARIANT: an echo at /echo by Bottle on
gevent-websocket, which has accepted before the application is asked."""
import sys

from gevent import monkey
monkey.patch_all()
from bottle import Bottle, abort, request  # noqa: E402
from gevent.pywsgi import WSGIServer  # noqa: E402
from geventwebsocket import WebSocketError  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402

port, mode, variant = sys.argv[1:]
app = Bottle()


@app.route("/login")
def login():
    return "log in"


@app.route("/echo")
def echo():
    socket = request.environ.get("wsgi.websocket")
    if not socket:
        abort(400, "Expected WebSocket request.")
    if variant != "fixed":
        if mode == "session" and not request.get_cookie("session"):
            abort(401, "log in first")
        if mode == "crash":
            request.environ["HTTP_X_TENANT"]
    try:
        while (message := socket.receive()) is not None:
            socket.send(message)
    except WebSocketError:
        pass

WSGIServer(("127.0.0.1", int(port)), app, handler_class=WebSocketHandler,
           log=None).serve_forever()
