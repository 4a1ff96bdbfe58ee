# SPDX-License-Identifier: MIT
"""an ASGI application with the socket at /ws/live/, told by the page script"""
from asgi import application

PAGES = {
    "/": b'<html><script src="/app.js"></script></html>',
    "/app.js": b'const socket = new WebSocket("ws://" + window.location.host + "/ws/live/");',
}


def refuses(scope, fields):
    return scope["path"] != "/ws/live/"


app = application(refuses, PAGES)
