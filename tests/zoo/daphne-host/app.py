# SPDX-License-Identifier: MIT
"""an ASGI application that knows only the name localhost"""
from asgi import application


def refuses(scope, fields):
    return not fields["host"].startswith("localhost")


app = application(refuses)
