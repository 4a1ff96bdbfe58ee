# SPDX-License-Identifier: MIT
"""ws:// to the TLS port of Hypercorn"""
from asgi import application

app = application(lambda scope, fields: False)
