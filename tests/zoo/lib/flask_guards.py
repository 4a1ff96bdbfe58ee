# SPDX-License-Identifier: MIT
"""flask_guards.py PORT VARIANT REASON: a WebSocket of eventlet's at /live of a Flask
application, and what Flask's extensions refuse."""
import sys

import eventlet
import eventlet.wsgi
from eventlet import websocket
from flask import Flask, Response

PORT, FIXED, REASON = int(sys.argv[1]), sys.argv[2] == "fixed", sys.argv[3]
app = Flask(__name__)
app.secret_key = "k"
guard = "" if FIXED else REASON


def live(ws):
    while True:
        message = ws.wait()
        if message is None:
            return
        ws.send(message)


class Taken(Response):
    """What eventlet has taken over is no answer of Flask's any more."""

    def __call__(self, environ, start_response):
        return websocket.WebSocketWSGI(live)(environ, start_response)


def handshake():
    return Taken()


if guard == "password":
    from flask_httpauth import HTTPBasicAuth
    auth = HTTPBasicAuth()
    auth.verify_password(lambda user, password: user if (user, password) == ("ann", "x1") else None)
    handshake = auth.login_required(handshake)
elif guard == "token":
    from flask_httpauth import HTTPTokenAuth
    auth = HTTPTokenAuth("Bearer", realm="live")
    auth.verify_token(lambda token: "ann" if token == "t1" else None)
    handshake = auth.login_required(handshake)
elif guard == "role":
    from flask_httpauth import HTTPTokenAuth
    auth = HTTPTokenAuth("Bearer", realm="live")
    auth.verify_token(lambda token: {"t1": "reader", "t2": "admin"}.get(token))
    auth.get_user_roles(lambda user: [user])
    handshake = auth.login_required(role="admin")(handshake)
elif guard == "login":
    from flask_login import LoginManager, login_required
    manager = LoginManager(app)
    manager.user_loader(lambda name: None)
    manager.login_view = "home"
    handshake = login_required(handshake)
elif guard == "unauthorized":
    from flask_login import LoginManager, login_required
    manager = LoginManager(app)
    manager.user_loader(lambda name: None)
    handshake = login_required(handshake)
elif guard == "rate":
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    Limiter(get_remote_address, app=app, default_limits=["3 per minute"], storage_uri="memory://")
elif guard == "https":
    from flask_talisman import Talisman
    Talisman(app)
app.add_url_rule("/live", "live", handshake, websocket=True)
app.add_url_rule("/", "home", lambda: "<h1>home</h1>")
if REASON == "server name":
    app.config["SERVER_NAME"] = "live.example"

eventlet.wsgi.server(eventlet.listen(("127.0.0.1", PORT)), app, log_output=False)
