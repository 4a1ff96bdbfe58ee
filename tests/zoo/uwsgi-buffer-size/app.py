# SPDX-License-Identifier: MIT
"""An echo at /echo by uWSGI's own WebSocket."""
import uwsgi


def application(environment, start_response):
    if environment["PATH_INFO"] != "/echo":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not here"]
    uwsgi.websocket_handshake()
    while True:
        message = uwsgi.websocket_recv()
        if message:
            uwsgi.websocket_send(message)
