# SPDX-License-Identifier: MIT
"""Flask-SocketIO lives at /socket.io/"""
import sys

import eventlet

eventlet.monkey_patch()

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

app = Flask(__name__)
origins = "*" if sys.argv[2] == "fixed" else []


@app.route("/")
def index():
    return '<script src="/static/socket.io.js"></script><script>io()</script>'


SocketIO(app, async_mode="eventlet", cors_allowed_origins=origins).run(
    app, host="127.0.0.1", port=int(sys.argv[1]))
