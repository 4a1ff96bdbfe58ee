# SPDX-License-Identifier: MIT
"""an ASGI application that wants a subprotocol of STOMP"""
from asgi import application


def refuses(scope, fields):
    return "v12.stomp" not in scope["subprotocols"]


app = application(refuses)
