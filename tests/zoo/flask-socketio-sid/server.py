# SPDX-License-Identifier: MIT
"""a session id that this Flask-SocketIO node does not know"""
import sys

import eventlet

eventlet.monkey_patch()

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

app = Flask(__name__)
origins = "*" if sys.argv[2] == "fixed" else []

SocketIO(app, async_mode="eventlet", cors_allowed_origins=origins).run(
    app, host="127.0.0.1", port=int(sys.argv[1]))
