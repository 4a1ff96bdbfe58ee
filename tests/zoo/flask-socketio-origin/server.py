# SPDX-License-Identifier: MIT
"""cors_allowed_origins of Flask-SocketIO names another origin"""
import sys

import eventlet

eventlet.monkey_patch()

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

app = Flask(__name__)
origins = "*" if sys.argv[2] == "fixed" else ["https://shop.example"]

SocketIO(app, async_mode="eventlet", cors_allowed_origins=origins).run(
    app, host="127.0.0.1", port=int(sys.argv[1]))
