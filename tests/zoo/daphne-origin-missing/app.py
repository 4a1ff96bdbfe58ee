# SPDX-License-Identifier: MIT
"""an ASGI application that refuses those without an Origin"""
from asgi import application


def refuses(scope, fields):
    port = fields["host"].split(":")[-1]
    return fields.get("origin") not in ("https://shop.example", "http://127.0.0.1:" + port)


app = application(refuses)
