# SPDX-License-Identifier: MIT
"""an ASGI application that wants ?token="""
from asgi import application


def refuses(scope, fields):
    return b"token=good" not in scope["query_string"]


app = application(refuses)
