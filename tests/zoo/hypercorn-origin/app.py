# SPDX-License-Identifier: MIT
"""an ASGI application that knows one origin"""
from asgi import application


def refuses(scope, fields):
    return fields.get("origin", "https://shop.example") != "https://shop.example"


app = application(refuses)
